import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
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
  const args = [
    '-no-progress',
    '-quiet',
    '-no-xattrs',
    '-offset',
    String(start),
    '-dest',
    target,
    image,
  ]
  signal.throwIfAborted()
  const child = spawn('unsquashfs', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  })
  const stop = (): void => {
    child.kill()
  }
  signal.addEventListener('abort', stop, { once: true })
  const said = text(child.stderr)
  let status: number | null
  try {
    ;[status] = (await once(child, 'close')) as [number | null]
  } catch (cause) {
    throw new FixpointError(
      'hostUnfit',
      'no-unsquashfs',
      'Cannot unpack the image: unsquashfs is not installed',
      {
        hint: 'Install squashfs-tools',
        cause,
      },
    )
  } finally {
    signal.removeEventListener('abort', stop)
  }
  signal.throwIfAborted()
  if (status === 0) return
  const reason = (await said).trim()
  if (reason.includes('No space left on device')) throw diskFull(target)
  throw new FixpointError(
    'fetch',
    'image-damaged',
    `Cannot unpack partition "${name}" of "${image}": ${reason}`,
  )
}
