import { execFileSync } from 'node:child_process'
import { stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { BootOptions } from '../../qemu/boot.ts'
import { atPrompt, coloursOnScreen, press, SOCKETS, type, withData } from '../support/guest.ts'
import { storedImage } from '../support/image.ts'
import { temporaryFolder } from '../support/temporary.ts'

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

  it('finds its sources, and room for data, on a disk with sectors of 4096 bytes', async () => {
    const large = join(await temporaryFolder(), 'large.img')
    execFileSync('cp', ['--sparse=always', '--reflink=auto', image, large])
    await truncate(large, (await stat(large)).size + 2 ** 30)
    const disk = { image: large, firmware: 'uefi', disk: 'nvme', sector: 4096 } as const
    await atPrompt({ ...disk, writable: true }, async (machine) => {
      const { text } = await type(
        machine,
        'cat /run/issue; cat /sys/block/*/queue/logical_block_size',
      )
      expect(text).toMatch(/^4096$/m)
      expect(text).toMatch(/sources {2,}\/mirror, \d+ files/)
      expect(text).toMatch(/data {2,}behind the image on its disk, \d+ MiB free/)
    })
  })

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
