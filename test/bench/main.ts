import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { readConfig } from '../../src/cli/config.ts'
import { layersFile } from '../../src/cli/defaults.ts'
import { removeTree } from '../../src/base/remove-tree.ts'
import { generateTree } from '../support/generate.ts'
import type { LoadTimes } from './load.ts'
import { median, report, seconds, timed, type Timing } from './measure.ts'
import { compare, type Overhead } from './overhead.ts'
import { FIXPOINT, inTemporaryFolder, program } from './paths.ts'
import { timePeers, type PeerTimes } from './peers.ts'
import { TOY_TARGET, writeBusyLayers, writeToyLayers } from './toy-layers.ts'

/** Recipes of the toy layers that stand in for those of `tiny`. */
const TOY_RECIPES = 60
/** Toys that are built as others build them. */
const TOYS = 100
const REAL_RECIPE = 'bootstrap/binutils' as RecipeId

/**
 * Prints figures, a line each with its budget: those of the names given, or all. The exit code
 * tells whether all could be measured, whatever the figures.
 */
async function main(names: readonly string[]): Promise<void> {
  const chosen =
    names.length > 0 ? names : ['node', 'nothing', 'load', 'plan', 'toys', 'files', 'overhead']
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
  plan,
  toys,
  files,
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

/** All planning of a cold build: after each result, what is to be done next. */
function plan(): void {
  for (const count of [1000, 10_000]) {
    const ms = Number(timed([...program('plans'), String(count)]).output)
    const budget = count === 10_000 ? 'budget 10 s' : 'no budget'
    report(`planning of a cold build, ${count} toys`, `${seconds(ms)} CPU`, budget)
  }
}

/** The same graph of toys by Fixpoint, and by what a user would pick instead. */
async function toys(): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const [own, ...others] = await timePeers(folder, TOYS)
    if (own === undefined) return
    reportPeer(own, own)
    for (const other of others) reportPeer(other, own)
  })
}

function reportPeer({ name, cold, nothing }: PeerTimes, own: PeerTimes): void {
  const value = (theirs: Timing, mine: Timing): string =>
    theirs === mine ? walls([theirs]) : `${walls([theirs])}; Fixpoint ${times(mine, theirs)}`
  const budget = cold === own.cold ? 'budget 3.00 s wall' : NONE
  report(`${TOYS} toys, ${name}`, value(cold, own.cold), budget)
  report(`- nothing to do, ${name}`, value(nothing, own.nothing), NONE)
}

function times(mine: Timing, theirs: Timing): string {
  // What takes less is told as this: the shell's clock goes no finer.
  const least = 10
  return `${ratio(mine.cpuMs, Math.max(theirs.cpuMs, least))} times the CPU time`
}

/** Packing, unpacking and hashing, against tar and sha256sum. */
async function files(): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    timed([...program('files'), 'write', folder])
    const [tree, tar] = [join(folder, 'tree'), join(folder, 'tree.tar')]
    const both = timed([...program('files'), 'unpack', folder])
    await removeTree(join(folder, 'store'))
    const packed = timed([...program('files'), 'pack', folder])
    const tarred = timed([
      'sh',
      '-c',
      `tar -C ${tree} --sort=name -cf ${tar} . && sha256sum ${tar}`,
    ])
    const untarred = timed(['sh', '-c', `mkdir ${folder}/x && tar -C ${folder}/x -xf ${tar}`])
    const unpackMs = both.cpuMs - packed.cpuMs
    report('pack 100,000 files', against(packed.cpuMs, tarred.cpuMs, 'tar and sha256sum'), NONE)
    report('unpack 100,000 files', against(unpackMs, untarred.cpuMs, 'tar'), NONE)
    const [own, other] = [
      timed([...program('files'), 'hash', folder]),
      timed(['sha256sum', join(folder, 'large')]),
    ]
    report('hash 1 GiB', against(own.cpuMs, other.cpuMs, 'sha256sum'), NONE)
  })
}

const NONE = 'no budget'

function against(own: number, other: number, name: string): string {
  return `${seconds(own)} CPU, ${ratio(own, other)} times that of ${name}`
}

function ratio(a: number, b: number): string {
  return (a / b).toFixed(1)
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
  const of = runs.length > 1 ? `, median of ${runs.length}` : ''
  return `${seconds(wall)} wall, ${seconds(cpu)} CPU${of}`
}

await main(process.argv.slice(2))
