import { FixpointError } from '../../base/error.ts'
import { parsePlace } from '../../metadata/format/source-places.ts'
import { PlaceFailure } from '../failure.ts'
import { VersionLists, type VersionPlaces } from './lists.ts'

/** A file that a recipe may take as a source. */
export interface ListedSource {
  /** Where the package is listed: a suite of Debian, or a tag of npm. */
  readonly where: string
  /** As in `from:`. */
  readonly place: string
  /** Bytes; undefined where the list does not say. */
  readonly size: number | undefined
}

/** Tarballs of the makers and of Debian; not signatures and control files. */
const TARBALL = /\.tar\.[a-z0-9]+$/

/**
 * The tarballs of the newest version of a package, in each suite of Debian or in npm. `word` is
 * `debian:PACKAGE` or `npm:NAME`. Rejects with `source-package` for other words,
 * `versions-unavailable` where nothing lists the package, and with `no-unpacker`.
 */
export async function listSources(
  word: string,
  places: VersionPlaces,
): Promise<readonly ListedSource[]> {
  const [debian, npm] = [parsePlace(`${word}/x`), parsePlace(`${word}@1`)]
  const lists = new VersionLists(places)
  try {
    if (npm?.kind === 'npm') return [await latestInNpm(npm.name, lists)]
    if (debian?.kind === 'debian') return await allInDebian(debian.package, lists)
  } catch (error) {
    if (!(error instanceof PlaceFailure)) throw error
    throw new FixpointError(
      'versions-unavailable',
      `Cannot list the files of "${word}": ${error.message}`,
    )
  }
  throw new FixpointError(
    'source-package',
    `Cannot list the files of "${word}": it is neither debian:PACKAGE nor npm:NAME`,
  )
}

async function latestInNpm(name: string, lists: VersionLists): Promise<ListedSource> {
  const version = await lists.latest(name)
  return { where: 'latest', place: `npm:${name}@${version}`, size: undefined }
}

async function allInDebian(name: string, lists: VersionLists): Promise<ListedSource[]> {
  const found: ListedSource[] = []
  for (const [where, suite] of await lists.suites())
    for (const { name: file, size } of suite.get(name)?.files ?? [])
      if (TARBALL.test(file)) found.push({ where, place: `debian:${name}/${file}`, size })
  if (found.length === 0) throw new PlaceFailure(`no suite has it: ${lists.suiteNames}`)
  return found
}
