import { counted, formatBytes, formatDuration } from '../../../base/format.ts'
import type { RecipeId } from '../../../base/recipe-id.ts'
import type { Facts } from '../facts.ts'
import type { Name, Names } from '../names.ts'
import { percent, type Rules } from '../rules.ts'
import { criticalPath, planTimeline, type Run, type Timeline } from '../schedule.ts'

/** One action in a drawing. */
interface Bar extends Name {
  readonly bar: string
  readonly title: string
  readonly critical: boolean
  /** Whether its time is an estimate. */
  readonly guessed: boolean
}

/** A build on some cores, drawn. */
interface Drawn {
  readonly cores: number
  readonly checked: boolean
  readonly total: string
  readonly spoken: string
  readonly lanes: readonly { readonly core: number; readonly bars: readonly Bar[] }[]
  /** `late` ones have no room for a label to their right. */
  readonly ticks: readonly {
    readonly tick: string
    readonly label: string
    readonly late: boolean
  }[]
}

/** A recipe's action, as a row of a table. */
interface Row {
  readonly name: Name
  readonly critical: boolean
  readonly time: string
  readonly bar: string
  readonly cpu: string
  readonly cores: string
  readonly memory: string
  readonly artifact: string
}

/** What the page says of the build. */
export interface Build {
  readonly absent: string | undefined
  readonly lead: string
  /** What the plan does not know. */
  readonly caveat: string
  readonly hasGuesses: boolean
  readonly plans: readonly Drawn[]
  readonly path: readonly { readonly name: Name; readonly time: string; readonly until: string }[]
  readonly rows: readonly Row[]
}

/** Cores that builds are planned for; those that bring nothing more are left out. */
const CORES = [1, 2, 4, 8, 16]
const USUAL = 2

type Measured = Facts['record']['recipes'][number]

/** The build by time: planned for some cores from what was measured. */
export function build({ record, layers, names }: Facts, rules: Rules): Build {
  const measured = new Map<string, Measured>(record.recipes.map((one) => [one.recipe, one]))
  const known = record.recipes.filter(({ durationMs }) => durationMs !== undefined)
  const nodes = known.length === 0 ? [] : (layers?.nodes ?? [])
  const costs = new Map(nodes.map(({ recipe }) => [recipe.id, recipe.cost * 1000]))
  const durationOf = (id: RecipeId): number => measured.get(id)?.durationMs ?? costs.get(id) ?? 0
  const guessed = nodes
    .map(({ recipe }) => recipe.id)
    .filter((id) => measured.get(id)?.durationMs === undefined)
  const path = criticalPath(nodes, durationOf)
  const drawer = { names, isCritical: new Set(path), isGuessed: new Set(guessed), rules }
  const shortest = path.reduce((sum, id) => sum + durationOf(id), 0)
  const plans: Timeline[] = []
  for (const cores of nodes.length === 0 ? [] : CORES) {
    if (plans.some(({ total }) => total <= shortest)) break
    plans.push(planTimeline(nodes, durationOf, cores))
  }
  const usual = plans.find(({ cores }) => cores === USUAL) ?? plans[0]
  return {
    absent: absenceOf(known.length, layers !== undefined),
    lead: leadOf(usual, shortest, path.length),
    caveat: caveatOf(guessed.length),
    hasGuesses: guessed.length > 0,
    plans: plans.map((plan) => draw(plan, plan === usual, drawer)),
    path: pathRows(path, durationOf, names),
    rows: rowsOf(record.recipes, drawer),
  }
}

function absenceOf(known: number, hasLayers: boolean): string | undefined {
  if (known === 0) return 'The record of this image says nothing of times.'
  if (!hasLayers) return 'The layers in effect do not say what waits for what in this build.'
  return undefined
}

function leadOf(usual: Timeline | undefined, shortest: number, steps: number): string {
  if (usual === undefined) return ''
  return (
    `${formatDuration(usual.total)} on ${counted(usual.cores, 'core')}, as planned from measured ` +
    `times. The critical path takes ${formatDuration(shortest)}: ${counted(steps, 'action')}, ` +
    'each of which waits for the one before.'
  )
}

function caveatOf(guessed: number): string {
  const without =
    guessed === 0
      ? ''
      : ` The time of ${counted(guessed, 'action')} is not known: the estimate of the recipe ` +
        'stands in its place.'
  return (
    'This is a plan, not a log. The record says how long each action took where it ran last, but ' +
    'not when it began. Here each action takes one core for that time, though it may have used ' +
    `several. Memory and downloads are no limit.${without}`
  )
}

interface Drawer {
  readonly names: Names
  readonly isCritical: ReadonlySet<RecipeId>
  readonly isGuessed: ReadonlySet<RecipeId>
  readonly rules: Rules
}

function draw(
  { cores, total, runs }: Timeline,
  checked: boolean,
  { names, isCritical, isGuessed, rules }: Drawer,
): Drawn {
  const whole = total || 1
  const lanes = Array.from({ length: cores }, (_, core) => ({
    core: core + 1,
    bars: runs
      .filter((run) => run.core === core)
      .flatMap((run) => {
        const name = names.of(run.recipe)
        if (name === undefined) return []
        const [left, width] = [run.start / whole, (run.end - run.start) / whole]
        const guessed = isGuessed.has(run.recipe)
        return {
          ...name,
          bar: rules.add(`left:${percent(left)};width:${percent(width)}`),
          title: titleOf(run, guessed),
          critical: isCritical.has(run.recipe),
          guessed,
        }
      }),
  }))
  return {
    cores,
    checked,
    total: formatDuration(total),
    spoken: `Timeline on ${counted(cores, 'core')}: ${formatDuration(total)} in all.`,
    lanes: lanes.filter(({ bars }) => bars.length > 0),
    ticks: ticksOf(whole).map((at) => ({
      tick: rules.add(`left:${percent(at / whole)}`),
      label: at === 0 ? '0' : tickLabel(at),
      late: at / whole > LATE,
    })),
  }
}

function titleOf({ recipe, start, end }: Run, isGuessed: boolean): string {
  const [from, to] = [formatDuration(start), formatDuration(end)]
  const guess = isGuessed ? ', an estimate' : ''
  return `${recipe}: ${formatDuration(end - start)}${guess}, from ${from} to ${to}`
}

/** Steps between ticks, in seconds. */
const STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200, 86_400]
const DAY = 86_400
const [MOST_TICKS, LATE] = [9, 0.86]

/** Whole days where a build takes longer than the table knows. */
function ticksOf(total: number): number[] {
  const fits = (seconds: number): boolean => total / seconds / 1000 < MOST_TICKS
  const days = Math.ceil(total / MOST_TICKS / DAY / 1000 + 1e-9)
  const step = (STEPS.find(fits) ?? days * DAY) * 1000
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step)
}

function tickLabel(ms: number): string {
  const minutes = ms / 60_000
  if (minutes < 1) return `${ms / 1000} s`
  if (minutes < 60 || minutes % 60 !== 0) return `${minutes} min`
  return `${minutes / 60} h`
}

function pathRows(
  path: readonly RecipeId[],
  durationOf: (recipe: RecipeId) => number,
  names: Names,
): Build['path'] {
  let until = 0
  return path.flatMap((id) => {
    const name = names.of(id)
    until += durationOf(id)
    const times = { time: formatDuration(durationOf(id)), until: formatDuration(until) }
    return name === undefined ? [] : [{ name, ...times }]
  })
}

function rowsOf(recipes: readonly Measured[], { names, isCritical, rules }: Drawer): Row[] {
  const longest = recipes.reduce((most, { durationMs = 0 }) => Math.max(most, durationMs), 1)
  return [...recipes]
    .sort((a, b) => (b.durationMs ?? -1) - (a.durationMs ?? -1))
    .flatMap(({ recipe, durationMs, cpuMs, peakMemory, size }) => {
      const name = names.of(recipe)
      if (name === undefined) return []
      const uses = durationMs && cpuMs !== undefined ? (cpuMs / durationMs).toFixed(1) : UNKNOWN
      return {
        name,
        critical: isCritical.has(recipe),
        time: shown(durationMs, formatDuration),
        bar: rules.bar((durationMs ?? 0) / longest),
        cpu: shown(cpuMs, formatDuration),
        cores: uses,
        memory: shown(peakMemory, formatBytes),
        artifact: shown(size, formatBytes),
      }
    })
}

const UNKNOWN = '–'

function shown(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? UNKNOWN : format(value)
}
