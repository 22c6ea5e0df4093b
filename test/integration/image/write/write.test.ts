import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { FixpointError } from '../../../../src/base/error.ts'
import { readDisk } from '../../../../src/image/disk.ts'
import { examineWrite, writeImage } from '../../../../src/image/write/write-image.ts'
import {
  administer,
  loopDisk,
  loopOf,
  mountAt,
  resize,
  withoutLoops,
  type Loop,
} from '../../../support/loops.ts'
import { temporaryFolder } from '../../../support/temporary.ts'
import { addLargeTable, toyImage, type ToyImage } from '../../../support/written-image.ts'

const MIB = 1 << 20

beforeEach(({ skip }) => {
  const reason = withoutLoops()
  skip(reason !== undefined, reason)
})

/** What happens as an image is written: called as the writer calls. */
interface Watch {
  readonly onPart?: (part: string) => unknown
  readonly onBytes?: (bytes: number, part: string) => unknown
  /** Between the look at the disk and the first byte. */
  readonly beforehand?: () => unknown
}

/** Writes an image to a disk, and returns the bytes that were told and the warnings. */
async function write(
  image: ToyImage,
  { device }: Loop,
  { onPart, onBytes, beforehand }: Watch = {},
  stop = new AbortController(),
): Promise<{ told: [part: string, bytes: number][]; warnings: string[] }> {
  const { signal } = stop
  const plan = await examineWrite(image.path, device, { stores: [], signal })
  beforehand?.()
  const told: [string, number][] = []
  const warnings: string[] = []
  let present = ''
  await writeImage(plan, {
    signal,
    onPart: (part) => {
      present = part
      onPart?.(part)
    },
    onBytes: (bytes) => {
      told.push([present, bytes])
      onBytes?.(bytes, present)
    },
    onWarning: (message) => warnings.push(message),
  }).catch((error: unknown) => {
    throw Object.assign(error as Error, { told })
  })
  return { told, warnings }
}

/** The error that writing fails with. */
async function failure(...args: Parameters<typeof write>): Promise<FixpointError> {
  const error = await write(...args).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FixpointError)
  return error as FixpointError
}

/** Nothing at the beginning, so no firmware and no kernel finds a table or boot code. */
async function expectErased({ file }: Loop): Promise<void> {
  const bytes = await readFile(file)
  expect(bytes.subarray(0, MIB).equals(Buffer.alloc(MIB))).toBe(true)
  await expect(readDisk(file)).rejects.toMatchObject({ code: 'no-image' })
}

describe('an image is written to a disk', () => {
  it('that is larger: what is behind it stays, but for an old partition table', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(9 * MIB)]
    const old = Buffer.from(`EFI PART${'x'.repeat(504)}`)
    administer(
      'dd',
      `of=${disk.device}`,
      'bs=512',
      `seek=${9 * 2048 - 1}`,
      'if=/dev/zero',
      'count=1',
    )
    const before = await readFile(disk.file)
    old.copy(before, before.length - 512)
    await writeFile(disk.file, before)
    administer('blockdev', '--flushbufs', disk.device)

    const { told, warnings } = await write(image, disk)
    const found = await readFile(disk.file)
    expect(found.subarray(0, 5 * MIB).equals(image.bytes)).toBe(true)
    expect(found.subarray(5 * MIB, -512).every((byte) => byte === 0xff)).toBe(true)
    expect(found.subarray(-512).equals(Buffer.alloc(512))).toBe(true)
    expect(told.at(-1)).toEqual(['read back', 5 * MIB])
    expect(told).toContainEqual(['write', 5 * MIB])
    expect(warnings).toEqual([])
  })

  it('that is as large, and the same again', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(5 * MIB)]
    await write(image, disk)
    await write(image, disk)
    expect((await readFile(disk.file)).equals(image.bytes)).toBe(true)
  })

  it.each([1, 2, 3])('that has only %d MiB', async (mebibytes) => {
    const [image, disk] = [await toyImage(mebibytes), await loopDisk(mebibytes * MIB)]
    await write(image, disk)
    expect((await readFile(disk.file)).equals(image.bytes)).toBe(true)
  })

  it('with sectors of 4096 bytes', async () => {
    const image = await addLargeTable(await toyImage(5))
    const disk = await loopDisk(9 * MIB, '--sector-size', '4096')
    await write(image, disk)
    const found = await readFile(disk.file)
    expect(found.subarray(0, 5 * MIB).equals(image.bytes)).toBe(true)
  })

  it('from a disk that it was written to; there what follows is left out', async () => {
    const [image, first] = [await toyImage(5), await loopDisk(9 * MIB)]
    await write(image, first)
    const second = await loopDisk(6 * MIB)
    await write({ ...image, path: first.device }, second)
    const found = await readFile(second.file)
    expect(found.subarray(0, 5 * MIB).equals(image.bytes)).toBe(true)
    expect(found.subarray(5 * MIB).every((byte) => byte === 0xff)).toBe(true)
  })

  it('its beginning last: until then nothing starts from the disk', async () => {
    const [image, disk] = [await toyImage(40), await loopDisk(40 * MIB)]
    const seen: [bytes: number, isErased: boolean][] = []
    await write(image, disk, {
      onPart: (part) => part === 'write' || administer('blockdev', '--flushbufs', disk.device),
      onBytes: (bytes, part) => {
        if (part !== 'write') return
        const head = administer('sh', '-c', `head -c ${MIB} "${disk.file}" | tr -d '\\0' | wc -c`)
        seen.push([bytes, head === '0'])
      },
    })
    expect(seen).toEqual([
      [32 * MIB, true],
      [38 * MIB, true],
      [40 * MIB, false],
    ])
  })
})

describe('an error says what the disk holds:', () => {
  it('the disk is full before its size says so', async () => {
    const image = await toyImage(8)
    const folder = mountAt(await temporaryFolder(), '-t', 'tmpfs', '-o', 'size=4m', 'none')
    const file = `${folder}/disk`
    administer('truncate', '--size', String(8 * MIB), file)
    const disk = loopOf(file)
    const { code, message } = await failure(image, disk)
    expect(code).toBe('disk-failed')
    expect(message).toMatch(/at byte \d+: .*; the disk holds a part of the image, and nothing/)
    await expectErased(disk)
  })

  it('the disk is unplugged at the beginning', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const { code, message } = await failure(image, disk, { onPart: () => resize(disk, 0) })
    expect(code).toBe('disk-failed')
    expect(message).toContain('may be as it was, or its beginning is erased')
  })

  it('the disk is unplugged half-way', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const { code, message } = await failure(image, disk, { onBytes: () => resize(disk, 2 * MIB) })
    expect(code).toBe('disk-failed')
    expect(message).toContain(`at byte ${4 * MIB}`)
    expect(message).toContain('holds a part of the image')
    await expectErased(disk)
  })

  it('the disk is unplugged while it is read back', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const { code, message } = await failure(image, disk, {
      onPart: (part) => part === 'read back' && resize(disk, 2 * MIB),
    })
    expect(code).toBe('disk-failed')
    expect(message).toContain(`Cannot read back "${disk.device}" at byte ${2 * MIB}`)
    expect(message).toContain('holds the image, and was not read back')
  })

  it('the disk gives back another byte', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const { code, message } = await failure(image, disk, {
      onPart: (part) => {
        if (part === 'read back')
          administer('sh', '-c', `printf x | dd of=${disk.file} bs=1 seek=3333333 conv=notrunc`)
      },
    })
    expect(code).toBe('disk-read-back')
    expect(message).toContain('byte 3333333 ')
  })

  it.each([
    ['write', 'holds a part of the image', true],
    ['read back', 'holds the image, and was not read back', false],
  ] as const)('interrupted at "%s"', async (wanted, words, isErased) => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const stop = new AbortController()
    const watch: Watch = { onPart: (part) => part === wanted && stop.abort() }
    const { code, message } = await failure(image, disk, watch, stop)
    expect(code).toBe('write-interrupted')
    expect(message).toContain(words)
    if (isErased) await expectErased(disk)
    else expect((await readFile(disk.file)).subarray(0, 5 * MIB).equals(image.bytes)).toBe(true)
  })

  it('interrupted before: the disk is as it was', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const stop = new AbortController()
    const watch: Watch = { beforehand: () => stop.abort() }
    const { code, message } = await failure(image, disk, watch, stop)
    expect(code).toBe('write-interrupted')
    expect(message).toContain('the disk is as it was')
    expect((await readFile(disk.file)).every((byte) => byte === 0xff)).toBe(true)
  })

  it.each([
    [
      'changes',
      (path: string) =>
        administer('sh', '-c', `printf x | dd of=${path} bs=1 seek=4444444 conv=notrunc`),
    ],
    ['is cut', (path: string) => administer('truncate', '--size', String(2 * MIB), path)],
  ])('the image %s meanwhile', async (_, change) => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const { code } = await failure(image, disk, { beforehand: () => change(image.path) })
    expect(code).toBe('image-changed')
    await expectErased(disk)
  })

  it('the image is gone: the disk is as it was', async () => {
    const [image, disk] = [await toyImage(5), await loopDisk(6 * MIB)]
    const watch: Watch = { beforehand: () => administer('rm', image.path) }
    await expect(write(image, disk, watch)).rejects.toMatchObject({ code: 'image-changed' })
    expect((await readFile(disk.file)).every((byte) => byte === 0xff)).toBe(true)
  })

  it.each(['another disk has its name', 'it was mounted'])('%s', async (what) => {
    const [image, disk] = [await toyImage(5), await loopDisk(9 * MIB)]
    const other = `${disk.file}-other`
    await appendFile(other, Buffer.alloc(9 * MIB, 0xee))
    administer('mkfs.ext4', '-q', '-F', disk.device)
    const { code } = await failure(image, disk, {
      beforehand: () => {
        if (what === 'it was mounted') return mountAt(`${disk.file}/..`, disk.device)
        administer('losetup', '--detach', disk.device)
        return administer('losetup', disk.device, other)
      },
    })
    expect(code).toBe(what === 'it was mounted' ? 'disk-busy' : 'disk-changed')
    expect((await readFile(other)).every((byte) => byte === 0xee)).toBe(true)
  })
})
