import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './temporary.ts'

/** Runs a program of administrators; returns what it prints. */
export function administer(program: string, ...args: readonly string[]): string {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
  return execFileSync(program, args, {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}

/** Whether this user may make loop devices, and this kernel has them. */
export function hasLoops(): boolean {
  if (process.getuid?.() !== 0) return false
  return spawnSync('losetup', ['--find'], { stdio: 'ignore' }).status === 0
}

/** A disk in a file, and the loop device that makes it one. */
export interface Loop {
  readonly device: string
  readonly file: string
}

/** A disk of so many bytes, all 0xff, that goes away with the test. */
export async function loopDisk(bytes: number): Promise<Loop> {
  const file = join(await temporaryFolder(), 'disk')
  fillFile(file, bytes)
  return loopOf(file)
}

/** Makes a file a disk, until the test ends. */
export function loopOf(file: string, ...options: readonly string[]): Loop {
  const device = administer('losetup', '--find', '--show', ...options, file)
  onTestFinished(() => {
    spawnSync('losetup', ['--detach', device], { stdio: 'ignore' })
  })
  return { device, file }
}

/** Lets the kernel make a device of a part of a disk, in sectors, and returns that. */
export function addPartition(device: string, number: number, start: number, size: number): string {
  administer('addpart', device, ...[number, start, size].map(String))
  onTestFinished(() => {
    spawnSync('delpart', [device, String(number)], { stdio: 'ignore' })
  })
  return `${device}p${String(number)}`
}

/** Makes a file system and mounts it, until the test ends. Returns the folder. */
export async function mountNew(device: string): Promise<string> {
  administer('mkfs.ext4', '-q', '-F', device)
  return mountAt(await temporaryFolder(), device)
}

/** Mounts something in a folder, until the test ends. Returns the folder. */
export function mountAt(parent: string, ...what: readonly string[]): string {
  const folder = join(parent, 'a place')
  mkdirSync(folder)
  administer('mount', ...what, folder)
  onTestFinished(() => {
    spawnSync('umount', [folder], { stdio: 'ignore' })
  })
  return folder
}

/** A file in which every byte is 0xff: what is not written stays to be seen. */
export function fillFile(file: string, bytes: number): void {
  const fd = openSync(file, 'w')
  const chunk = Buffer.alloc(1 << 20, 0xff)
  for (let at = 0; at < bytes; at += chunk.length) writeSync(fd, chunk)
  closeSync(fd)
  truncateSync(file, bytes)
}
