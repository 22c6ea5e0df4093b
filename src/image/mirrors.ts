import { stat } from 'node:fs/promises'
import { FixpointError } from '../base/error.ts'
import { isFolder } from '../base/files.ts'
import { isAddress } from '../fetch/addresses.ts'
import { readDisk } from './disk.ts'
import { filePath } from '../metadata/format/source-places.ts'
import type { Store } from '../store/store.ts'
import { unpackPartition } from './unpack-partition.ts'

/**
 * Mirror folders of what a user named to fetch from: folders stay as they are; of an image (a file
 * or a disk) the sources in it are unpacked, to be removed with the session. Fails with `no-image`,
 * `no-mirror`, `no-mirror-folder` or `mirror-address`.
 */
export async function mirrorFolders(
  places: readonly string[],
  store: Store,
  signal: AbortSignal,
): Promise<string[]> {
  const folders: string[] = []
  for (const place of places) {
    if (await isImage(place)) folders.push(await unpackMirror(place, store, signal))
    else folders.push(await existing(place))
  }
  return folders
}

/** Configured mirror folders that are not there: they may lie on a disk that is not plugged in. */
export async function missingMirrors(mirrors: readonly string[]): Promise<string[]> {
  const folders = mirrors
    .filter((mirror) => !isAddress(mirror))
    .map((mirror) => filePath(mirror) ?? mirror)
  const there = await Promise.all(folders.map(isFolder))
  return folders.filter((_, at) => there[at] === false)
}

async function existing(place: string): Promise<string> {
  if (await isFolder(filePath(place) ?? place)) return place
  throw isAddress(place)
    ? new FixpointError('mirror-address', `Cannot fetch from "${place}": it is an address`)
    : new FixpointError(
        'no-mirror-folder',
        `Cannot fetch from "${place}": there is no such folder or image`,
      )
}

async function isImage(place: string): Promise<boolean> {
  const found = await stat(place).catch(() => undefined)
  return found?.isFile() === true || found?.isBlockDevice() === true
}

async function unpackMirror(image: string, store: Store, signal: AbortSignal): Promise<string> {
  const { partitions } = await readDisk(image)
  const mirror = partitions.find(({ name }) => name === 'mirror')
  if (mirror === undefined) {
    throw new FixpointError(
      'no-mirror',
      `Cannot fetch from "${image}": it is an image without a mirror`,
    )
  }
  const folder = await store.session.temporaryPath('mirror')
  await unpackPartition(image, mirror, folder, signal)
  return folder
}
