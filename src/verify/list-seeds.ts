import { byCodeUnit } from '../base/order.ts'
import type { SourceFinder } from '../fetch/find-source.ts'
import type { FileSource } from '../metadata/model.ts'
import { MODULES, scanSource, SCRIPTS, type Tally } from './scan-source.ts'
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

/**
 * What among `sources` is not source code in the strict sense, by kind; kinds of which there is
 * nothing are left out. The same source listed twice counts once.
 */
export async function listSeeds(
  sources: readonly FileSource[],
  find: SourceFinder,
): Promise<Seeds[]> {
  const unique = new Map(sources.map((source) => [source.sha256, source]))
  const found: { readonly source: string; readonly tallies: readonly Tally[] }[] = []
  for (const source of [...unique.values()].sort((a, b) => byCodeUnit(a.name, b.name))) {
    const npm = source.from.some((place) => place.startsWith('npm:'))
    found.push({
      source: source.name,
      tallies: await scanSource(await find(source), source.name, npm),
    })
  }
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
