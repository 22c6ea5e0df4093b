import { loadMetadata } from '../../src/metadata/load.ts'
import { graphOf } from '../../src/plan/graph.ts'
import { plan } from '../../src/plan/plan.ts'

/** What {@link main} prints, as JSON: milliseconds. */
export interface LoadTimes {
  readonly loadMs: number
  readonly planMs: number
}

/**
 * Loads and validates the layers named in the only argument and plans all their recipes, each key
 * computed.
 */
async function main(layersFile: string): Promise<void> {
  const started = performance.now()
  const metadata = await loadMetadata(layersFile)
  const loaded = performance.now()
  const targets = [...metadata.recipes.keys()]
  plan(graphOf(metadata, targets), targets, { artifactOf: (key) => key, has: () => true })
  const times: LoadTimes = { loadMs: loaded - started, planMs: performance.now() - loaded }
  process.stdout.write(`${JSON.stringify(times)}\n`)
}

await main(process.argv[2] ?? '')
