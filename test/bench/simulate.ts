import { parseArgs } from 'node:util'
import { formatBytes, formatDuration } from '../../src/base/format.ts'
import { layersFile } from '../../src/cli/defaults.ts'
import { describeEnd } from '../../src/cli/view/report.ts'
import { loadMetadata } from '../../src/metadata/load.ts'
import { farmOf, type Costs } from './farm.ts'
import { imageGraph, syntheticGraph, type FarmGraph } from './farm-graphs.ts'

const WORKERS = [1, 2, 4, 8, 16, 32, 64, 128]
/** Recipes of synthetic graphs. */
const SYNTHETIC = [300, 1000, 10_000]
/** Cores of the machine that builds. */
const CORES = 2

/**
 * Prints what 1 to 128 workers bring: for the graph of an image with the times of its record, and
 * for larger graphs whose actions take what those of that image took. Nothing is built.
 *   node dist/test/bench/simulate.js [--overhead SECONDS] [--bandwidth MB/S] [--seed N] [RECORD]
 * RECORD is by default out/appliance.json, of the layers in effect.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      overhead: { type: 'string', default: '5' },
      bandwidth: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
    },
  })
  const costs = {
    overheadMs: Number(values.overhead) * 1e3,
    bandwidth: Number(values.bandwidth) * 1e6,
  }
  const metadata = await loadMetadata(layersFile(undefined))
  const image = await imageGraph(positionals[0] ?? 'out/appliance.json', metadata)
  print(image.target, image, costs)
  const host = (id: string): boolean => metadata.recipes.get(id as never)?.host === true
  const samples = [...image.measured].flatMap(([id, took]) => (host(id) ? [] : took))
  for (const count of SYNTHETIC)
    print(`${String(count)} recipes`, syntheticGraph(count, samples, Number(values.seed)), costs)
}

function print(title: string, farm: FarmGraph, costs: Costs): void {
  const nodes = [...farm.graph.nodes.keys()]
  const guessed = nodes.filter((id) => !farm.measured.has(id)).length
  const build = farmOf(farm)
  const here = build({ workers: 0, cores: CORES }, costs)
  const one = build({ workers: 1, cores: CORES }, costs)
  const rows = WORKERS.map((workers) => {
    const { total, busy, criticalPath } = build({ workers, cores: CORES }, costs)
    const speedUp = (one.total / total).toFixed(2)
    const share = `${(busy * 100).toFixed(0)} %`
    const over = (total / criticalPath).toFixed(2)
    return `| ${String(workers)} | ${formatDuration(total)} | ${speedUp} | ${share} | ${over} |`
  })
  const lines = [
    `${title}: ${String(nodes.length)} actions, ${String(guessed)} of them by the recipe's cost`,
    `critical path ${formatDuration(here.criticalPath)}; ` +
      `here, ${String(CORES)} actions at a time: ${formatDuration(here.total)}`,
    `each action on a worker: ${formatDuration(costs.overheadMs)} and its artifacts at ` +
      `${formatBytes(costs.bandwidth)} a second`,
    '',
    '| workers | wall time | speed-up | workers busy | of the critical path |',
    '|--:|--:|--:|--:|--:|',
    ...rows,
    '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

try {
  await main()
} catch (error) {
  const { code, text } = describeEnd(error)
  process.stderr.write(`${text}\n`)
  process.exitCode = code
}
