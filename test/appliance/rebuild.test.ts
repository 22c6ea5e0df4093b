import { describe, expect, it } from 'vitest'
import { storedImage } from '../support/image.ts'
import { atPrompt, dataDisk, type } from '../support/guest.ts'

const image = (await storedImage('appliance')) ?? ''

const MINUTES = 60_000

describe('fixpoint rebuild in the appliance', () => {
  it(
    'makes single recipes again to the same bytes, going on where the power went off',
    async () => {
      const disks = [await dataDisk()]
      const options = { image, memory: '4G', disks }
      // m4's configure asks a great deal about the system that it runs on.
      const command = 'fixpoint rebuild --only zlib,bzip2,m4'
      const done = await atPrompt(options, async (machine) => {
        expect((await type(machine, 'data create vdb')).text).toMatch(/data {2,}disk \/dev\/vdb, \d+ MiB free/)
        machine.type(`${command}\n`)
        const [, first] = await machine.expect(/built (base\/\w+) in/, { timeoutMs: 20 * MINUTES })
        return first
      })
      await atPrompt(options, async (machine) => {
        const said = await type(machine, command, { timeoutMs: 40 * MINUTES })
        expect(said.good, said.text).toBe(true)
        for (const name of ['zlib', 'bzip2', 'm4'])
          expect(said.text).toMatch(new RegExp(`base/${name} [0-9a-f]{64}: identical`))
        expect(said.text).toMatch(/run: 3, [12] of them before this rebuild was interrupted\n/)
        expect(said.text).not.toContain(`built ${String(done)} in`)
        expect(said.text).toMatch(/rebuilt: 0\.\d % of the \d+ bytes/)
      })
    },
    70 * MINUTES,
  )

  it(
    'assembles the image again from what is installed, to the bytes of the disk it runs from',
    async () => {
      await atPrompt({ image, memory: '4G', disks: [await dataDisk()] }, async (machine) => {
        expect(await type(machine, 'data create vdb')).toMatchObject({ good: true })
        const said = await type(machine, 'fixpoint rebuild --only appliance', { timeoutMs: 80 * MINUTES })
        expect(said.good, said.text).toBe(true)
        expect(said.text).toMatch(/system\/appliance [0-9a-f]{64}: identical to \/dev\/vda\n/)
        expect(said.text).toMatch(/run: 1\n/)
      })
    },
    90 * MINUTES,
  )
})
