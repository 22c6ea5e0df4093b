import { appendFile, cp, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'

/** A kit as the first version made it. It stands for those that people keep: never make it anew. */
const KEPT = join(CHECKOUT, 'test/data/kit-1')
const ID = '9f1eccfa04a465376be9a887c5cdcb7d04d0a62a1a1bc7c54a666a7a2faa6846'
const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')

it('a kit of the first version is whole, by this engine and by its own verify.sh', async () => {
  expect(await checkKit(KEPT)).toMatchObject({ id: ID, faults: [] })
  const { stdout } = await execa('sh', [join(KEPT, 'verify.sh')], { env: { KIT_ID: ID } })
  expect(stdout).toContain('faults: 0')
})

it('this engine repairs a kit of the first version', async () => {
  const kit = join(await temporaryFolder(), 'kit')
  await cp(KEPT, kit, { recursive: true })
  await rm(join(kit, 'data/sources/tool_1.0'))
  await appendFile(join(kit, 'data/tools/fixpoint'), 'x')
  await truncate(join(kit, 'manifest-sha256.txt'), 0)
  expect((await checkKit(kit)).faults).not.toEqual([])
  const store = await temporaryFolder()
  const args = [MAIN, '--store', store, 'archive', 'repair', kit]
  const { exitCode, stderr } = await execa(process.execPath, args, { reject: false })
  expect([exitCode, stderr]).toEqual([0, expect.any(String)])
  expect(await checkKit(kit)).toMatchObject({ id: ID, faults: [] })
})
