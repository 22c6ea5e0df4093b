import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { atChange } from '../../support/at-change.ts'
import { BLOCK, IMAGE, makeToyKit } from '../../support/kit.ts'
import { digestsBelow } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'

const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')

async function newRuin(): Promise<{ kit: string; whole: Record<string, string> }> {
  const kit = join(await temporaryFolder(), 'kit')
  await mkdir(kit)
  await makeToyKit(kit)
  const whole = await digestsBelow(kit)
  const bytes = await readFile(join(kit, IMAGE))
  for (const block of [0, 9, 17, 31]) bytes[block * BLOCK]! ^= 1
  await writeFile(join(kit, IMAGE), bytes)
  await writeFile(join(kit, 'manifest-sha256.txt'), '')
  await rename(join(kit, 'data/sources/one.tar'), join(kit, 'data/one'))
  await rm(join(kit, 'parity/kit.par2'))
  return { kit, whole }
}

const own = (store: string): string[] => ['--store', store, 'archive', 'repair']

it.each([1, 2, 3, 4, 6, 8, 11, 14, 18, 23])(
  'a repair that is killed at change %d leaves nothing half, and the next one goes on',
  async (change) => {
    const { kit, whole } = await newRuin()
    const store = await temporaryFolder()
    const before = await digestsBelow(kit)
    const child = spawn(process.execPath, [MAIN, ...own(store), kit], { stdio: 'ignore' })
    const endLook = atChange(kit, change, () => {
      child.kill('SIGKILL')
    })
    await once(child, 'close')
    endLook()
    const after = await digestsBelow(kit)
    // Each file that a list names is as it was, or right; some file system has no moment between.
    for (const path of Object.keys(whole))
      expect([whole[path], before[path]], path).toContain(after[path])
    const { exitCode } = await execa(process.execPath, [MAIN, ...own(store), kit], {
      reject: false,
    })
    expect(exitCode).toBe(0)
    const end = Object.entries(await digestsBelow(kit))
    expect(Object.fromEntries(end.filter(([path]) => !/^damaged(\/|$)/.test(path)))).toEqual(whole)
    const check = await execa('sh', [join(CHECKOUT, 'src/archive/kit/verify.sh'), kit], {
      reject: false,
    })
    expect([check.exitCode, check.stdout]).toEqual([0, expect.stringContaining('faults: 0')])
    expect(end.some(([path]) => path.startsWith('damaged/new-'))).toBe(false)
  },
)
