import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './temporary.ts'

/** Programs of administrators are in folders that PATH may leave out. */
const ADMINISTRATOR = {
  ...process.env,
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
}

/** Runs a program of administrators; returns what it prints. */
export function administer(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: 'utf8',
    env: ADMINISTRATOR,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}

/** Why no loop device can be made here: by this user, or on this kernel. */
export function withoutLoops(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make loop devices'
  const options = { stdio: 'ignore', env: ADMINISTRATOR } as const
  const { status } = spawnSync('losetup', ['--find'], options)
  return status === 0 ? undefined : 'losetup(8) finds no loop device'
}

/** Which of some programs are not installed here, in words. */
export function withoutPrograms(...names: readonly string[]): string | undefined {
  const missing = names.filter(
    (name) =>
      spawnSync('sh', ['-c', `command -v "$0"`, name], { stdio: 'ignore', env: ADMINISTRATOR })
        .status !== 0,
  )
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}

/** A disk in a file, and the loop device that makes it one. */
export interface Loop {
  readonly device: string
  readonly file: string
}

/** A disk of so many bytes, all 0xff, that goes away with the test. */
export async function loopDisk(bytes: number, ...options: readonly string[]): Promise<Loop> {
  const file = join(await temporaryFolder(), 'disk')
  fillFile(file, bytes)
  return loopOf(file, ...options)
}

/** Makes a file a disk, until the test ends. */
export function loopOf(file: string, ...options: readonly string[]): Loop {
  const device = administer('losetup', '--find', '--show', ...options, file)
  onTestFinished(() => {
    spawnSync('losetup', ['--detach', device], { stdio: 'ignore', env: ADMINISTRATOR })
  })
  return { device, file }
}

/** Lets the kernel make a device of a part of a disk, in sectors, and returns that. */
export function addPartition(device: string, number: number, start: number, size: number): string {
  administer('addpart', device, ...[number, start, size].map(String))
  onTestFinished(() => {
    spawnSync('delpart', [device, String(number)], { stdio: 'ignore', env: ADMINISTRATOR })
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

/** Gives a disk that is in use another size: 0 bytes are left of one that is unplugged. */
export function resize({ device, file }: Loop, bytes: number): void {
  truncateSync(file, bytes)
  administer('losetup', '--set-capacity', device)
}

/** A file in which every byte is 0xff: what is not written stays to be seen. */
export function fillFile(file: string, bytes: number): void {
  const fd = openSync(file, 'w')
  const chunk = Buffer.alloc(1 << 20, 0xff)
  for (let at = 0; at < bytes; at += chunk.length) writeSync(fd, chunk)
  closeSync(fd)
  truncateSync(file, bytes)
}
