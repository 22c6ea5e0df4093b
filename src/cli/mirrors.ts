import { stat } from 'node:fs/promises'
import { FixpointError } from '../base/error.ts'
import { readDisk } from '../image/disk.ts'
import type { Store } from '../store/store.ts'
import { unpackPartition } from './world/unpack-image.ts'

/**
 * Mirror folders of what a user named to fetch from: folders stay as they are; of an image (a file or a disk) the sources in it are unpacked, to be
 * removed with the session. Fails with `no-image` or `no-mirror`.
 */
export async function mirrorFolders(places: readonly string[], store: Store, signal: AbortSignal): Promise<string[]> {
  const folders: string[] = []
  for (const place of places) folders.push((await isImage(place)) ? await unpackMirror(place, store, signal) : place)
  return folders
}

async function isImage(place: string): Promise<boolean> {
  const found = await stat(place).catch(() => undefined)
  return found?.isFile() === true || found?.isBlockDevice() === true
}

async function unpackMirror(image: string, store: Store, signal: AbortSignal): Promise<string> {
  const { partitions } = await readDisk(image)
  const mirror = partitions.find(({ name }) => name === 'mirror')
  if (mirror === undefined) {
    throw new FixpointError('usage', 'no-mirror', `Cannot fetch from "${image}": it is an image without a mirror`)
  }
  const folder = await store.temporaryPath('mirror')
  await unpackPartition(image, mirror, folder, signal)
  return folder
}
