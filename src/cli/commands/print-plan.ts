import { counted } from '../../base/format.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { Estimate } from '../../build/estimate.ts'
import { Forecast } from '../../build/forecast.ts'
import { compareDocuments } from '../../plan/compare-documents.ts'
import type { Graph } from '../../plan/graph.ts'
import type { Plan, Planned } from '../../plan/plan.ts'
import type { Index, Origin } from '../../store/rooms.ts'
import type { CommandContext } from '../context.ts'
import { describeOrigin, formatDuration } from '../view/format.ts'

/** At most so many differences are shown for one action. */
const MOST_REASONS = 3

/**
 * `build -n`: what a build would do, in the order of the graph: what runs, why, and for how long.
 * What is stored is only counted, unless another machine made it; JSON names all of it.
 */
export async function printPlan(
  command: CommandContext,
  graph: Graph,
  plan: Plan,
  cores: number,
): Promise<void> {
  const { index } = await command.store()
  const forecast = new Forecast(graph, plan, index)
  const needed = [...plan].filter(([, { state }]) => state !== 'unneeded')
  for (const [recipe, planned] of needed) {
    const { state, waitsFor } = planned
    const runs = state !== 'stored'
    const why = runs ? reasons(index, recipe, planned) : []
    const about = runs ? { why, expectedMs: forecast.duration(recipe) } : {}
    const origin = runs ? undefined : originOf(index, planned)
    const lines = runs
      ? describe(recipe, planned, why, forecast.duration(recipe))
      : origin === undefined
        ? []
        : [`${recipe}: stored, ${describeOrigin(origin)}`]
    await command.result(lines, {
      ...{ type: 'planned', recipe, state, waitsFor, ...about },
      ...(origin && { origin }),
    })
  }
  if (command.options.json === true) return
  const running = needed.flatMap(([id, { state }]) => (state === 'stored' ? [] : [id]))
  const stored = `${String(needed.length - running.length)} stored`
  const time = formatDuration(new Estimate(plan, forecast, cores).leftMs(0))
  const on = counted(cores, 'core')
  const summary =
    running.length === 0
      ? stored
      : `${stored}, at most ${String(running.length)} to run: about ${time} on ${on}`
  process.stdout.write(`${summary}\n`)
}

function describe(
  recipe: RecipeId,
  { state, waitsFor }: Planned,
  why: readonly string[],
  expected: number,
): string[] {
  const time = `about ${formatDuration(expected)}`
  if (state === 'waits') return [`${recipe}: may run, ${time}, waits for ${waitsFor.join(', ')}`]
  const more = why.length - MOST_REASONS
  return [
    `${recipe}: will run, ${time}`,
    ...why.slice(0, MOST_REASONS).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${String(more)} more`] : []),
  ]
}

/** Who made what is stored, if another machine did. Results of host layers are not shared. */
function originOf(index: Index, { key, node }: Planned): Origin | undefined {
  return key === undefined || node.recipe.host ? undefined : index.find(key)?.origin
}

/** How an action differs from the last one of its recipe; empty while its inputs are not known. */
function reasons(index: Index, recipe: RecipeId, { document }: Planned): string[] {
  if (document === undefined) return []
  const last = index.history(recipe).at(-1)
  const before = last === undefined ? undefined : index.find(last.name)
  if (before === undefined) return ['new: it was never built on this store']
  const differences = compareDocuments(before.document, document)
  return differences.length > 0 ? differences : ['its artifact is missing, or the host changed']
}
