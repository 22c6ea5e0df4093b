import { execa } from 'execa'
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import { copyKit, type CopyRequest, type KitCopy } from '../../../src/archive/kit/copy.ts'
import { noteCheck, notedChecks, notedCopies } from '../../../src/archive/kit/records.ts'
import { kitStatus, warningsOf } from '../../../src/archive/kit/status.ts'
import { digestOf } from '../../../src/base/digest.ts'
import { onSmallDisk } from '../../support/cli.ts'
import { CHECKOUT, IMAGE, toyKit } from '../../support/kits.ts'
import { digestsBelow } from '../../support/parity.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

const NOTE = { day: '2026-11-27', label: 'blue disk', medium: 'usb', place: 'at home' }
const ID = digestOf('a kit')

function copy(kit: string, to: string, change: Partial<CopyRequest> = {}): Promise<KitCopy> {
  const { signal } = new AbortController()
  return copyKit({ ...NOTE, kit, to, signal, onPart: () => undefined, ...change })
}

describe('a copy of a kit', () => {
  it('has the same files, and both kits have a note of it', async () => {
    const { folder, id } = await toyKit()
    const before = await digestsBelow(folder)
    const to = join(await temporaryFolder(), 'deep', 'copy')
    expect(await copy(folder, to)).toMatchObject({ id, isNoted: true })
    expect((await checkKit(to)).faults).toEqual([])
    await rm(join(to, 'checks'), { recursive: true })
    expect(await digestsBelow(to)).toEqual(before)
    expect(await notedCopies(folder)).toEqual([{ ...NOTE, id }])
  })

  it('is not made of a kit with faults, nor over anything', async () => {
    const { folder } = await toyKit()
    const parent = await temporaryFolder()
    await writeFile(join(parent, 'mine'), '')
    await expect(copy(folder, join(parent, 'mine'))).rejects.toMatchObject({ code: 'kit-there' })
    await truncate(join(folder, IMAGE), 1)
    await expect(copy(folder, join(parent, 'copy'))).rejects.toMatchObject({ code: 'kit-damaged' })
    expect(await readdir(parent)).toEqual(['mine'])
  })

  it('that is interrupted leaves nothing under its name', async () => {
    const { folder } = await toyKit()
    const parent = await temporaryFolder()
    const stop = new AbortController()
    const onPart = (part: string): void => {
      if (part === 'copy it') stop.abort(new Error('enough'))
    }
    const copying = copy(folder, join(parent, 'copy'), { signal: stop.signal, onPart })
    await expect(copying).rejects.toThrow('enough')
    expect(await readdir(parent)).toEqual([])
    expect(await notedCopies(folder)).toEqual([])
  })

  it('does not come to be on a disk that is too small for it', async () => {
    const { folder } = await toyKit()
    const disk = await temporaryFolder()
    const wrap = onSmallDisk(disk, 1)
    // Fills all but a part of what the kit takes.
    const script = 'head -c 980000 /dev/zero > "$1/filled"; shift; exec "$@"'
    const main = join(CHECKOUT, 'dist/src/cli/main.js')
    const place = ['--medium', 'usb', '--place', 'here']
    const store = join(await temporaryFolder(), 'store')
    const command = ['archive', 'add-copy', folder, join(disk, 'copy'), ...place, '--store', store]
    const words = [...wrap, 'sh', '-c', script, 'sh', disk, process.execPath, main, ...command]
    const run = await execa(words[0] ?? '', words.slice(1), { reject: false })
    expect(run.stderr).toContain('the disk is full')
    expect(run.exitCode).toBe(6)
    expect(await notedCopies(folder)).toEqual([])
  })
})

describe('records of a kit', () => {
  it.each(['link', 'fifo', 'folder'])('are not written to a %s in their place', async (kind) => {
    const { folder } = await toyKit()
    const outside = join(await temporaryFolder(), 'outside')
    await writeFile(outside, 'mine')
    await mkdir(join(folder, 'checks'))
    const log = join(folder, 'checks/log.tsv')
    if (kind === 'link') await symlink(outside, log)
    else if (kind === 'fifo') makeFifo(log)
    else await mkdir(log)
    expect(await noteCheck(folder, { day: NOTE.day, faults: 0 })).toBe(false)
    expect(await notedChecks(folder)).toEqual([])
    expect(await readFile(outside, 'utf8')).toBe('mine')
  })

  it('of a folder elsewhere are not followed', async () => {
    const { folder } = await toyKit()
    const outside = await temporaryFolder()
    await symlink(outside, join(folder, 'checks'))
    expect(await noteCheck(folder, { day: NOTE.day, faults: 0 })).toBe(false)
    expect(await readdir(outside)).toEqual([])
  })

  it('keep what a person wrote on one line, and pass over what is none of theirs', async () => {
    const { folder, id } = await toyKit()
    const to = join(await temporaryFolder(), 'copy')
    await copy(folder, to, { place: 'a\tplace\nwith lines' })
    await writeFile(join(folder, 'checks/copies.tsv'), `nonsense\n${'\t'.repeat(9)}\n`, {
      flag: 'a',
    })
    expect(await notedCopies(folder)).toEqual([
      { ...NOTE, id, place: 'a\\x09place\\x0awith lines' },
    ])
    await noteCheck(folder, { day: '2026-01-01', faults: 3 })
    await noteCheck(folder, { day: '2026-11-27', faults: 0 })
    expect((await kitStatus(folder, '2026-11-28')).lastCheck).toEqual({
      day: '2026-11-27',
      faults: 0,
    })
  })
})

const elsewhere = { ...NOTE, id: ID, medium: 'lto', place: 'at work' }
const here = { ...NOTE, id: ID }
const good = { day: '2026-11-27', faults: 0 }

it.each([
  ['enough', [here, elsewhere], good, '2027-11-27', []],
  ['two copies in all', [here], good, '2027-01-01', ['2 copies', '1 medium', '1 place']],
  ['one medium', [here, { ...elsewhere, medium: 'usb' }], good, '2027-01-01', ['1 medium']],
  ['one place', [here, { ...elsewhere, place: 'at home' }], good, '2027-01-01', ['1 place']],
  ['an old check', [here, elsewhere], good, '2027-11-29', ['last checked 367 days']],
  ['no check', [here, elsewhere], undefined, '2027-01-01', ['never']],
  ['faults', [here, elsewhere], { ...good, faults: 2 }, '2027-01-01', ['the last check']],
] as const)('the status warns of what is too little: %s', (_, copies, check, day, warnings) => {
  const found = warningsOf(copies, check, day)
  expect(found).toHaveLength(warnings.length)
  for (const [at, warning] of warnings.entries()) expect(found[at]).toContain(warning)
})
