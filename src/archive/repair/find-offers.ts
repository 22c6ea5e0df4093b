import type { FilesBelow } from '../par2/files-below.ts'
import type { Wanted } from './digests.ts'
import type { FoundFile, Place } from './offers.ts'
import type { BadFile, Offer } from './plan.ts'

/** Whole files for bad ones. */
export interface Offers {
  readonly list: readonly Offer[]
  /** By the path of the bad file. */
  readonly found: ReadonlyMap<string, FoundFile>
  /** Those that lie in folders: their blocks are whole, too. */
  readonly files: readonly FilesBelow[]
}

/** Asks each place, in their order, for the files that none before has. */
export async function findOffers(
  bad: readonly BadFile[],
  wanted: ReadonlyMap<string, Wanted>,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<Offers> {
  const list: Offer[] = []
  const found = new Map<string, FoundFile>()
  for (const { means, name, find } of places)
    for (const { path } of bad) {
      signal.throwIfAborted()
      const file = wanted.get(path)
      const offer = file === undefined || found.has(path) ? undefined : await find(file)
      if (offer === undefined) continue
      found.set(path, offer)
      list.push({ path, means, place: name === '' ? offer.name : `${name}: ${offer.name}` })
    }
  const files = [...found.values()].flatMap(({ file }) =>
    file === undefined ? [] : [{ root: file.root, paths: [file.path] }],
  )
  return { list, found, files }
}
