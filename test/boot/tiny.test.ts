import { stat } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { bootSession, type BootOptions } from '../../qemu/boot.ts'
import type { Session } from '../../qemu/session.ts'
import { coloursOnScreen, firstPrompt, press, SOCKETS } from '../support/guest.ts'
import { storedImage } from '../support/image.ts'

const image = await storedImage('tiny')

type Bus = NonNullable<BootOptions['disk']>

/**
 * What the screen must say of the root device: the third partition after those for BIOS and boot,
 * and the driver that tells the bus.
 */
const ROOTS: Readonly<Record<Bus, RegExp>> = {
  virtio: /^vda3 \(virtio/,
  ahci: /^sda3 \(ahci\)/,
  nvme: /^nvme0n1p3 \(nvme\)/,
  usb: /^sda3 \((usb-storage|uas)\)/,
}

const FIRMWARES = ['bios', 'uefi'] as const
const WAYS = FIRMWARES.flatMap((firmware) =>
  (Object.keys(ROOTS) as Bus[]).map((disk) => ({ firmware, disk })),
)

/**
 * Types on the keyboard until that has made a file. A keyboard keeps 16 codes only: on a busy
 * machine, the guest may read too late and lose some, or take a key for one held down. A person
 * would type the line again.
 */
async function reachByKeyboard(machine: Session): Promise<void> {
  for (let attempt = 1; attempt <= 4; attempt++) {
    await press(machine, '\ntouch /tmp/pressed\n')
    machine.type(
      'sleep 5; [ -e /tmp/pressed ] && echo keyboard "reached" || echo keyboard "missed"\n',
    )
    const [, outcome] = await machine.expect(/keyboard (reached|missed)/)
    if (outcome === 'reached') return
  }
  throw new Error('the keyboard does not reach the shell on the screen')
}

describe('tiny', () => {
  beforeEach(({ skip }) => {
    skip(image === undefined, 'the store holds no image of these recipes: make tiny')
  })

  it.each(WAYS)(
    'boots by $firmware from $disk, its root on that disk',
    async ({ firmware, disk }) => {
      const before = await stat(image ?? '')
      const machine = await bootSession({ image: image ?? '', firmware, disk })
      try {
        await firstPrompt(machine)
        machine.type('cat /run/issue\n')
        const [, id] = await machine.expect(/root id {2,}([0-9a-f]{64})/)
        const [, device] = await machine.expect(/root device {2,}\/dev\/(\S+ \(\S+\))/)
        expect(device).toMatch(ROOTS[disk])
        await machine.expect('# ')
        // Quotes in what is typed keep its echo from being taken for the answer.
        machine.type('[ -d /sys/firmware/efi ] && echo firm"ware uefi" || echo firm"ware bios"\n')
        await machine.expect(`firmware ${firmware}`)
        machine.type('sha256sum /usr/share/fixpoint/manifest.json\n')
        const [, actual] = await machine.expect(/([0-9a-f]{64}) {2}\/usr/)
        expect(actual).toBe(id)
        machine.type(`${SOCKETS} | wc -l; touch /x; echo do"ne"\n`)
        const [said] = await machine.expect(/\n0\s+touch: \/x: Read-only file system[\s\S]*done/)
        expect(said).toContain('Read-only')
        await machine.expect('# ')
        // Ctrl-C reaches what runs; a shell that ends is followed by one, and there is one for each
        // of screen and serial line. Printed by what is to be reached: only then does it have the
        // terminal.
        machine.type(`sh -c 'echo wait"ing"; exec sleep 1000'\n`)
        await machine.expect('waiting')
        machine.type('\x03')
        await machine.expect('# ')
        machine.type('exit\n')
        await machine.expect('# ')
        machine.type('ps -o args > /tmp/ps; echo shells: $(grep -c "^sh -[l]" /tmp/ps)\n')
        await machine.expect('shells: 2')
        // The screen is a terminal of its own.
        await reachByKeyboard(machine)
        expect(await coloursOnScreen(machine)).toBeGreaterThan(1)
        machine.type('ls /proc/self/ns | tr "\\n" " "; echo do"ne"\n')
        const [kinds] = await machine.expect(/cgroup [\s\S]*done/)
        for (const kind of ['ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'])
          expect(kinds).toContain(`${kind} `)
        machine.type('poweroff\n')
        await machine.off()
      } finally {
        await machine.kill()
      }
      expect((await stat(image ?? '')).mtimeMs).toBe(before.mtimeMs)
    },
  )

  it.each([
    ['virtio', 'vda'],
    ['nvme', 'nvme0n1'],
  ] as const)('boots by UEFI from %s with sectors of 4096 bytes', async (disk, name) => {
    const machine = await bootSession({ image: image ?? '', firmware: 'uefi', disk, sector: 4096 })
    try {
      await firstPrompt(machine)
      machine.type(
        `cat /sys/class/block/${name}/queue/logical_block_size; sha256sum ` +
          `/usr/share/fixpoint/manifest.json; cat /run/issue\n`,
      )
      const [, sector, actual, id] = await machine.expect(
        /\n(\d+)\s+([0-9a-f]{64}) {2}\/usr[\s\S]*?root id {2,}([0-9a-f]{64})/,
      )
      expect({ sector, actual }).toEqual({ sector: '4096', actual: id })
    } finally {
      await machine.kill()
    }
  })
})
