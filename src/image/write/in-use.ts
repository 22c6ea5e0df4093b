import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { devicePath, type DiskDevice } from './disk-device.ts'
import {
  attribute,
  disksBelow,
  folderOf,
  linesOf,
  namesIn,
  numberOf,
  unescaped,
  type Kernel,
} from './kernel.ts'

/**
 * Makes sure that nothing uses a disk: neither this system nor the store (`stores` are folders of
 * it) is on it, nothing of it is mounted or swapped to, and no other device is made of it. Fails
 * with `disk-of-system`, `disk-busy` or `disk-read-only`.
 */
export async function requireUnused(
  disk: DiskDevice,
  stores: readonly string[],
  kernel: Kernel,
): Promise<void> {
  const mounts = await mountsOf(kernel)
  const refuse = (what: string): never => {
    throw new FixpointError('disk-of-system', `Cannot write to "${disk.path}": ${what} is on it`)
  }
  if (isOn(disk, '/', mounts, kernel)) refuse('this running system')
  for (const store of stores)
    if (isOn(disk, await nearestReal(store), mounts, kernel)) refuse(`the store "${store}"`)
  const users = [
    ...mountedParts(disk, mounts),
    ...(await swappedParts(disk, kernel)),
    ...heldParts(disk, kernel),
    ...(await loopedParts(disk, kernel)),
  ]
  if (users.length > 0)
    throw new FixpointError('disk-busy', `Cannot write to "${disk.path}": ${users.join(', ')}`)
  if (disk.isReadOnly)
    throw new FixpointError('disk-read-only', `Cannot write to "${disk.path}": it is read-only`)
}

/** A line of /proc/self/mountinfo, see proc(5). */
interface Mount {
  readonly place: string
  /** Devices that the file system is on; file systems such as btrfs have numbers of their own. */
  readonly numbers: readonly string[]
}

async function mountsOf(kernel: Kernel): Promise<Mount[]> {
  const mounts: Mount[] = []
  for (const line of linesOf(kernel, 'self/mountinfo')) {
    const words = line.split(' ')
    const [, , number = '', , place = ''] = words
    const source = unescaped(words[words.indexOf('-', 6) + 2] ?? '')
    const device = source.startsWith('/') ? await numberOf(source) : undefined
    mounts.push({
      place: unescaped(place),
      numbers: [number, ...(device === undefined ? [] : [device])],
    })
  }
  return mounts
}

/** Whether the file system that an absolute path is in lies on a disk, be it by way of others. */
function isOn(disk: DiskDevice, path: string, mounts: readonly Mount[], kernel: Kernel): boolean {
  let found: Mount | undefined
  for (const mount of mounts) {
    const isAbove = `${path}/`.startsWith(mount.place === '/' ? '/' : `${mount.place}/`)
    // Of two at one place the later one covers the other.
    if (isAbove && mount.place.length >= (found?.place.length ?? 0)) found = mount
  }
  return (found?.numbers ?? []).some((number) => disksBelow(number, kernel).includes(disk.name))
}

/** The real path of a folder, or of the nearest one above it that is there. */
async function nearestReal(path: string): Promise<string> {
  return realpath(path).catch(() => nearestReal(dirname(path)))
}

/** The disk and its partitions: what can be used of it. */
function partsOf({ name, number, partitions }: DiskDevice): { name: string; number: string }[] {
  return [{ name, number }, ...partitions]
}

function mountedParts(disk: DiskDevice, mounts: readonly Mount[]): string[] {
  return partsOf(disk).flatMap(({ name, number }) =>
    mounts
      .filter(({ numbers }) => numbers.includes(number))
      .map(({ place }) => `"${devicePath(name)}" is mounted on "${place}"`),
  )
}

async function swappedParts(disk: DiskDevice, kernel: Kernel): Promise<string[]> {
  const [, ...lines] = linesOf(kernel, 'swaps') // after a heading
  const swaps = await Promise.all(
    lines.map((line) => numberOf(unescaped(line.split(/\s/)[0] ?? ''))),
  )
  return partsOf(disk)
    .filter(({ number }) => swaps.includes(number))
    .map(({ name }) => `"${devicePath(name)}" is used as swap`)
}

function heldParts(disk: DiskDevice, kernel: Kernel): string[] {
  return partsOf(disk).flatMap(({ name, number }) => {
    const folder = folderOf(number, kernel)
    const holders = folder === undefined ? [] : namesIn(join(folder, 'holders'))
    return holders.map((holder) => `"${devicePath(holder)}" is made of "${devicePath(name)}"`)
  })
}

/** Loop devices are not among the holders of what they are made of. */
async function loopedParts(disk: DiskDevice, { sys }: Kernel): Promise<string[]> {
  const users: string[] = []
  for (const loop of namesIn(join(sys, 'class/block'))) {
    const file = attribute(join(sys, 'class/block', loop), 'loop/backing_file')
    const number = file === undefined ? undefined : await numberOf(file)
    const part = partsOf(disk).find((one) => one.number === number)
    if (part !== undefined)
      users.push(`"${devicePath(loop)}" is made of "${devicePath(part.name)}"`)
  }
  return users
}
