import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ifThere } from '../../base/files.ts'

/**
 * Where the kernel shows its disks and mounts. There are others for tests only: not every kernel
 * has every kind of device.
 */
export interface Kernel {
  readonly sys: string
  readonly proc: string
}

/** The kernel that the engine runs on. */
export const KERNEL: Kernel = { sys: '/sys', proc: '/proc' }

/**
 * `MAJOR:MINOR` of the block device at a path, as the kernel writes it; undefined for anything
 * else. Links are followed.
 */
export async function numberOf(path: string): Promise<string | undefined> {
  const found = await ifThere(stat(path)).catch(() => undefined)
  return found?.isBlockDevice() === true ? asNumber(found.rdev) : undefined
}

/** What stat(2) calls `st_rdev`, as the kernel writes it: makedev(3). */
export function asNumber(device: number): string {
  const [low, high] = [(device % 2 ** 32) >>> 0, Math.floor(device / 2 ** 32)]
  const major = ((low >>> 8) & 0xfff) + (high & ~0xfff)
  return `${major}:${(low & 0xff) + ((low >>> 12) & 0xfff00)}`
}

/** The folder in which the kernel describes a block device; undefined where it has none. */
export function folderOf(number: string, { sys }: Kernel): string | undefined {
  return attempt(() => realpathSync(join(sys, 'dev/block', number)))
}

/** One value that the kernel shows of a device, without blanks around it. */
export function attribute(folder: string, name: string): string | undefined {
  return attempt(() => readFileSync(join(folder, name), 'utf8').trim())
}

/** Names in a folder of the kernel, in their order; none where there is no such folder. */
export function namesIn(folder: string): string[] {
  return (attempt(() => readdirSync(folder)) ?? []).sort()
}

/** The folder of the whole disk that a device is, or is a partition of. */
export function wholeOf(folder: string): string {
  return attribute(folder, 'partition') === undefined ? folder : dirname(folder)
}

/**
 * Names of the disks that a device is on: its own, or those below it where it is made of others, as
 * by LVM or RAID.
 */
export function disksBelow(number: string, kernel: Kernel): string[] {
  const folder = folderOf(number, kernel)
  if (folder === undefined) return []
  const below = namesIn(join(folder, 'slaves'))
  if (below.length === 0) return [basename(wholeOf(folder))]
  return below.flatMap((name) => {
    const next = attribute(join(kernel.sys, 'class/block', name), 'dev')
    return next === undefined ? [] : disksBelow(next, kernel)
  })
}

/** Lines of one of the kernel's tables. */
export function linesOf({ proc }: Kernel, name: string): string[] {
  const text = attempt(() => readFileSync(join(proc, name), 'utf8')) ?? ''
  return text.split('\n').filter((line) => line !== '')
}

/** A path as it stands in such a table: blanks, line ends and backslashes are octal numbers. */
export function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

/** A device may go at any moment, and what the kernel shows of it then as well. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
