import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import {
  administer,
  loopDisk,
  mountAt,
  mountNew,
  resize,
  withoutLoops,
  withoutPrograms,
  type Loop,
} from '../../support/loops.ts'
import { CHECKOUT, IMAGE, toyKit, type ToyKit } from '../../support/kits.ts'
import { digestsBelow } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const MIB = 1 << 20
/** A file of one block. */
const SHORT = 'data/sources/tool_1.0'
const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')
const PLACE = ['--medium', 'usb', '--place', 'here']

/** Runs the command line with a store of its own. */
async function archive(...words: readonly string[]): Promise<{ code: number; said: string }> {
  const store = join(await temporaryFolder(), 'store')
  const { exitCode, all } = await execa(
    process.execPath,
    [MAIN, '--store', store, 'archive', ...words],
    { reject: false, all: true, stdin: 'ignore' },
  )
  return { code: exitCode ?? -1, said: all }
}

function verify(kit: string): number | null {
  return spawnSync('sh', [join(kit, 'verify.sh')], { stdio: 'ignore' }).status
}

async function spoil(path: string, at = 100): Promise<void> {
  const bytes = await readFile(path)
  bytes[at]! ^= 1
  await writeFile(path, bytes)
}

/** A disk with a copy of a small kit. */
async function onDisk(make: (device: string) => Promise<string>): Promise<{
  disk: Loop
  folder: string
  kit: string
  first: ToyKit
}> {
  const first = await toyKit()
  const disk = await loopDisk(40 * MIB)
  const folder = await make(disk.device)
  const kit = join(folder, 'kit')
  const { code, said } = await archive('add-copy', first.folder, kit, ...PLACE)
  expect(said).toMatch(/read back, [\d.]+ kB/)
  expect(code).toBe(0)
  return { disk, folder, kit, first }
}

beforeEach(({ skip }) => {
  const reason = withoutLoops() ?? withoutPrograms('mkfs.ext4')
  skip(reason !== undefined, reason)
})

describe('a kit on a disk with FAT', () => {
  beforeEach(({ skip }) => {
    const reason = withoutPrograms('mkfs.fat')
    skip(reason !== undefined, reason)
    skip(!/\bvfat$/m.test(readFileSync('/proc/filesystems', 'utf8')), 'the kernel has no FAT')
  })

  const mountFat = async (device: string): Promise<string> => {
    administer('mkfs.fat', device)
    return mountAt(await temporaryFolder(), device)
  }

  it('is checked, repaired and copied, though there are neither modes nor links', async () => {
    const { kit, folder, first } = await onDisk(mountFat)
    expect(await checkKit(kit)).toMatchObject({ id: first.id, faults: [] })
    expect(verify(kit)).toBe(0)
    await spoil(join(kit, IMAGE))
    await rm(join(kit, SHORT))
    expect(verify(kit)).toBe(1)
    expect(await archive('repair', kit)).toMatchObject({ code: 0 })
    expect(await checkKit(kit)).toMatchObject({ id: first.id, faults: [] })
    expect((await readdir(join(kit, 'damaged/1/data/images'))).length).toBe(1)
    await spoil(join(kit, IMAGE))
    const other = join(folder, 'other')
    expect(await archive('repair', kit, '--to', other)).toMatchObject({ code: 0 })
    const back = join(await temporaryFolder(), 'back')
    expect(await archive('add-copy', other, back, ...PLACE)).toMatchObject({ code: 0 })
    expect(await checkKit(back)).toMatchObject({ id: first.id, faults: [] })
  })
})

describe('a kit on a read-only disk', () => {
  it('is checked, copied, and repaired to another folder only', async () => {
    const { kit, folder, first } = await onDisk(mountNew)
    await spoil(join(kit, IMAGE))
    administer('mount', '-o', 'remount,ro', folder)
    const checked = await archive('check', kit)
    expect(checked).toMatchObject({ code: 8 })
    expect(checked.said).toContain(IMAGE)
    const refused = await archive('repair', kit)
    expect(refused.said).toContain('read-only')
    expect(refused.code).toBe(6)
    const to = join(await temporaryFolder(), 'whole')
    expect(await archive('repair', kit, '--to', to)).toMatchObject({ code: 0 })
    expect(await checkKit(to)).toMatchObject({ id: first.id, faults: [] })
    expect(await archive('status', kit)).toMatchObject({ code: 8 })
  })

  it('has no note of a copy that is made of it', async () => {
    const { kit, folder } = await onDisk(mountNew)
    administer('mount', '-o', 'remount,ro', folder)
    const to = join(await temporaryFolder(), 'copy')
    const copied = await archive('add-copy', kit, to, ...PLACE)
    expect(copied).toMatchObject({ code: 0 })
    expect(copied.said).toContain('is read-only, so it has no note of the copy')
  })
})

describe('a disk that is full', () => {
  it('keeps a repair from beginning, and the kit as it was', async () => {
    const { kit, folder, first } = await onDisk(mountNew)
    await spoil(join(kit, IMAGE))
    const before = await digestsBelow(kit)
    const fill = spawnSync('dd', ['if=/dev/zero', `of=${join(folder, 'filler')}`, 'bs=4k'])
    expect(fill.status).toBe(1)
    const full = await archive('repair', kit)
    expect(full.said).toContain('disk is full')
    expect(full.code).toBe(6)
    const after = await digestsBelow(kit)
    delete after['checks/log.tsv']
    delete before['checks/log.tsv']
    expect(after).toEqual(before)
    await rm(join(folder, 'filler'))
    expect(await archive('repair', kit)).toMatchObject({ code: 0 })
    expect(await checkKit(kit)).toMatchObject({ id: first.id, faults: [] })
  })

  it('gets no copy, nor a part of one', async () => {
    const { folder, first } = await onDisk(mountNew)
    spawnSync('dd', ['if=/dev/zero', `of=${join(folder, 'filler')}`, 'bs=4k'])
    const full = await archive('add-copy', first.folder, join(folder, 'copy'), ...PLACE)
    expect(full.said).toContain('disk is full')
    expect(full.code).toBe(6)
    expect((await readdir(folder)).sort()).toEqual(['filler', 'kit', 'lost+found'])
  })
})

describe('a disk that is unplugged', () => {
  it('is named as such; a kit elsewhere takes no harm', async () => {
    const { disk, folder, kit, first } = await onDisk(mountNew)
    await writeFile('/proc/sys/vm/drop_caches', '3')
    resize(disk, 0)
    const checked = await archive('check', kit)
    expect(checked.said).toMatch(/unreadable|the disk or device fails/)
    expect(checked.said).not.toMatch(/bug|at file:|TypeError/)
    expect([6, 8]).toContain(checked.code)
    const parent = await temporaryFolder()
    const copied = await archive('add-copy', kit, join(parent, 'copy'), ...PLACE)
    expect([6, 8]).toContain(copied.code)
    expect(await readdir(parent)).toEqual([])
    // The unplugged disk as one of several copies, and as the place of a new one.
    await spoil(join(first.folder, IMAGE))
    // What of its folders is still in memory decides whether it is asked at all.
    const beside = await archive('repair', first.folder, '--from', kit)
    expect(beside.said).toMatch(/the disk or device fails|1 file repaired/)
    expect([0, 6]).toContain(beside.code)
    expect(await archive('repair', first.folder)).toMatchObject({ code: 0 })
    expect(await checkKit(first.folder)).toMatchObject({ id: first.id, faults: [] })
    const onto = await archive('add-copy', first.folder, join(folder, 'second'), ...PLACE)
    expect(onto.said).not.toMatch(/bug|at file:|TypeError/)
    expect(onto.code).toBe(6)
    expect(await checkKit(first.folder)).toMatchObject({ id: first.id, faults: [] })
  })

  it('as it is written to leaves the kit that is copied whole', async () => {
    const first = await toyKit()
    const disk = await loopDisk(40 * MIB)
    const folder = await mountNew(disk.device)
    resize(disk, 0)
    await mkdir(join(folder, 'new')).catch(() => undefined)
    const copied = await archive('add-copy', first.folder, join(folder, 'copy'), ...PLACE)
    expect(copied.said).not.toMatch(/bug|at file:|TypeError/)
    expect(copied.code).toBe(6)
    expect(await checkKit(first.folder)).toMatchObject({ id: first.id, faults: [] })
  })
})
