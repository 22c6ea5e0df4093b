import { describe, expect, it } from 'vitest'
import { bootSession, type BootOptions } from '../../qemu/boot.ts'
import { type } from '../support/guest.ts'
import { storedImage } from '../support/image.ts'

const image = (await storedImage('appliance')) ?? ''

type Bus = NonNullable<BootOptions['disk']>

const BUSES: readonly Bus[] = ['virtio', 'ahci', 'nvme', 'usb']
const WAYS = (['bios', 'uefi'] as const).flatMap((firmware) => BUSES.map((disk) => ({ firmware, disk })))

describe.skipIf(image === '')('the appliance', () => {
  it.each(WAYS)('boots by $firmware from $disk with 1 GiB, and says what it is', async ({ firmware, disk }) => {
    const machine = await bootSession({ image, firmware, disk, memory: '1G' })
    try {
      await machine.expect('# ')
      const { text } = await type(machine, 'cat /run/issue')
      expect(text).toMatch(/root id {2,}[0-9a-f]{64}/)
      expect(text).toMatch(/sources {2,}\/mirror, \d+ files/)
      expect(text).toMatch(/data {2,}in memory/)
      for (const command of ['fixpoint rebuild', 'fixpoint build', 'data create']) expect(text).toContain(command)
      expect((await type(machine, 'netstat -lntuw | grep LISTEN')).good).toBe(false)
    } finally {
      await machine.kill()
    }
  })

  it('says that a rebuild takes more memory than 1 GiB', async () => {
    const machine = await bootSession({ image, memory: '1G' })
    try {
      await machine.expect('# ')
      const { good, text } = await type(machine, 'fixpoint rebuild')
      expect(good).toBe(false)
      expect(text).toMatch(/Cannot rebuild here: building \S+ takes \d+ MiB of memory, this machine has \d+ MiB/)
    } finally {
      await machine.kill()
    }
  })
})
