import { describe, expect, it } from 'vitest'
import { storedImage } from '../support/image.ts'
import { atPrompt, dataDisk, type, withData } from '../support/guest.ts'

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
        expect((await type(machine, 'data create vdb')).text).toMatch(
          /data {2,}disk \/dev\/vdb, \d+ MiB free/,
        )
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
    'names a planted change: a byte of what is installed, a flag of a recipe',
    async () => {
      await withData({ image }, async (machine) => {
        const layers = `cd /data
mkdir -p layers/planted/zlib
cat > layers/layers.yaml <<'end'
include: /usr/lib/fixpoint/layers/layers.yaml
layers: [planted]
end
cat > layers/planted/zlib/amend.yaml <<'end'
amends: base/zlib
set:
  env:
    CFLAGS: -O1
end`
        expect(await type(machine, layers)).toMatchObject({ good: true })
        const patience = { timeoutMs: 20 * MINUTES }
        const flag = await type(
          machine,
          'fixpoint --layers layers/layers.yaml rebuild --only zlib',
          patience,
        )
        expect(flag.good, flag.text).toBe(false)
        expect(flag.text).toMatch(/base\/zlib: "usr\/lib\/libz\.a": .*; 1 entries differ/)

        const byte = `cp /usr/lib/libz.a /tmp/libz.a
printf X | dd of=/tmp/libz.a bs=1 seek=70000 conv=notrunc
mount --bind /tmp/libz.a /run/installed/usr/lib/libz.a`
        expect(await type(machine, byte)).toMatchObject({ good: true })
        const changed = await type(machine, 'fixpoint rebuild --only zlib', patience)
        expect(changed.good, changed.text).toBe(false)
        expect(changed.text).toMatch(
          /Cannot use what is installed of base\/zlib .*"usr\/lib\/libz\.a"/,
        )
      })
    },
    45 * MINUTES,
  )

  it(
    'assembles the image again from what is installed, to the bytes of the disk it runs from',
    async () => {
      await withData({ image }, async (machine) => {
        const said = await type(machine, 'fixpoint rebuild --only appliance', {
          timeoutMs: 80 * MINUTES,
        })
        expect(said.good, said.text).toBe(true)
        expect(said.text).toMatch(/system\/appliance [0-9a-f]{64}: identical to \/dev\/vda\n/)
        expect(said.text).toMatch(/run: 1\n/)
      })
    },
    90 * MINUTES,
  )
})
