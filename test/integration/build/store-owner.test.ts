import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { requireOwnStore } from '../../../src/build/store-owner.ts'
import { commandLine } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const toy = commandLine()

/** An ordinary user, who need not be listed. */
const OTHER = 54_321

describe.runIf(process.getuid?.() === 0)('root on the store of another user', () => {
  test('runs nothing there, and is told whose it is; what is stored can be had', async () => {
    const { store, run } = await toy()
    expect((await run('build', 'alpha')).code).toBe(0)
    await execa('chown', ['-R', String(OTHER), store])
    expect((await run('build', 'alpha')).code).toBe(0)
    for (const words of [
      ['build', 'beta'],
      ['shell', 'alpha', 'true'],
    ]) {
      const { code, stderr } = await run(...words)
      expect(code, stderr).toBe(6)
      expect(stderr).toContain(`"${store}"`)
      expect(stderr).toContain(String(OTHER))
    }
  })

  test.each([
    ['that is closed', 0o700, 'store-owner'],
    ['that is open', 0o701, undefined],
  ])('below a folder of theirs %s', async (_, mode, code) => {
    const home = await temporaryFolder()
    const store = join(home, 'cache/store')
    await mkdir(store, { recursive: true, mode: 0o700 })
    await chown(home, OTHER, OTHER)
    await chmod(home, mode)
    const reason: unknown = await requireOwnStore(store).catch((error: unknown) => error)
    expect((reason as { code?: string } | undefined)?.code).toBe(code)
  })
})
