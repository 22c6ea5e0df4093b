import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { fileSystemIn, MARKED } from '../../../../src/image/write/file-system.ts'
import type { Present } from '../../../../src/image/write/present.ts'
import { examineWrite } from '../../../../src/image/write/write-image.ts'
import {
  addPartition,
  administer,
  loopDisk,
  withoutLoops,
  withoutPrograms,
} from '../../../support/loops.ts'
import { temporaryFolder } from '../../../support/temporary.ts'
import { toyImage } from '../../../support/written-image.ts'

const MIB = 1 << 20

/** What is found on a disk of 48 MiB that `make` filled. */
async function found(make: (device: string) => unknown, ...options: string[]): Promise<Present> {
  const { device } = await loopDisk(48 * MIB, ...options)
  await make(device)
  administer('blockdev', '--flushbufs', device)
  const { signal } = new AbortController()
  const { path } = await toyImage(5)
  return (await examineWrite(path, device, { stores: [], signal })).present
}

/** Writes a partition table as sfdisk(8) does. */
function partition(device: string, ...lines: readonly string[]): void {
  administer('sh', '-c', `printf '%s\\n' "$@" | sfdisk -q --no-reread ${device}`, 'sh', ...lines)
}

describe('what will be lost on a disk:', () => {
  beforeEach(({ skip }) => {
    const reason = withoutLoops() ?? withoutPrograms('sfdisk', 'mkfs.fat')
    skip(reason !== undefined, reason)
  })

  it('nothing', async () => {
    const present = await found((device) =>
      administer('dd', 'if=/dev/zero', `of=${device}`, 'bs=1M', 'count=2'),
    )
    expect(present).toEqual({
      ...{ table: undefined, fileSystem: undefined },
      ...{ partitions: [], isBlank: true },
    })
  })

  it('something unknown', async () => {
    expect(await found(() => undefined)).toMatchObject({ table: undefined, isBlank: false })
  })

  it('one file system', async () => {
    const present = await found((device) => administer('mkfs.ext4', '-qFL', 'my photos', device))
    expect(present).toMatchObject({
      ...{ table: undefined, partitions: [], isBlank: false },
      fileSystem: { kind: 'ext2/3/4', label: 'my photos' },
    })
  })

  it('one FAT, whose first sector looks like a partition table', async () => {
    const present = await found((device) => administer('mkfs.fat', '-n', 'STICK', device))
    expect(present).toMatchObject({
      ...{ table: undefined, partitions: [] },
      fileSystem: { kind: 'FAT16', label: 'STICK' },
    })
  })

  it('partitions that the kernel knows', async () => {
    const present = await found((device) => {
      partition(device, 'label: gpt', 'start=2048, size=8192, name=one', 'start=10240, size=65536')
      administer('mkswap', '-L', 'swapped', addPartition(device, 1, 2048, 8192))
      administer('mkfs.fat', '-F', '32', addPartition(device, 2, 10_240, 65_536))
    })
    expect(present).toEqual({
      ...{ table: 'GPT', fileSystem: undefined, isBlank: false },
      partitions: [
        {
          ...{ name: expect.stringMatching(/p1$/) as string, bytes: 4 * MIB },
          ...{ label: undefined, fileSystem: { kind: 'swap', label: 'swapped' } },
        },
        {
          ...{ name: expect.stringMatching(/p2$/) as string, bytes: 32 * MIB },
          ...{ label: undefined, fileSystem: { kind: 'FAT32', label: undefined } },
        },
      ],
    })
  })

  it.each([
    ['gpt', 'GPT'],
    ['dos', 'MBR'],
  ] as const)('partitions that only a table of %s names', async (label, table) => {
    const present = await found((device) => {
      partition(device, `label: ${label}`, 'start=2048, size=8192', 'start=10240, size=8192')
      administer('mke2fs', '-qFL', 'inside', '-E', `offset=${5 * MIB}`, device, '4M')
    })
    const [first, second] = present.partitions
    expect(present.table).toBe(table)
    expect(first).toEqual({
      ...{ name: 'partition 1', bytes: 4 * MIB },
      ...{ label: undefined, fileSystem: undefined },
    })
    expect(second).toMatchObject({ name: 'partition 2', fileSystem: { label: 'inside' } })
  })

  it('an image, with the names of its partitions', async () => {
    const image = await toyImage(6)
    const { partitions } = await found((device) =>
      administer('dd', `if=${image.path}`, `of=${device}`, 'bs=1M'),
    )
    expect(partitions).toMatchObject([{ name: 'partition 1', label: 'root' }])
  })

  it('an image, and data behind it', async () => {
    const image = await toyImage(6)
    const { partitions } = await found((device) => {
      administer('dd', `if=${image.path}`, `of=${device}`, 'bs=1M')
      administer('mke2fs', '-qFL', 'fixpoint-data', '-E', `offset=${6 * MIB}`, device, '16M')
    })
    expect(partitions).toMatchObject([
      { name: 'partition 1' },
      {
        ...{ name: 'behind the partitions', bytes: 42 * MIB },
        fileSystem: { kind: 'ext2/3/4', label: 'fixpoint-data' },
      },
    ])
  })
})

describe('a file system is known by its first bytes:', () => {
  it.for([
    ['mkfs.ext4 -qL one', 16, { kind: 'ext2/3/4', label: 'one' }],
    ['mke2fs -t ext2 -q', 16, { kind: 'ext2/3/4', label: undefined }],
    ['mkfs.fat -F 12 -n TWELVE', 4, { kind: 'FAT12', label: 'TWELVE' }],
    ['mkfs.fat -F 16', 16, { kind: 'FAT16', label: undefined }],
    ['mkfs.fat -F 32 -n BIG', 48, { kind: 'FAT32', label: 'BIG' }],
    ['mkswap -L there', 4, { kind: 'swap', label: 'there' }],
    ['mkfs.btrfs -qL tree', 128, { kind: 'btrfs', label: 'tree' }],
    ['mkfs.xfs -qL exes', 320, { kind: 'XFS', label: 'exes' }],
    ['mkfs.exfat', 16, { kind: 'exFAT', label: undefined }],
    ['mkntfs -FqQ', 16, { kind: 'NTFS', label: undefined }],
    ['cryptsetup luksFormat -q --key-file /etc/hostname', 32, { kind: 'LUKS', label: undefined }],
  ] as const)('%s', async ([command, mebibytes, wanted], { skip }) => {
    const file = join(await temporaryFolder(), 'disk')
    await writeFile(file, '')
    administer('truncate', '--size', `${mebibytes}M`, file)
    try {
      administer('sh', '-c', `exec ${command} ${file}`)
    } catch (error) {
      skip((error as { status?: number }).status === 127, 'that program is not installed')
      throw error
    }
    expect(fileSystemIn((await readFile(file)).subarray(0, MARKED))).toEqual(wanted)
  })

  it('none in noise, nor where nearly nothing is', () => {
    expect(fileSystemIn(Buffer.alloc(MARKED, 0xee))).toBeUndefined()
    expect(fileSystemIn(Buffer.from('hs'))).toBeUndefined()
    expect(fileSystemIn(Buffer.alloc(0))).toBeUndefined()
    expect(fileSystemIn(Buffer.from('hsqs'))).toEqual({ kind: 'squashfs', label: undefined })
  })
})
