import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './temporary.ts'

/** Mounting a file takes root, and a kernel that lets it. */
export const CAN_CUT_POWER = process.getuid?.() === 0 && existsSync('/dev/loop-control')

/** A disk with ext4 that the test may take the power from. */
export interface TestDisk {
  /** Where it is mounted. */
  readonly folder: string
  /**
   * Cuts the power: what the system had not written to the disk is lost, as is the journal's part
   * that it had not. Resolves with where the disk is mounted when the power is back.
   */
  readonly cutPower: () => Promise<string>
}

/** Mounts a blank disk of 64 MiB, where {@link CAN_CUT_POWER}. */
export async function testDisk(): Promise<TestDisk> {
  const home = await temporaryFolder()
  const file = join(home, 'disk')
  await writeFile(file, '')
  await truncate(file, 64 << 20)
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', file])
  const folder = await mounted(home, file)
  return {
    folder,
    cutPower: async () => {
      execFileSync('perl', ['-e', SHUT_DOWN, folder])
      // The old mount is in the way until the processes with files open there have ended.
      await copyFile(file, `${file}-back`)
      return mounted(home, `${file}-back`)
    },
  }
}

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, of Linux's fs/ext4/ext4.h. */
const SHUT_DOWN = `my $how = pack('L', 2);
open(my $disk, '<', $ARGV[0]) or die "$!\\n";
ioctl($disk, 0x8004587d, $how) or die "$!\\n"`

async function mounted(home: string, file: string): Promise<string> {
  const folder = join(home, `on-${file.slice(home.length + 1)}`)
  await mkdir(folder)
  execFileSync('mount', ['-o', 'loop', file, folder])
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder])
  })
  return folder
}
