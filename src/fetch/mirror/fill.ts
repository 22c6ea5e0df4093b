import { closeSync } from 'node:fs'
import { openNamedFile } from '../../base/beneath.ts'
import type { Digest } from '../../base/digest.ts'
import { combineFailures, FixpointError } from '../../base/error.ts'
import { Turns } from '../../base/turns.ts'
import { visible } from '../../base/visible.ts'
import type { FileSource } from '../../metadata/model.ts'
import { mirrorFiles } from '../../plan/action-document.ts'
import type { SourceFinder } from '../find-source.ts'
import { bring, placeIn, type MirrorPlace } from './bring.ts'
import { BadOriginal, copyHashed } from './hashed-copy.ts'
import { isMirrorName, type MirrorFile } from './list.ts'
import { withMirror, type Before, type OpenMirror } from './open.ts'

/** What a mirror folder is to be filled with. */
export interface FillRequest {
  readonly folder: string
  readonly sources: readonly FileSource[]
  readonly find: SourceFinder
  readonly before: Before
  /** Brings a file to a path where nothing is. By default it is copied, and read back. */
  readonly put?: (from: string, to: string) => Promise<void>
  readonly signal: AbortSignal
}

/** What a mirror folder was filled with. */
export interface Filled {
  /** Files that it was to hold. */
  readonly files: number
  /** Those of them that were brought now. */
  readonly copied: number
  /** Files that are not right there, since their source could not be found. */
  readonly missing: readonly string[]
  /** Why sources could not be found. */
  readonly failures: readonly unknown[]
}

/**
 * Makes a folder a mirror that holds the sources: each under the names it has in an image's mirror,
 * listed in a `SHA256SUMS`. Only what is missing there, or damaged, is looked for elsewhere. What
 * is there stays, apart from files that are not what the list says. Nothing is written through a
 * link in the folder. Fails with `mirror-name` for a source that cannot have its name there, and as
 * {@link withMirror} does.
 */
export async function fillMirror(request: FillRequest): Promise<Filled> {
  const { folder, sources, find, before, signal } = request
  const files = mirrorFiles(sources)
  for (const { name } of files) requireName(name, folder)
  return withMirror(folder, before, async (mirror) => {
    const missing = await listThere(mirror, files, signal)
    const wanted = new Set(missing.map(({ digest }) => digest))
    // All at once: several are fetched while others are copied.
    const searches = sources
      .filter(({ sha256 }) => wanted.has(sha256))
      .map((source) => ({ digest: source.sha256, found: settled(find(source)) }))
    try {
      return { files: files.length, ...(await bringAll(mirror, missing, searches, request)) }
    } finally {
      // Whoever called closes the store next, also after a failure.
      await Promise.all(searches.map(({ found }) => found))
    }
  })
}

/** Like {@link fillMirror}, but also fails, in the end, for sources that cannot be found. */
export async function fillWhole(request: FillRequest): Promise<Filled> {
  const filled = await fillMirror(request)
  if (filled.failures.length > 0) throw combineFailures(filled.failures)
  return filled
}

/** A source that is looked for. */
interface Search {
  readonly digest: Digest
  readonly found: Promise<Found>
}

async function bringAll(
  mirror: OpenMirror,
  places: readonly MirrorPlace[],
  searches: readonly Search[],
  { put, signal }: FillRequest,
): Promise<Omit<Filled, 'files'>> {
  const turns = new Turns(signal)
  const missing: string[] = []
  for (const place of places) {
    const own = searches.filter(({ digest }) => digest === place.digest)
    const path = await firstPath(own)
    signal.throwIfAborted()
    if (path === undefined) missing.push(place.name)
    else
      await bring(mirror, place, (part) =>
        put === undefined ? copyStored(path, place, part, turns) : put(path, part),
      )
  }
  const found = await Promise.all(searches.map((search) => search.found))
  const failures = found.flatMap((one) => ('error' in one ? [one.error] : []))
  return { copied: places.length - missing.length, missing, failures }
}

/** Lists those of the files that are right already. Resolves to the places of the others. */
async function listThere(
  mirror: OpenMirror,
  files: readonly MirrorFile[],
  signal: AbortSignal,
): Promise<MirrorPlace[]> {
  const turns = new Turns(signal)
  const missing: MirrorPlace[] = []
  for (const file of files) {
    const place = await placeIn(mirror, file, turns)
    if (place.isThere) await mirror.add(place)
    else missing.push(place)
    await turns.pass()
  }
  return missing
}

/** What looking for a source came to. */
type Found = { readonly path: string } | { readonly error: unknown }

function settled(found: Promise<string>): Promise<Found> {
  return found.then(
    (path) => ({ path }),
    (error: unknown) => ({ error }),
  )
}

async function firstPath(searches: readonly Search[]): Promise<string | undefined> {
  const found = await Promise.all(searches.map((search) => search.found))
  return found.flatMap((one) => ('path' in one ? [one.path] : []))[0]
}

/** Copies a file whose digest was right when it was found. */
async function copyStored(
  path: string,
  { name, digest }: MirrorFile,
  part: string,
  turns: Turns,
): Promise<void> {
  const fd = openStored(path, name)
  try {
    await copyHashed(fd, digest, part, turns)
  } catch (error) {
    if (!(error instanceof BadOriginal)) throw error
    const { fault } = error
    const reason = 'found' in fault ? `its sha256 is now ${fault.found}` : fault.reason
    throw new FixpointError('blob-damaged', `Cannot copy source "${visible(name)}": ${reason}`, {
      cause: error,
    })
  } finally {
    closeSync(fd)
  }
}

function openStored(path: string, name: string): number {
  try {
    return openNamedFile(path).fd
  } catch (cause) {
    throw new FixpointError(
      'blob-missing',
      `Cannot copy source "${visible(name)}": it is no longer in the store`,
      { cause },
    )
  }
}

/**
 * Metadata refuses such names as well; here they would take the place of the list, or of a file
 * elsewhere.
 */
function requireName(name: string, folder: string): void {
  if (isMirrorName(name)) return
  throw new FixpointError(
    'mirror-name',
    `Cannot put source "${visible(name)}" into mirror "${folder}": no file there may have ` +
      `that name`,
    { hint: 'Give the source another name by `name:`' },
  )
}
