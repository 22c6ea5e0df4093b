import { access, constants } from 'node:fs/promises'
import { FixpointError } from '../src/base/error.ts'

/**
 * UEFI firmware for QEMU's pflash: the code, and the empty variables that belong to it (none when
 * one file holds both).
 */
export interface Firmware {
  readonly code: string
  readonly variables: string | undefined
}

/** Where systems keep it, without Secure Boot; the first that is there wins. */
export const UEFI_FIRMWARE: readonly Firmware[] = [
  // Debian, Ubuntu
  pair('/usr/share/OVMF', 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'),
  pair('/usr/share/OVMF', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // Fedora, CentOS
  pair('/usr/share/edk2/ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // Arch
  pair('/usr/share/edk2/x64', 'OVMF_CODE.4m.fd', 'OVMF_VARS.4m.fd'),
  pair('/usr/share/edk2-ovmf/x64', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // Gentoo
  pair('/usr/share/edk2-ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // openSUSE
  pair('/usr/share/qemu', 'ovmf-x86_64-code.bin', 'ovmf-x86_64-vars.bin'),
  // NixOS
  pair('/run/libvirt/nix-ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // QEMU's own: Alpine, Homebrew, built from source
  pair('/usr/share/qemu', 'edk2-x86_64-code.fd', 'edk2-i386-vars.fd'),
  pair('/usr/local/share/qemu', 'edk2-x86_64-code.fd', 'edk2-i386-vars.fd'),
  { code: '/usr/share/ovmf/OVMF.fd', variables: undefined },
]

function pair(folder: string, code: string, variables: string): Firmware {
  return { code: `${folder}/${code}`, variables: `${folder}/${variables}` }
}

/**
 * Finds UEFI firmware on this host; `readable` is there for tests. Fails with `no-uefi-firmware`,
 * kind `hostUnfit`.
 */
export async function findFirmware(
  readable: (path: string) => Promise<boolean> = isReadable,
): Promise<Firmware> {
  for (const firmware of UEFI_FIRMWARE) {
    if (
      (await readable(firmware.code)) &&
      (firmware.variables === undefined || (await readable(firmware.variables)))
    )
      return firmware
  }
  throw new FixpointError(
    'hostUnfit',
    'no-uefi-firmware',
    'Cannot boot by UEFI: this host has no UEFI firmware for QEMU',
    {
      hint:
        'Install it (package "ovmf" on Debian and Ubuntu, "edk2-ovmf" elsewhere), or boot by ' +
        '--bios',
    },
  )
}

async function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  )
}
