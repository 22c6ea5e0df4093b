import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { readConfig } from '../../src/cli/config.ts'
import { layersFile } from '../../src/cli/defaults.ts'
import { generateTree } from '../support/generate.ts'
import type { LoadTimes } from './load.ts'
import { median, report, seconds, timed } from './measure.ts'
import { compare, type Overhead } from './overhead.ts'
import { FIXPOINT, inTemporaryFolder, program } from './paths.ts'
import { TOY_TARGET, writeBusyLayers, writeToyLayers } from './toy-layers.ts'

/** Recipes of the toy layers that stand in for those of `tiny`. */
const TOY_RECIPES = 60
const REAL_RECIPE = 'bootstrap/binutils' as RecipeId

/**
 * Prints figures, a line each with its budget: those of the names given, or all. The exit code
 * tells whether all could be measured, whatever the figures.
 */
async function main(names: readonly string[]): Promise<void> {
  const chosen = names.length > 0 ? names : ['node', 'nothing', 'load', 'overhead']
  for (const name of chosen) {
    const measure = MEASURES[name]
    if (measure === undefined)
      throw new Error(`no such figure: ${name}; there are ${Object.keys(MEASURES).join(', ')}`)
    try {
      await measure()
    } catch (error) {
      process.stdout.write(
        `${name}: not measured: ${error instanceof Error ? error.message : String(error)}\n`,
      )
      process.exitCode = 1
    }
  }
}

const MEASURES: Readonly<Record<string, () => void | Promise<void>>> = {
  node,
  nothing,
  load,
  overhead,
  'toy-overhead': toyOverhead,
}

/** The yardstick: what no command can do without, and how busy the machine was. */
function node(): void {
  const runs = Array.from({ length: 10 }, () => timed([process.execPath, '-e', '0']))
  const machine = `${availableParallelism()} cores, load ${(loadavg()[0] ?? 0).toFixed(1)}`
  report('start of node alone', walls(runs), `no budget; ${machine}`)
}

async function nothing(): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    // Images are exported once before the clock runs, as any second build finds them.
    let command = [...FIXPOINT, 'build', '--offline', '--output', join(folder, 'out'), 'tiny']
    const real = timed([...FIXPOINT, 'build', '--dry-run', 'tiny']).output.endsWith('tiny: stored')
    if (!real) {
      const layers = await writeToyLayers(folder, TOY_RECIPES - 2)
      command = [
        ...FIXPOINT,
        '--layers',
        layers,
        '--store',
        join(folder, 'store'),
        'build',
        '--offline',
        TOY_TARGET,
      ]
    }
    timed(command)
    const runs = Array.from({ length: 10 }, () => timed(command))
    report(
      `nothing to do, ${real ? 'tiny' : `${TOY_RECIPES} toy recipes`}`,
      walls(runs),
      'budget 0.50 s',
    )
  })
}

async function load(): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const layers = await generateTree(folder, { recipes: 1000 })
    const runs = Array.from({ length: 5 }, () => timed([...program('load'), layers]))
    const times = runs.map(({ output }) => JSON.parse(output) as LoadTimes)
    report('load, validate and plan 1,000 recipes', walls(runs), 'budget 1.00 s')
    report(
      '- load and validate alone',
      seconds(median(times.map(({ loadMs }) => loadMs))),
      'part of it',
    )
    report('- plan alone', seconds(median(times.map(({ planMs }) => planMs))), 'part of it')
  })
}

async function overhead(): Promise<void> {
  const { store } = await readConfig(process.env)
  const mirror = process.env['FIXPOINT_BENCH_MIRROR']
  const comparison = {
    layersFile: layersFile(undefined),
    target: REAL_RECIPE,
    from: store,
    mirror,
    rounds: 3,
  }
  await inTemporaryFolder(async (folder) => {
    reportOverhead(REAL_RECIPE, await compare(folder, comparison))
  })
}

/** The same with a recipe of some seconds without sources: to try the measuring out. */
async function toyOverhead(): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const target = 'system/busy' as RecipeId
    const comparison = {
      layersFile: await writeBusyLayers(folder, 5),
      target,
      from: folder,
      mirror: undefined,
      rounds: 2,
    }
    reportOverhead(target, await compare(folder, comparison))
  })
}

function reportOverhead(target: RecipeId, { engineMs, scriptMs }: Overhead): void {
  const percent = ((engineMs / scriptMs - 1) * 100).toFixed(1)
  const value =
    `${percent} %, ${seconds(engineMs)} by the engine, ` + `${seconds(scriptMs)} by a plain script`
  report(`engine overhead, ${target}`, value, 'budget 3 % of a build of a minute or more')
}

function walls(runs: readonly { readonly wallMs: number; readonly cpuMs: number }[]): string {
  const [wall, cpu] = [
    median(runs.map(({ wallMs }) => wallMs)),
    median(runs.map(({ cpuMs }) => cpuMs)),
  ]
  return `${seconds(wall)} wall, ${seconds(cpu)} CPU, median of ${runs.length}`
}

await main(process.argv.slice(2))
