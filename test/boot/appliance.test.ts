import { beforeEach, describe, expect, it } from 'vitest'
import type { BootOptions } from '../../qemu/boot.ts'
import { atPrompt, coloursOnScreen, press, SOCKETS, type, withData } from '../support/guest.ts'
import { storedImage } from '../support/image.ts'

const image = (await storedImage('appliance')) ?? ''

type Bus = NonNullable<BootOptions['disk']>

const BUSES: readonly Bus[] = ['virtio', 'ahci', 'nvme', 'usb']
const WAYS = (['bios', 'uefi'] as const).flatMap((firmware) =>
  BUSES.map((disk) => ({ firmware, disk })),
)

describe('the appliance', () => {
  beforeEach(({ skip }) => {
    skip(image === '', 'the store holds no image of these recipes: make appliance')
  })

  it.each(WAYS)(
    'boots by $firmware from $disk with 1 GiB, and says what it is',
    async ({ firmware, disk }) => {
      await atPrompt({ image, firmware, disk, memory: '1G' }, async (machine) => {
        const { text } = await type(machine, 'cat /run/issue')
        expect(text).toMatch(/root id {2,}[0-9a-f]{64}/)
        expect(text).toMatch(/sources {2,}\/mirror, \d+ files/)
        expect(text).toMatch(/data {2,}in memory/)
        for (const command of ['fixpoint rebuild', 'fixpoint build', 'data create'])
          expect(text).toContain(command)
        // grep finds no line.
        expect(await type(machine, SOCKETS)).toMatchObject({ good: false })
        await press(machine, 'touch /tmp/pressed\n')
        expect(await type(machine, 'until [ -e /tmp/pressed ]; do sleep 1; done')).toMatchObject({
          good: true,
        })
        expect(await coloursOnScreen(machine)).toBeGreaterThan(1)
      })
    },
  )

  it('says that a rebuild takes more memory than 1 GiB', async () => {
    await atPrompt({ image, memory: '1G' }, async (machine) => {
      const { good, text } = await type(machine, 'fixpoint rebuild')
      expect(good).toBe(false)
      expect(text).toMatch(
        /Cannot rebuild here: building \S+ takes \d+ MiB of memory, this machine has \d+ MiB/,
      )
    })
  })

  // The short form; test/appliance has the long one.
  it('builds a recipe again from what is installed, to the same bytes', async () => {
    await withData({ image, memory: '2G' }, async (machine) => {
      const { good, text } = await type(machine, 'fixpoint rebuild --only bubblewrap', {
        timeoutMs: 280_000,
      })
      expect(good, text).toBe(true)
      expect(text).toMatch(/runtime\/bubblewrap [0-9a-f]{64}: identical\nrun: 1\n/)
    })
  })
})
