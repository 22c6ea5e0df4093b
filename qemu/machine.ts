import { FixpointError } from '../src/base/error.ts'
import type { Firmware } from './firmware.ts'
import type { Accelerator } from './kvm.ts'

/** The ways a disk may hang on the machine. */
export const BUSES = ['virtio', 'ahci', 'nvme', 'usb'] as const

/** One of {@link BUSES}. */
export type Bus = (typeof BUSES)[number]

/** A raw disk image as a disk of the machine. */
export interface Disk {
  readonly file: string
  readonly bus: Bus
  /**
   * True: the guest's writes reach the file. Otherwise they go to a temporary file and are gone
   * with the machine.
   */
  readonly writable?: boolean
  /** Bytes of a sector; 512 when left out. QEMU gives others to virtio and NVMe disks only. */
  readonly sector?: 512 | 4096 | undefined
}

/** A TCP port of this host's loopback interface that leads to one of the guest. */
export interface Port {
  readonly host: number
  readonly guest: number
}

/** A PC, as far as an image can tell the difference. */
export interface Machine {
  /**
   * 'bios' is QEMU's own SeaBIOS; UEFI needs the files of {@link Firmware}. Its variables are never
   * written.
   */
  readonly firmware: 'bios' | Firmware
  /** The first one boots. */
  readonly disks: readonly Disk[]
  /** Main memory: a number and M or G, such as '1G'. */
  readonly memory: string
  /** Number of processors. */
  readonly smp: number
  /**
   * What its clock says when it is switched on, as 2050-01-01T00:00:00, UTC; undefined: the time it
   * is.
   */
  readonly clock?: string | undefined
  readonly accelerator: Accelerator
  /**
   * The guest has a network card, and behind it a network that QEMU makes: DHCP, names, and the way
   * out by this host. Undefined: no network.
   */
  readonly network?: { readonly ports: readonly Port[] } | undefined
  /** Further arguments of QEMU, as they are. */
  readonly more?: readonly string[] | undefined
  /** True: a reset restarts the guest. Otherwise it ends QEMU, so that a crash shows at once. */
  readonly reboot: boolean
}

/**
 * Where the machine's serial port leads: the user's terminal, or sockets that QEMU inherits as
 * these file descriptors.
 */
export type Console = 'terminal' | { readonly serial: number; readonly qmp: number }

/**
 * QEMU's arguments for a machine; pure. It has no window, and nothing that the arguments do not
 * name. Fails with `bad-memory`, `bad-smp` or `no-disk`.
 */
export function machineArguments(machine: Machine, console: Console): string[] {
  checkMachine(machine)
  return [
    ...['-nodefaults', '-no-user-config', '-machine', 'q35', ...accelerator(machine.accelerator)],
    ...['-m', machine.memory, '-smp', String(machine.smp)],
    ...(machine.reboot ? [] : ['-no-reboot']),
    ...(machine.clock === undefined ? [] : ['-rtc', `base=${machine.clock}`]),
    // A PC has a screen, a clock and a keyboard, and boots differently without; nobody looks at
    // this one's.
    ...['-device', 'VGA', '-display', 'none', '-nic', 'none'],
    ...network(machine.network),
    ...firmware(machine.firmware),
    ...controllers(machine.disks),
    ...machine.disks.flatMap(disk),
    ...serial(console),
    ...(machine.more ?? []),
  ]
}

function checkMachine({ memory, smp, disks }: Machine): void {
  if (!/^[1-9][0-9]*[MG]$/.test(memory)) {
    throw new FixpointError(
      'bad-memory',
      `Cannot start a machine with memory "${memory}": want a number and M or G, such as 1G`,
    )
  }
  if (!Number.isInteger(smp) || smp < 1) {
    throw new FixpointError(
      'bad-smp',
      `Cannot start a machine with "${smp}" processors: want a whole number from 1`,
    )
  }
  if (disks.length === 0)
    throw new FixpointError('no-disk', 'Cannot start a machine: it has no disk to boot from')
}

function accelerator(name: Accelerator): string[] {
  // An emulated processor with every feature gives the guest RDRAND; five-level paging would only
  // slow its emulation down.
  return name === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off']
}

function network(wanted: Machine['network']): string[] {
  if (wanted === undefined) return []
  const ports = wanted.ports.map(({ host, guest }) => `,hostfwd=tcp:127.0.0.1:${host}-:${guest}`)
  // Without a ROM the firmware cannot boot from the network, and QEMU needs no file for one.
  const card = 'virtio-net-pci,netdev=net,romfile='
  return ['-netdev', `user,id=net${ports.join('')}`, '-device', card]
}

function firmware(kind: 'bios' | Firmware): string[] {
  if (kind === 'bios') return []
  const flash = `if=pflash,unit=0,format=raw,readonly=on,file=${escape(kind.code)}`
  if (kind.variables === undefined) return ['-drive', flash]
  return [
    '-drive',
    flash,
    '-drive',
    `if=pflash,unit=1,format=raw,snapshot=on,file=${escape(kind.variables)}`,
  ]
}

function controllers(disks: readonly Disk[]): string[] {
  const buses = new Set(disks.map(({ bus }) => bus))
  // q35 has an AHCI controller of its own; the keyboard is there to find out whether the guest has
  // a driver for it.
  return buses.has('usb') ? ['-device', 'qemu-xhci,id=usb', '-device', 'usb-kbd,bus=usb.0'] : []
}

function disk({ file, bus, writable = false, sector = 512 }: Disk, index: number): string[] {
  const id = `disk${index}`
  const device = {
    virtio: `virtio-blk-pci,drive=${id}`,
    ahci: `ide-hd,bus=ide.${index},drive=${id}`,
    nvme: `nvme,serial=fixpoint${index},drive=${id}`,
    usb: `usb-storage,bus=usb.0,drive=${id}`,
  }[bus]
  const snapshot = writable ? 'off' : 'on'
  const drive = `if=none,id=${id},format=raw,snapshot=${snapshot},file=${escape(file)}`
  const size = sector === 512 ? '' : `,logical_block_size=${sector},physical_block_size=${sector}`
  return ['-drive', drive, '-device', `${device},bootindex=${index + 1}${size}`]
}

function serial(console: Console): string[] {
  if (console === 'terminal') return ['-serial', 'mon:stdio']
  return [
    ...['-chardev', `socket,id=serial,fd=${console.serial}`, '-serial', 'chardev:serial'],
    ...['-chardev', `socket,id=qmp,fd=${console.qmp}`, '-mon', 'chardev=qmp,mode=control'],
  ]
}

/** QEMU's option syntax: a comma in a value is written twice. */
function escape(value: string): string {
  return value.replaceAll(',', ',,')
}
