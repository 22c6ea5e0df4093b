import { byCodeUnit } from '../../base/order.ts'
import type { FileSource } from '../../metadata/model.ts'
import { graphOf } from '../../plan/graph.ts'
import { scanSource, SCRIPTS, type Tally } from '../../verify/scan-source.ts'
import { KINDS } from '../../verify/seeds.ts'
import type { Engine } from '../engine.ts'
import { resolveTargets } from '../targets.ts'
import { buildContext } from './build.ts'

const WHY = new Map([
  ...KINDS.map(({ name, why }) => [name, why] as const),
  [
    SCRIPTS,
    'published as they run: some were compiled from TypeScript or bundled before, from what is not in the package',
  ],
])

/** `seeds [TARGET…]`: everything among the inputs of targets that is not source code in the strict sense, by kind and by source. */
export async function seedsCommand(engine: Engine, words: readonly string[]): Promise<void> {
  const metadata = await engine.metadata()
  const { store, fetcher } = await buildContext(engine, {})
  const sources = new Map<string, FileSource>()
  for (const { recipe } of graphOf(metadata, resolveTargets(metadata, words)).nodes.values())
    for (const source of recipe.sources) if (source.kind === 'file') sources.set(source.sha256, source)
  const found: { readonly source: string; readonly tallies: readonly Tally[] }[] = []
  for (const source of [...sources.values()].sort((a, b) => byCodeUnit(a.name, b.name))) {
    await fetcher.fetch(source, engine.signal)
    await store.checkBlob(source.sha256)
    const npm = source.from.some((place) => place.startsWith('npm:'))
    const tallies = await scanSource(store.blobPath(source.sha256), npm)
    if (tallies.length > 0) found.push({ source: source.name, tallies })
  }
  for (const [kind, why] of WHY) {
    const rows = found.flatMap(({ source, tallies }) =>
      tallies.filter((tally) => tally.kind === kind).map((tally) => ({ source, ...tally })),
    )
    if (rows.length === 0) continue
    const files = rows.reduce((sum, row) => sum + row.files, 0)
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
    await engine.result(
      [
        `## ${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}`,
        `${String(files)} files, ${String(bytes)} bytes: ${why}.`,
        '',
        '| source | files | bytes |',
        '|---|--:|--:|',
        ...rows.map((row) => `| ${row.source} | ${String(row.files)} | ${String(row.bytes)} |`),
        '',
      ],
      { type: 'seeds', kind, why, sources: rows.map(({ source, files, bytes }) => ({ source, files, bytes })) },
    )
  }
}
