import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import { atChange } from '../../support/at-change.ts'
import { kitProcess } from '../../support/kits.ts'
import { temporaryFolder } from '../../support/temporary.ts'

it.each([1, 3, 6, 10, 15, 21, 28, 36, 45, 55])(
  'a run that is killed at change %d leaves a whole kit or none; the next one makes it',
  async (change) => {
    const parent = await temporaryFolder()
    const kit = join(parent, 'kit')
    const { args } = await kitProcess('createKit', kit)
    const endLook = atChange(parent, change, () => {
      child.kill('SIGKILL')
    })
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    const [code] = (await once(child, 'close')) as [number | null]
    endLook()
    expect([0, null]).toContain(code)
    if ((await readdir(parent)).includes('kit'))
      expect(await checkKit(kit)).toMatchObject({ faults: [] })
    else {
      // On the same store, whose lock says that the first one is gone.
      const [again] = (await once(spawn(process.execPath, args), 'close')) as [number | null]
      expect(again).toBe(0)
      expect(await checkKit(kit)).toMatchObject({ faults: [] })
    }
    expect(await readdir(parent)).toEqual(['kit'])
  },
)
