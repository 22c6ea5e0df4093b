import { Folder } from '../base/beneath.ts'
import { asDigest, type Digest } from '../base/digest.ts'
import { combineFailures, FixpointError } from '../base/error.ts'
import { isFolder } from '../base/files.ts'
import { parseList, readList, SUMS } from '../fetch/mirror/list.ts'
import { readImageRecord, readRecordOf } from '../image/read-record.ts'
import { RECORD_SUFFIX } from '../image/record.ts'
import { loadMetadata } from '../metadata/load.ts'
import { fetchedSources } from '../metadata/model.ts'
import { openKit } from './kit/check.ts'
import { KIT } from './kit/layout.ts'
import { readKitList } from './kit/lists.ts'

/**
 * Digests of all sources that images (by the record beside them), kits (folders) and layers.yaml
 * files name.
 * Whoever removes other files must know all of them, so nothing is passed over: fails with
 * `mirror-keep`, `no-record`, `no-kit`, or as metadata do, for each place that cannot be read
 * whole.
 */
export async function namedSources(places: readonly string[]): Promise<ReadonlySet<Digest>> {
  const found = await Promise.allSettled(places.map(namedBy))
  const failures = found.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  )
  if (failures.length > 0) throw combineFailures(failures)
  return new Set(found.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])))
}

async function namedBy(place: string): Promise<readonly Digest[]> {
  const named = (await isFolder(place))
    ? await namedByKit(place)
    : /\.ya?ml$/.test(place)
      ? await namedByLayers(place)
      : await namedByRecord(place)
  if (named.length === 0) throw cannotKeep(place, 'it names no source')
  return named
}

async function namedByRecord(place: string): Promise<Digest[]> {
  const { sources } = (await readRecordOf(place)).record
  if (sources === undefined) throw cannotKeep(place, 'an earlier version made it, without sources')
  return sources.map(({ sha256 }) => sha256)
}

async function namedByLayers(file: string): Promise<Digest[]> {
  const { recipes } = await loadMetadata(file)
  return [...recipes.values()]
    .flatMap((recipe) => fetchedSources(recipe.sources))
    .map(({ sha256 }) => sha256)
}

/** What a kit holds as sources, and what the records of its images name. */
async function namedByKit(place: string): Promise<Digest[]> {
  const kit = openKit(place)
  try {
    const manifest = await readKitList(kit, KIT.manifest, 64)
    const prefix = `${KIT.sources}/`
    if (manifest.faults.length > 0) throw cannotKeep(place, `its ${KIT.manifest} is damaged`)
    const listed = [...manifest.entries].flatMap(([path, digest]) =>
      path.startsWith(prefix) ? [asDigest(digest)] : [],
    )
    const inSources = await inFolder(kit, KIT.sources, place, namedByMirror)
    const inImages = await inFolder(kit, KIT.images, place, namedByRecords)
    return [...listed, ...inSources, ...inImages]
  } finally {
    kit.close()
  }
}

/** Calls `use` with a folder of a kit, which may lead nowhere else. */
async function inFolder<T>(
  kit: Folder,
  path: string,
  place: string,
  use: (folder: Folder, place: string) => Promise<T>,
): Promise<T> {
  let folder = Folder.open(kit.self)
  try {
    for (const part of path.split('/')) {
      const next = folder.folder(part)
      folder.close()
      folder = next
    }
    return await use(folder, place)
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'mirror-keep') throw error
    throw cannotKeep(place, `its folder ${path} cannot be read`, error)
  } finally {
    folder.close()
  }
}

async function namedByMirror(folder: Folder, place: string): Promise<Digest[]> {
  const list = await readList(folder)
  const { sums, faults } = parseList((list ?? '').toString())
  if (list === undefined || faults.length > 0)
    throw cannotKeep(place, `its ${KIT.sources}/${SUMS} is missing or damaged`)
  return [...sums.values()]
}

/** Those of records that state them; the sources of others are all in the kit. */
async function namedByRecords(folder: Folder, place: string): Promise<Digest[]> {
  const named: Digest[] = []
  for (const entry of folder.entries()) {
    const name = entry.name.toString()
    if (!name.endsWith(RECORD_SUFFIX)) continue
    if (!entry.isFile()) throw cannotKeep(place, `its ${KIT.images}/${name} is no file`)
    const record = await readImageRecord(folder.at(name)).catch((cause: unknown) => {
      throw cannotKeep(place, `its ${KIT.images}/${name} is damaged`, cause)
    })
    for (const { sha256 } of record.sources ?? []) named.push(sha256)
  }
  return named
}

function cannotKeep(place: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('mirror-keep', `Cannot keep what "${place}" names: ${reason}`, { cause })
}
