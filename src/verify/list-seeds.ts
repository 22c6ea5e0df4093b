import type { EventSink } from '../base/events.ts'
import { byCodeUnit } from '../base/order.ts'
import type { SourceFinder } from '../fetch/find-source.ts'
import type { FileSource } from '../metadata/model.ts'
import { blobSize } from '../store/blob-size.ts'
import type { Store } from '../store/store.ts'
import { notedTallies, scanAndNote } from './noted-scan.ts'
import { MODULES, SCRIPTS } from './scan-source.ts'
import { KINDS, type Kind } from './seeds.ts'

/** Inputs of one kind that are not source code in the strict sense. */
export interface Seeds {
  readonly kind: string
  readonly why: string
  /** Sources that hold such files, by name; `bytes` is the sum of the files' sizes, unpacked. */
  readonly sources: readonly {
    readonly source: string
    readonly files: number
    readonly bytes: number
  }[]
}

const LISTED: readonly Kind[] = [
  ...KINDS,
  {
    name: SCRIPTS,
    why:
      'published as they run: some compiled from TypeScript or bundled, ' +
      'from what is not in the package',
  },
  {
    name: MODULES,
    why: "written to be read and changed, but as Debian's build installed them, with its patches",
  },
]

/** What {@link listSeeds} works with. */
export interface SeedSupplies {
  readonly store: Store
  readonly find: SourceFinder
  readonly emit: EventSink
  readonly now: () => number
}

/**
 * What among `sources` is not source code in the strict sense, by kind; kinds of which there is
 * nothing are left out. The same source listed twice counts once. The store notes what was found in
 * a source, so that each is looked through once. Those that it has not noted are fetched.
 */
export async function listSeeds(
  sources: readonly FileSource[],
  { store, find, emit, now }: SeedSupplies,
): Promise<Seeds[]> {
  const unique = new Map(sources.map((source) => [source.sha256, source]))
  const rows = [...unique.values()]
    .sort((a, b) => byCodeUnit(a.name, b.name))
    .map((source) => ({ source, tallies: notedTallies(store, source) }))
  const news = rows.filter(({ tallies }) => tallies === undefined)
  const sizes = news.map(({ source }) => blobSize(store.root, source.sha256))
  const size = sizes.reduce((sum, one) => sum + one, 0)
  if (news.length > 0) emit({ type: 'seeds-start', at: now(), sources: news.length, size })
  let bytes = 0
  for (const [at, row] of news.entries()) {
    row.tallies = await scanAndNote(store, row.source, await find(row.source))
    bytes += sizes[at] ?? 0
    emit({ type: 'progress', at: now(), what: 'look through sources', bytes, size })
  }
  const found = rows.map(({ source, tallies = [] }) => ({ source: source.name, tallies }))
  return LISTED.map(({ name, why }) => ({
    kind: name,
    why,
    sources: found.flatMap(({ source, tallies }) =>
      tallies
        .filter(({ kind }) => kind === name)
        .map(({ files, bytes }) => ({ source, files, bytes })),
    ),
  })).filter((seeds) => seeds.sources.length > 0)
}
