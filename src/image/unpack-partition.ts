import { resolve } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { diskFull } from '../base/files.ts'
import type { Partition } from './disk.ts'

/**
 * Unpacks a squashfs partition of an image file into `target`, which is made. Needs no right to
 * mount. Fails with `no-unsquashfs`, `disk-full` or `image-damaged`.
 */
export async function unpackPartition(
  image: string,
  { name, start }: Partition,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  // Loaded here: a build that unpacks no image would take a tenth of a second longer.
  const { execa } = await import('execa')
  const options = ['-no-progress', '-quiet', '-no-xattrs', '-offset', String(start)]
  // Of an absolute path none takes the first letter for an option.
  const paths = ['-dest', resolve(target), resolve(image)]
  const { failed, code, stderr } = await execa('unsquashfs', [...options, ...paths], {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    env: { LC_ALL: 'C' },
    cancelSignal: signal,
  })
  signal.throwIfAborted()
  if (!failed) return
  if (code === 'ENOENT') {
    throw new FixpointError('no-unsquashfs', 'Cannot unpack the image: unsquashfs is not installed')
  }
  if (stderr.includes('No space left on device')) throw diskFull(target)
  throw new FixpointError(
    'image-damaged',
    `Cannot unpack partition "${name}" of "${image}": ${stderr.trim()}`,
  )
}
