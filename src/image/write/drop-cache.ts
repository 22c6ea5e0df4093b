import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { errorCode } from '../../base/files.ts'

const run = promisify(execFile)

/** The program has its place among those of administrators, which PATH may leave out. */
const BLOCKDEV = ['blockdev', '/usr/sbin/blockdev', '/sbin/blockdev'] as const

/**
 * Makes the kernel forget what it knows of a disk, so that the disk itself is read next. By
 * blockdev(8) of util-linux or busybox, since Node has no ioctl(2) for BLKFLSBUF. False where there
 * is none, or it fails.
 */
export async function dropCache(disk: string): Promise<boolean> {
  for (const program of BLOCKDEV) {
    try {
      await run(program, ['--flushbufs', resolve(disk)])
      return true
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') return false
    }
  }
  return false
}
