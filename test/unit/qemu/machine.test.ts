import { describe, expect, test } from 'vitest'
import { machineArguments, type Bus, type Machine } from '../../../qemu/machine.ts'

const MACHINE: Machine = {
  firmware: 'bios',
  disks: [{ file: '/images/tiny.img', bus: 'virtio' }],
  memory: '512M',
  smp: 2,
  accelerator: 'tcg',
  reboot: false,
}

/** The values of every option `name`, in order. */
function values(name: string, machine: Partial<Machine> = {}): string[] {
  const args = machineArguments({ ...MACHINE, ...machine }, { serial: 3, qmp: 4 })
  return args.filter((_, index) => args[index - 1] === name)
}

describe('machineArguments', () => {
  test('names the whole machine and nothing of the host', () => {
    expect(machineArguments(MACHINE, { serial: 3, qmp: 4 })).toMatchInlineSnapshot(`
      [
        "-nodefaults",
        "-no-user-config",
        "-machine",
        "q35",
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max,la57=off",
        "-m",
        "512M",
        "-smp",
        "2",
        "-no-reboot",
        "-device",
        "VGA",
        "-display",
        "none",
        "-nic",
        "none",
        "-drive",
        "if=none,id=disk0,format=raw,snapshot=on,file=/images/tiny.img",
        "-device",
        "virtio-blk-pci,drive=disk0,bootindex=1",
        "-chardev",
        "socket,id=serial,fd=3",
        "-serial",
        "chardev:serial",
        "-chardev",
        "socket,id=qmp,fd=4",
        "-mon",
        "chardev=qmp,mode=control",
      ]
    `)
  })

  test.each<[Bus, string]>([
    ['virtio', 'virtio-blk-pci,drive=disk0,bootindex=1'],
    ['ahci', 'ide-hd,bus=ide.0,drive=disk0,bootindex=1'],
    ['nvme', 'nvme,serial=fixpoint0,drive=disk0,bootindex=1'],
    ['usb', 'usb-storage,bus=usb.0,drive=disk0,bootindex=1'],
  ])('attaches a disk by %s', (bus, device) => {
    expect(values('-device', { disks: [{ file: 'a', bus }] })).toContain(device)
  })

  test('has a USB controller only for USB disks, and once', () => {
    const controllers = (buses: Bus[]): number =>
      values('-device', { disks: buses.map((bus) => ({ file: 'a', bus })) }).filter((value) =>
        value.startsWith('qemu-xhci'),
      ).length
    expect([controllers(['nvme']), controllers(['usb', 'usb'])]).toEqual([0, 1])
  })

  test('keeps the guest from writing to a disk unless asked', () => {
    const disks = [
      { file: 'a', bus: 'virtio', writable: false },
      { file: 'b', bus: 'ahci', writable: true },
    ] as const
    expect(values('-drive', { disks })).toEqual([
      'if=none,id=disk0,format=raw,snapshot=on,file=a',
      'if=none,id=disk1,format=raw,snapshot=off,file=b',
    ])
  })

  test('gives every disk its own place on the bus and in the boot order', () => {
    const disks = [
      { file: 'a', bus: 'ahci' },
      { file: 'b', bus: 'ahci' },
    ] as const
    expect(values('-device', { disks }).slice(1)).toEqual([
      'ide-hd,bus=ide.0,drive=disk0,bootindex=1',
      'ide-hd,bus=ide.1,drive=disk1,bootindex=2',
    ])
  })

  test('flashes UEFI firmware and never writes its variables', () => {
    expect(
      values('-drive', { firmware: { code: 'code.fd', variables: 'vars.fd' } }).slice(0, 2),
    ).toEqual([
      'if=pflash,unit=0,format=raw,readonly=on,file=code.fd',
      'if=pflash,unit=1,format=raw,snapshot=on,file=vars.fd',
    ])
  })

  test('takes firmware that has its variables in the same file', () => {
    expect(values('-drive', { firmware: { code: 'both.fd', variables: undefined } })[0]).toContain(
      'file=both.fd',
    )
  })

  test('doubles the commas of a file name', () => {
    expect(values('-drive', { disks: [{ file: 'a,readonly=off', bus: 'virtio' }] })[0]).toMatch(
      /file=a,,readonly=off$/,
    )
  })

  test('uses the real processor under KVM', () => {
    expect([
      values('-accel', { accelerator: 'kvm' }),
      values('-cpu', { accelerator: 'kvm' }),
    ]).toEqual([['kvm'], ['host']])
  })

  test('ends at a reset only when nobody sits in front of it', () => {
    const args = (reboot: boolean): string[] => machineArguments({ ...MACHINE, reboot }, 'terminal')
    expect([args(false).includes('-no-reboot'), args(true).includes('-no-reboot')]).toEqual([
      true,
      false,
    ])
  })

  test('sets the clock when asked to', () => {
    expect(values('-rtc', { clock: '2050-01-01T00:00:00' })).toEqual(['base=2050-01-01T00:00:00'])
    expect(machineArguments(MACHINE, 'terminal')).not.toContain('-rtc')
  })

  test('puts the console on the terminal', () => {
    expect(machineArguments(MACHINE, 'terminal').slice(-2)).toEqual(['-serial', 'mon:stdio'])
  })

  test.each([
    ['bad-memory', { memory: 'lots' }],
    ['bad-memory', { memory: '0M' }],
    ['bad-smp', { smp: 0 }],
    ['bad-smp', { smp: 1.5 }],
    ['no-disk', { disks: [] }],
  ])('refuses with %s: %o', (code, wrong) => {
    expect(() => machineArguments({ ...MACHINE, ...wrong }, 'terminal')).toThrow(
      expect.objectContaining({ code, kind: 'usage' }),
    )
  })

  test('has a network only when asked, whose ports answer on loopback alone', () => {
    expect(values('-netdev')).toEqual([])
    expect(values('-nic')).toEqual(['none'])
    expect(values('-netdev', { network: { ports: [] } })).toEqual(['user,id=net'])
    const network = { ports: [{ host: 2222, guest: 22 }] }
    expect(values('-netdev', { network })).toEqual(['user,id=net,hostfwd=tcp:127.0.0.1:2222-:22'])
    expect(values('-device', { network })).toContain('virtio-net-pci,netdev=net,romfile=')
  })

  test('takes further arguments as they are, after all others', () => {
    const args = machineArguments(
      { ...MACHINE, more: ['-smbios', 'type=1,serial=a b'] },
      { serial: 3, qmp: 4 },
    )
    expect(args.slice(-2)).toEqual(['-smbios', 'type=1,serial=a b'])
  })
})
