import { resolve } from 'node:path'
import { hostFingerprint } from '../../src/build/fingerprint.ts'
import { indexNamer, planOn } from '../../src/store/plan-view.ts'
import { readConfig } from '../../src/cli/config.ts'
import { layersFile } from '../../src/cli/defaults.ts'
import { describeEnd } from '../../src/cli/view/report.ts'
import { resolveTargets } from '../../src/cli/targets.ts'
import { loadMetadata } from '../../src/metadata/load.ts'
import { graphOf } from '../../src/plan/graph.ts'
import { Store } from '../../src/store/store.ts'
import type { IndexEntry } from '../../src/store/rooms.ts'

const indexName = indexNamer(hostFingerprint)

/**
 * Prints a table, in Markdown, of what each recipe of a target's graph took when it was built, the
 * longest first, from the store's index. Recipes that this store has not built as they are now are
 * named below it.
 */
async function main(target: string): Promise<void> {
  const { store: root } = await readConfig(process.env)
  const store = await Store.open(resolve(root), {
    emit: () => undefined,
    now: () => performance.now(),
  })
  const metadata = await loadMetadata(layersFile(undefined))
  const targets = resolveTargets(metadata, [target])
  const entries: IndexEntry[] = []
  const missing: string[] = []
  for (const [id, { key, node }] of planOn(
    { store, indexName },
    graphOf(metadata, targets),
    targets,
  )) {
    const entry = key === undefined ? undefined : store.index.find(indexName(key, node.recipe.host))
    if (entry === undefined) missing.push(id)
    else entries.push(entry)
  }
  await store.session.close()
  process.stdout.write(`${tableOf(entries)}\n`)
  if (missing.length > 0)
    process.stdout.write(`\nNot built as they are now: ${missing.join(', ')}\n`)
}

function tableOf(entries: readonly IndexEntry[]): string {
  const sum = (field: 'durationMs' | 'cpuMs' | 'size'): number =>
    entries.reduce((total, entry) => total + entry[field], 0)
  const peakMemory = Math.max(0, ...entries.map((entry) => entry.peakMemory))
  const all = { durationMs: sum('durationMs'), cpuMs: sum('cpuMs'), peakMemory, size: sum('size') }
  return [
    '| recipe | wall, s | CPU, s | peak memory, MiB | artifact, MiB |',
    '|---|--:|--:|--:|--:|',
    ...entries
      .toSorted((a, b) => b.durationMs - a.durationMs)
      .map((entry) => row(entry.recipe, entry)),
    row(`all ${entries.length}: sums, and the highest peak`, all),
  ].join('\n')
}

function row(
  name: string,
  entry: Pick<IndexEntry, 'durationMs' | 'cpuMs' | 'peakMemory' | 'size'>,
): string {
  const { durationMs, cpuMs, peakMemory, size } = entry
  const [peak, mebibytes] = [peakMemory, size].map((bytes) => (bytes / 2 ** 20).toFixed(1))
  return (
    `| ${name} | ${(durationMs / 1000).toFixed(1)} | ${(cpuMs / 1000).toFixed(1)} ` +
    `| ${String(peak)} | ${String(mebibytes)} |`
  )
}

try {
  await main(process.argv[2] ?? 'tiny')
} catch (error) {
  const { code, text } = describeEnd(error)
  process.stderr.write(`${text}\n`)
  process.exitCode = code
}
