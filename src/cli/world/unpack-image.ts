import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { FixpointError } from '../../base/error.ts'
import { diskFull } from '../../base/files.ts'
import type { Partition } from '../../image/disk.ts'
import { MANIFEST_PATH } from '../../image/manifest.ts'
import type { Installed } from '../../store/installed.ts'

/**
 * Unpacks a squashfs partition of an image file into `target`, which is made. Needs no right to mount. Fails with `no-unsquashfs`, `disk-full` or
 * `image-damaged`.
 */
export async function unpackPartition(
  image: string,
  { name, start }: Partition,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const args = ['-no-progress', '-quiet', '-no-xattrs', '-offset', String(start), '-dest', target, image]
  signal.throwIfAborted()
  const child = spawn('unsquashfs', args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' } })
  const stop = (): void => {
    child.kill()
  }
  signal.addEventListener('abort', stop, { once: true })
  const said = text(child.stderr)
  let status: number | null
  try {
    ;[status] = (await once(child, 'close')) as [number | null]
  } catch (cause) {
    throw new FixpointError('hostUnfit', 'no-unsquashfs', 'Cannot unpack the image: unsquashfs is not installed', {
      hint: 'Install squashfs-tools',
      cause,
    })
  } finally {
    signal.removeEventListener('abort', stop)
  }
  signal.throwIfAborted()
  if (status === 0) return
  const reason = (await said).trim()
  if (reason.includes('No space left on device')) throw diskFull(target)
  throw new FixpointError('fetch', 'image-damaged', `Cannot unpack partition "${name}" of "${image}": ${reason}`)
}

/** Makes sure that an unpacked root holds what its manifest lists, byte for byte, and nothing else. Fails with `installed-damaged` or `not-listed`. */
export async function checkRoot(root: string, installed: Installed): Promise<void> {
  for (const { artifact } of installed.artifacts) await installed.pack(artifact, undefined)
  const listed = new Set([MANIFEST_PATH, 'usr/share', 'usr/share/fixpoint'])
  for (const { listing } of installed.artifacts) for (const { path } of listing) listed.add(path)
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (!listed.has(path)) {
        throw new FixpointError('fetch', 'not-listed', `Cannot use the image: "${path}" is not in its manifest`)
      }
      if (entry.isDirectory()) await visit(path)
    }
  }
  await visit('')
}
