import { cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import { repairKit, type KitRepair } from '../../../src/archive/repair/repair.ts'
import { makeToyKit, PAYLOAD } from '../../support/kit.ts'
import { CHECKOUT, toyKit } from '../../support/kits.ts'
import { digestsBelow, noise } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const TEN = 10 * 1024

function repair(kit: string): Promise<KitRepair> {
  const { signal } = new AbortController()
  const sources = { from: [], mirrors: [], blobPath: async () => undefined }
  return repairKit({ kit, ...sources, to: undefined, dryRun: false, signal })
}

/** A kit with the parity of one that has another source. */
async function mixedUp(): Promise<{ kit: string; whole: Record<string, string> }> {
  const [kit, other] = [join(await temporaryFolder(), 'kit'), await temporaryFolder()]
  await cp((await toyKit()).folder, kit, { recursive: true })
  await makeToyKit(other, [...PAYLOAD, ['data/sources/three.tar', noise(TEN, 9)]])
  const whole = await digestsBelow(kit)
  await rm(join(kit, 'parity'), { recursive: true })
  await cp(join(other, 'parity'), join(kit, 'parity'), { recursive: true })
  return { kit, whole }
}

it('parity of another kit is a fault of a kit that is as its lists say', async () => {
  const { kit } = await mixedUp()
  expect((await checkKit(kit)).faults).toEqual([
    { kind: 'useless', path: 'parity', reason: 'it is that of another kit' },
  ])
})

it('parity of another kit repairs nothing, and moves nothing aside', async () => {
  const { kit } = await mixedUp()
  const before = await digestsBelow(kit)
  await expect(repair(kit)).rejects.toMatchObject({ code: 'kit-refused' })
  expect(await digestsBelow(kit)).toEqual(before)
})

it('parity is made again, to the same bytes, where its folder is gone', async () => {
  const { kit, whole } = await mixedUp()
  await rm(join(kit, 'parity'), { recursive: true })
  expect((await checkKit(kit)).faults).toEqual([{ kind: 'missing', path: 'parity' }])
  expect((await repair(kit)).steps).toEqual([
    { path: 'parity/SHA256SUMS', fault: 'missing', means: 'again', place: '' },
  ])
  expect(await digestsBelow(kit)).toEqual(whole)
})

it.each([
  ['no recovery block', (name: string) => name.includes('.vol'), 'it holds no recovery block'],
  ['nothing at all', () => true, 'Cannot use parity: no intact main packet is there'],
])('parity of noise with a right list is a fault: %s', async (_, isNoise, reason) => {
  const { folder } = await toyKit()
  const parity = join(folder, 'parity')
  for (const name of await readdir(parity))
    if (name.endsWith('.par2') && isNoise(name)) await writeFile(join(parity, name), noise(TEN, 5))
  await execa('sh', ['-c', 'sha256sum -- *.par2 > SHA256SUMS'], { cwd: parity })
  expect((await checkKit(folder)).faults).toEqual([{ kind: 'useless', path: 'parity', reason }])
  // Which digests alone do not show.
  const { exitCode } = await execa('sh', [join(CHECKOUT, 'src/archive/kit/verify.sh'), folder])
  expect(exitCode).toBe(0)
})
