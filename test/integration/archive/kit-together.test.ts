import { once } from 'node:events'
import { spawn, type ChildProcess } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import { copyKit } from '../../../src/archive/kit/copy.ts'
import { makeAlone } from '../../../src/archive/make-alone.ts'
import { atChange } from '../../support/at-change.ts'
import { CHECKOUT, IMAGE, toyKit } from '../../support/kits.ts'
import { digestsBelow } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')
const PLACE = ['--medium', 'usb', '--place', 'here']
const { signal } = new AbortController()

/** Starts the command line with a store of its own. */
async function start(...words: readonly string[]): Promise<ChildProcess> {
  const store = join(await temporaryFolder(), 'store')
  return spawn(process.execPath, [MAIN, '--store', store, 'archive', ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
}

/** Sends a signal, as a terminal does, once something changes below a folder. */
async function endAtChange(
  child: ChildProcess,
  folder: string,
  change: number,
  by: NodeJS.Signals,
): Promise<{ code: number | null; said: string }> {
  const endLook = atChange(folder, change, () => {
    process.kill(-child.pid!, by)
  })
  const said = text(child.stderr!)
  const [code] = (await once(child, 'close')) as [number | null]
  endLook()
  return { code, said: await said }
}

async function spoil(path: string): Promise<void> {
  const bytes = await readFile(path)
  bytes[20_000]! ^= 1
  await writeFile(path, bytes)
}

describe.each(['SIGINT', 'SIGKILL'] as const)('%s', (by) => {
  it.each([1, 4, 9, 15])('at change %d leaves a whole copy or none', async (change) => {
    const { folder, id } = await toyKit()
    const parent = await temporaryFolder()
    const to = join(parent, 'copy')
    const child = await start('add-copy', folder, to, ...PLACE)
    const { code, said } = await endAtChange(child, parent, change, by)
    if (by === 'SIGINT') {
      expect([0, 130]).toContain(code)
      expect(said).not.toContain('error:')
      // Nothing under another name either.
      expect(await readdir(parent)).toEqual(code === 0 ? ['copy'] : [])
    }
    if (!(await readdir(parent)).includes('copy'))
      await copyKit({
        ...{ kit: folder, to, label: '', medium: 'usb', place: 'here', day: '2026-11-27' },
        ...{ signal, onPart: () => undefined },
      })
    expect(await checkKit(to)).toMatchObject({ id, faults: [] })
    expect(await checkKit(folder)).toMatchObject({ id, faults: [] })
    expect(await readdir(parent)).toEqual(['copy'])
  })

  it.each([1, 3, 7, 12])('at change %d leaves a repair that the next one ends', async (change) => {
    const { folder, id } = await toyKit()
    const whole = await digestsBelow(folder)
    await spoil(join(folder, IMAGE))
    await rm(join(folder, 'parity/kit.par2'))
    const before = await digestsBelow(folder)
    const child = await start('repair', folder)
    const { code, said } = await endAtChange(child, folder, change, by)
    if (by === 'SIGINT') {
      expect([0, 130]).toContain(code)
      expect(said).not.toContain('error:')
    }
    const after = await digestsBelow(folder)
    for (const path of Object.keys(whole))
      expect([whole[path], before[path]], path).toContain(after[path])
    const next = await start('repair', folder)
    expect(await once(next, 'close')).toEqual([0, null])
    expect(await checkKit(folder)).toMatchObject({ id, faults: [] })
  })
})

describe('two at once', () => {
  it('do not make one folder: the second says so, and the first is whole', async () => {
    const { folder, id } = await toyKit()
    const parent = await temporaryFolder()
    const to = join(parent, 'copy')
    const note = { label: '', medium: 'usb', place: 'here', day: '2026-11-27' }
    const copies = await Promise.allSettled(
      [1, 2].map(() => copyKit({ ...note, kit: folder, to, signal, onPart: () => undefined })),
    )
    const codes = copies.map((one) =>
      one.status === 'fulfilled' ? one.value.id : (one.reason as { code: string }).code,
    )
    expect(codes).toContain(id)
    expect(['kit-busy', 'kit-there']).toContain(codes.find((code) => code !== id))
    expect(await checkKit(to)).toMatchObject({ id, faults: [] })
    expect(await readdir(parent)).toEqual(['copy'])
  })

  it('are told of while the first runs, and no longer', async () => {
    const parent = await temporaryFolder()
    const options = { signal, check: async () => undefined }
    const target = join(parent, 'new')
    await makeAlone(target, options, async (part) => {
      await writeFile(join(part, 'one'), '')
      await expect(makeAlone(target, options, async () => undefined)).rejects.toMatchObject({
        code: 'kit-busy',
      })
    })
    expect(await readdir(target)).toEqual(['one'])
    await makeAlone(join(parent, 'other'), options, async () => undefined)
  })

  it('checks of one kit both note what they found', async () => {
    const { folder } = await toyKit()
    const runs = await Promise.all(
      [1, 2, 3].map(() => execa(process.execPath, [MAIN, 'archive', 'check', folder])),
    )
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    const log = (await readFile(join(folder, 'checks/log.tsv'), 'utf8')).trimEnd().split('\n')
    expect(log[0]).toBe('day\tfaults')
    expect(log).toHaveLength(4)
  })
})
