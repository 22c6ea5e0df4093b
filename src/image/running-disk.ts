import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FixpointError } from '../base/error.ts'

/**
 * The disk that the running system's root is on, such as /dev/vda. Fails with `no-root-disk` when
 * the root is on none (a container, a network).
 */
export async function runningDisk(): Promise<string> {
  try {
    // `36 35 98:0 / / ro,noatime - squashfs /dev/root ro`: the third word is the device, the fifth
    // where it is mounted (proc(5)).
    const lines = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .map((line) => line.split(' '))
    const device = lines.find((words) => words[4] === '/')?.[2] ?? ''
    const partition = await realpath(join('/sys/dev/block', device))
    await readFile(join(partition, 'partition'))
    return join('/dev', basename(dirname(partition)))
  } catch (cause) {
    throw new FixpointError('no-root-disk', 'Cannot tell which disk this system runs from', {
      cause,
    })
  }
}
