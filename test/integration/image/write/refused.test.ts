import { constants } from 'node:fs'
import { mkdir, open, readFile, readlink, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { digestOf } from '../../../../src/base/digest.ts'
import { FixpointError } from '../../../../src/base/error.ts'
import { asNumber, type Kernel } from '../../../../src/image/write/kernel.ts'
import { examineWrite } from '../../../../src/image/write/write-image.ts'
import {
  addPartition,
  administer,
  loopDisk,
  loopOf,
  mountNew,
  withoutLoops,
  type Loop,
} from '../../../support/loops.ts'
import { temporaryFolder } from '../../../support/temporary.ts'
import { recordOf, recordText, toyImage, type ToyImage } from '../../../support/written-image.ts'

const MIB = 1 << 20

beforeEach(({ skip }) => {
  const reason = withoutLoops()
  skip(reason !== undefined, reason)
})

interface Rest {
  readonly stores?: readonly string[]
  readonly kernel?: Kernel
}

/** How examining fails. */
async function refusal(image: string, device: string, rest: Rest = {}): Promise<FixpointError> {
  const { signal } = new AbortController()
  const error: unknown = await examineWrite(image, device, { stores: [], signal, ...rest }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FixpointError)
  return error as FixpointError
}

/** A way to a disk, or what stands for one, that must not be written to. */
type Place = (image: ToyImage) => Promise<string>

describe('no image is written to', () => {
  const PLACES: readonly (readonly [name: string, code: string, place: Place])[] = [
    ['a file', 'disk-is-file', async ({ path }) => path],
    ['a folder', 'no-such-disk', async ({ path }) => dirname(path)],
    ['nothing', 'no-such-disk', async ({ path }) => `${path}-`],
    ['another device', 'no-such-disk', async () => '/dev/null'],
    [
      'a partition',
      'disk-is-partition',
      async () => addPartition((await loopDisk(9 * MIB)).device, 1, 2048, 12_288),
    ],
    [
      'a reader without a disk',
      'no-such-disk',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        administer('losetup', '--detach', device)
        return device
      },
    ],
    [
      'a disk that can only be read',
      'disk-read-only',
      async () => (await loopDisk(9 * MIB, '--read-only')).device,
    ],
    ['a disk that is too small', 'disk-too-small', async () => (await loopDisk(4 * MIB)).device],
    [
      'a disk with sectors of 4096 bytes, which it has no table for',
      'disk-sectors',
      async () => (await loopDisk(9 * MIB, '--sector-size', '4096')).device,
    ],
    [
      'a disk that is mounted',
      'disk-busy',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        await mountNew(device)
        return device
      },
    ],
    [
      'a disk with a partition that is mounted',
      'disk-busy',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        await mountNew(addPartition(device, 2, 2048, 12_288))
        return device
      },
    ],
    [
      'a disk that is swapped to',
      'disk-busy',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        administer('mkswap', device)
        administer('swapon', device)
        onTestFinished(() => void administer('swapoff', device))
        return device
      },
    ],
    [
      'a disk that a loop device is made of',
      'disk-busy',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        loopOf(device, '--offset', String(MIB))
        return device
      },
    ],
    [
      'a disk with a partition that a loop device is made of',
      'disk-busy',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        loopOf(addPartition(device, 1, 2048, 12_288))
        return device
      },
    ],
    [
      'a disk that another program holds',
      'disk-busy',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        const file = await open(device, constants.O_RDONLY | constants.O_EXCL)
        onTestFinished(() => file.close())
        return device
      },
    ],
    [
      'a disk whose partition another program holds',
      'disk-busy',
      async () => {
        const { device } = await loopDisk(9 * MIB)
        const part = addPartition(device, 1, 2048, 12_288)
        const file = await open(part, constants.O_RDONLY | constants.O_EXCL)
        onTestFinished(() => file.close())
        return device
      },
    ],
    ['the disk that is made of it', 'disk-busy', async ({ path }) => loopOf(path).device],
  ]

  it.each(PLACES)('%s', async (_, code, place) => {
    const image = await toyImage(5)
    const device = await place(image)
    const error = await refusal(image.path, device)
    expect(error.code).toBe(code)
    expect(error.message).toContain(`"${device}"`)
  })

  it('a mounted disk by another name, and says where that is mounted', async () => {
    const { device } = await loopDisk(9 * MIB)
    const folder = await mountNew(device)
    const link = join(await temporaryFolder(), 'my stick')
    await symlink(device, link)
    const error = await refusal((await toyImage(5)).path, link)
    expect(error.message).toBe(`Cannot write to "${link}": "${device}" is mounted on "${folder}"`)
  })

  it('the disk that it is on', async () => {
    const image = await toyImage(5)
    const { device, file } = await loopDisk(9 * MIB)
    const bytes = await readFile(file)
    image.bytes.copy(bytes)
    await writeFile(file, bytes)
    administer('blockdev', '--flushbufs', device)
    expect((await refusal(device, device)).message).toContain('the image is on it')
  })

  it('the disk of the running system', async ({ skip }) => {
    const { dev } = await stat('/')
    const folder = await readlink(`/sys/dev/block/${asNumber(dev)}`).catch(() => '')
    skip(folder === '', 'the root of this system is on no disk')
    const name = folder.replace(/^.*\/block\//, '').split('/')[0] ?? ''
    expect((await refusal((await toyImage(5)).path, `/dev/${name}`)).code).toBe('disk-of-system')
  })

  it('the disk that the store is on, be it not made yet', async () => {
    const { device } = await loopDisk(9 * MIB)
    const stores = [join(await mountNew(device), 'cache/store')]
    const error = await refusal((await toyImage(5)).path, device, { stores })
    expect(error.code).toBe('disk-of-system')
    expect(error.message).toContain('cache/store')
  })
})

/** Kernels that show a real loop device as disk `sdx`, and things that this machine has not. */
describe('on machines with other devices, no image is written to', () => {
  /** A machine with `sdx` (and partition `sdx1`, 8:1), and `more` files below its /sys. */
  async function machine(
    { device }: Loop,
    more: Readonly<Record<string, string>>,
    mounts = '',
  ): Promise<Kernel> {
    const folder = await temporaryFolder()
    const [sys, proc] = [join(folder, 'sys'), join(folder, 'proc')]
    const files: Record<string, string> = {
      'devices/sdx/size': '18432',
      'devices/sdx/sdx1/size': '4096',
      'devices/sdx/sdx1/start': '2048',
      'devices/sdx/sdx1/partition': '1',
      'devices/sdx/sdx1/dev': '8:1',
      ...more,
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(sys, path)), { recursive: true })
      await writeFile(join(sys, path), `${text}\n`)
    }
    const number = asNumber((await stat(device)).rdev)
    const links = [
      [`dev/block/${number}`, 'devices/sdx'],
      ['dev/block/8:1', 'devices/sdx/sdx1'],
      ['class/block/sdx1', 'devices/sdx/sdx1'],
      ...(more['devices/dm-0/dev'] === undefined
        ? []
        : [
            ['dev/block/253:0', 'devices/dm-0'],
            ['class/block/dm-0', 'devices/dm-0'],
          ]),
    ]
    for (const [from = '', to = ''] of links) {
      await mkdir(dirname(join(sys, from)), { recursive: true })
      await symlink(join(sys, to), join(sys, from))
    }
    await mkdir(join(proc, 'self'), { recursive: true })
    await writeFile(join(proc, 'self/mountinfo'), mounts)
    return { sys, proc }
  }

  /** The system's root on an encrypted or logical volume, which is on a partition. */
  const MAPPED = { 'devices/dm-0/dev': '253:0', 'devices/dm-0/slaves/sdx1': '' }

  it.each([
    ['a disk that RAID is made of', { 'devices/sdx/holders/md0': '' }, '', 'disk-busy'],
    ['a disk with a partition for LVM', { 'devices/sdx/sdx1/holders/dm-7': '' }, '', 'disk-busy'],
    [
      'the disk that the root is on by way of LVM',
      MAPPED,
      '36 1 253:0 / / rw shared:1 - ext4 /dev/mapper/root rw\n',
      'disk-of-system',
    ],
    [
      'the disk of a root whose file system has a number of its own',
      {},
      '36 1 8:1 / / rw - squashfs /dev/root ro\n37 36 0:30 / /data\\040a rw - btrfs NODE rw\n',
      'disk-of-system',
    ],
    [
      'a disk that a file system with a number of its own is on',
      {},
      '36 1 0:5 / / rw - tmpfs none rw\n37 36 0:30 / /data\\040a rw - btrfs NODE rw\n',
      'disk-busy',
    ],
  ] as const)('%s', async (_, more, mounts, code) => {
    const disk = await loopDisk(9 * MIB)
    const kernel = await machine(disk, more, mounts.replace('NODE', disk.device))
    const error = await refusal((await toyImage(5)).path, disk.device, { kernel })
    expect(error.code).toBe(code)
    if (mounts.includes('tmpfs')) expect(error.message).toContain('"/data a"')
  })
})

describe('an image is refused', () => {
  async function refused(image: string): Promise<FixpointError> {
    return refusal(image, (await loopDisk(9 * MIB)).device)
  }

  it('that is no image', async () => {
    const path = join(await temporaryFolder(), 'toy.img')
    await writeFile(path, Buffer.alloc(5 * MIB))
    expect((await refused(path)).code).toBe('no-image')
    expect((await refused(`${path}-`)).code).toBe('no-image')
  })

  it('that is of someone else, unless a record says that it is meant', async () => {
    const image = await toyImage(5, 'other')
    expect((await refused(image.path)).code).toBe('no-image')
    await recordOf(image)
    const { device } = await loopDisk(9 * MIB)
    const { signal } = new AbortController()
    const { image: found } = await examineWrite(image.path, device, { stores: [], signal })
    expect(found).toMatchObject({ sha256: image.sha256, stated: [{ sha256: image.sha256 }] })
  })

  it('that is cut', async () => {
    const { path } = await toyImage(5)
    administer('truncate', '--size', String(5 * MIB - 512), path)
    const { code, message } = await refused(path)
    expect(code).toBe('no-image')
    expect(message).toContain('512 bytes are missing')
  })

  it('that has other bytes than its record says', async () => {
    const image = await toyImage(5)
    await recordOf({ ...image, sha256: digestOf('other') })
    const { code, message } = await refused(image.path)
    expect(code).toBe('image-changed')
    expect(message).toContain('toy.json')
  })

  it.each([
    ['is cut', '{"recipe": "product/toy", "art'],
    ['is empty', ''],
    ['contradicts itself', recordText(digestOf('x')).replace('product/toy', 'product/other')],
  ])('whose record %s', async (_, text) => {
    const { path } = await toyImage(5)
    await writeFile(path.replace(/\.img$/, '.json'), text)
    const { code, message } = await refused(path)
    expect(code).toBe('no-record')
    expect(message).toContain('toy.json')
  })

  it.each([
    ['other bytes', `${digestOf('other')}  toy.img\n`, 'image-changed'],
    ['other bytes, of a file that had another name', `${digestOf('x')} *old.img`, 'image-changed'],
    ['nothing', '', 'no-record'],
    ['another digest', `${'0'.repeat(40)}  toy.img\n`, 'no-record'],
    ['no name', `${digestOf('x')}\n`, 'no-record'],
  ])('whose .sha256 has %s', async (_, text, code) => {
    const { path } = await toyImage(5)
    await writeFile(`${path}.sha256`, text)
    expect((await refused(path)).code).toBe(code)
  })

  it('whose .sha256 and record contradict each other', async () => {
    const image = await toyImage(5)
    await recordOf(image)
    await writeFile(`${image.path}.sha256`, `${digestOf('other')}  toy.img\n`)
    expect((await refused(image.path)).code).toBe('image-changed')
  })

  it('but not where both say the same, be the image renamed', async () => {
    const image = await toyImage(5)
    await recordOf(image)
    const path = image.path.replace('toy', 'renamed')
    await rename(image.path, path)
    await writeFile(`${path}.sha256`, `${image.sha256}  toy.img\n`)
    const { device } = await loopDisk(9 * MIB)
    const { signal } = new AbortController()
    const plan = await examineWrite(path, device, { stores: [], signal })
    expect(plan.image.stated.map(({ by }) => by)).toEqual([`${path}.sha256`])
  })
})
