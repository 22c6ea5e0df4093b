import type { Purpose } from './finding.ts'

/** Something that a package of the system provides. */
export interface Need {
  readonly code: string
  readonly purpose: Purpose
  /**
   * How to tell that it is there: a program in PATH, a library that the compiler finds, or UEFI
   * firmware for QEMU.
   */
  readonly test: `program ${string}` | `library ${string}` | 'firmware'
  /** Package of Debian and Ubuntu. */
  readonly package: string
  readonly why: string
}

/**
 * What the host must have beside Node, and Debian's name for it. `.ci/setup` reads this table too,
 * by the shell, before there is anything to run TypeScript with: one line per need, as they are
 * here.
 */
// prettier-ignore
export const NEEDS: readonly Need[] = [
  { code: 'bwrap', purpose: 'build', test: 'program bwrap', package: 'bubblewrap',
    why: 'sets up the sandbox' },
  { code: 'flock', purpose: 'build', test: 'program flock', package: 'util-linux',
    why: 'locks the store' },
  { code: 'setarch', purpose: 'build', test: 'program setarch', package: 'util-linux',
    why: 'turns address randomization off' },
  { code: 'mount', purpose: 'build', test: 'program mount', package: 'mount',
    why: "keeps a sandbox of root from changing the host's devices" },
  { code: 'cc', purpose: 'build', test: 'program cc', package: 'gcc',
    why: 'compiles the bootstrap' },
  { code: 'c++', purpose: 'build', test: 'program c++', package: 'g++',
    why: 'compiles the bootstrap' },
  { code: 'as', purpose: 'build', test: 'program as', package: 'binutils',
    why: 'compiles the bootstrap' },
  { code: 'libc', purpose: 'build', test: 'library libc.a', package: 'libc6-dev',
    why: 'links the bootstrap statically' },
  { code: 'sh', purpose: 'build', test: 'program sh', package: 'dash',
    why: 'runs the steps and the configure scripts of the bootstrap' },
  { code: 'install', purpose: 'build', test: 'program install', package: 'coreutils',
    why: 'installs the bootstrap' },
  { code: 'awk', purpose: 'build', test: 'program awk', package: 'mawk',
    why: 'runs in configure scripts of the bootstrap' },
  { code: 'sed', purpose: 'build', test: 'program sed', package: 'sed',
    why: 'runs in configure scripts of the bootstrap' },
  { code: 'grep', purpose: 'build', test: 'program grep', package: 'grep',
    why: 'runs in configure scripts of the bootstrap' },
  { code: 'diff', purpose: 'build', test: 'program diff', package: 'diffutils',
    why: 'runs in configure scripts of the bootstrap' },
  { code: 'find', purpose: 'build', test: 'program find', package: 'findutils',
    why: 'tidies what the bootstrap installs' },
  { code: 'm4', purpose: 'build', test: 'program m4', package: 'm4',
    why: 'builds gmp in the bootstrap' },
  { code: 'patch', purpose: 'build', test: 'program patch', package: 'patch',
    why: 'applies patches in the bootstrap' },
  { code: 'tar', purpose: 'build', test: 'program tar', package: 'tar',
    why: 'unpacks the sources of the bootstrap' },
  { code: 'gzip', purpose: 'build', test: 'program gzip', package: 'gzip',
    why: 'unpacks the sources of the bootstrap' },
  { code: 'bzip2', purpose: 'build', test: 'program bzip2', package: 'bzip2',
    why: 'unpacks the sources of the bootstrap' },
  { code: 'xz', purpose: 'build', test: 'program xz', package: 'xz-utils',
    why: 'unpacks the sources of the bootstrap' },
  { code: 'qemu', purpose: 'boot', test: 'program qemu-system-x86_64', package: 'qemu-system-x86',
    why: 'runs images' },
  { code: 'uefi', purpose: 'boot', test: 'firmware', package: 'ovmf',
    why: 'boots images by UEFI' },
  { code: 'unsquashfs', purpose: 'boot', test: 'program unsquashfs', package: 'squashfs-tools',
    why: 'takes images apart' },
  { code: 'npm', purpose: 'develop', test: 'program npm', package: 'npm',
    why: 'installs what the engine is written with' },
  { code: 'make', purpose: 'develop', test: 'program make', package: 'make',
    why: 'runs the tasks of this checkout' },
  { code: 'shellcheck', purpose: 'check', test: 'program shellcheck', package: 'shellcheck',
    why: 'lints shell scripts' },
  { code: 'sfdisk', purpose: 'check', test: 'program sfdisk', package: 'fdisk',
    why: 'reads partition tables that tests make' },
  { code: 'mkfs.fat', purpose: 'check', test: 'program mkfs.fat', package: 'dosfstools',
    why: 'makes boot partitions for tests' },
  { code: 'mtools', purpose: 'check', test: 'program mcopy', package: 'mtools',
    why: 'fills boot partitions for tests' },
]
