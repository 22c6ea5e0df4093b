import { digestOf } from '../../src/base/digest.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { chainTimes, Forecast } from '../../src/build/forecast.ts'
import { simulate, type Place } from '../../src/build/simulate.ts'
import { nodeOf, usedBy } from '../../src/plan/graph.ts'
import { plan } from '../../src/plan/plan.ts'
import type { FarmGraph } from './farm-graphs.ts'

/** What an action costs on another machine, beside its own time. */
export interface Costs {
  /** Milliseconds for each action, such as those of unpacking its inputs. */
  readonly overheadMs: number
  /** Bytes in a second of each link. */
  readonly bandwidth: number
}

/** A farm, and the machine that builds by it. */
export interface Farm {
  /** Each runs one action at a time; 0: all is built here. */
  readonly workers: number
  /** Actions that this machine runs at a time. With workers: those of host layers only. */
  readonly cores: number
}

/** A build on a farm. Times are in milliseconds. */
export interface FarmBuild {
  readonly total: number
  /** The part of the time that workers have something to do, 0 to 1. */
  readonly busy: number
  /** The longest chain of actions, without what other machines cost. */
  readonly criticalPath: number
}

/**
 * Simulates cold builds of a graph. A worker keeps nothing: it gets all that an action uses, and
 * its artifact goes to the server and to this machine.
 */
export function farmOf({
  graph,
  target,
  measured,
}: FarmGraph): (farm: Farm, costs: Costs) => FarmBuild {
  const nodes = [...graph.nodes.values()]
  const nothing = { artifactOf: () => undefined, has: () => false }
  const name = digestOf('any') // nobody looks a result up by it
  const forecast = new Forecast(graph, plan(graph, [target], nothing), {
    history: (id) => [measured.get(id) ?? []].flat().map((took) => ({ name, ...took })),
  })
  const duration = (id: RecipeId): number => forecast.duration(id)
  const criticalPath = Math.max(0, ...chainTimes(nodes, duration).values())
  const sizeOf = (id: RecipeId): number => measured.get(id)?.size ?? 0
  return ({ workers, cores }, { overheadMs, bandwidth }) => {
    const timeOf = (id: RecipeId, place: Place): number => {
      if (place === 'here') return duration(id)
      const inputs = usedBy(nodeOf(graph.nodes, id)).reduce((sum, used) => sum + sizeOf(used), 0)
      return duration(id) + overheadMs + ((inputs + 2 * sizeOf(id)) / bandwidth) * 1000
    }
    const { total, runs } = simulate({
      nodes,
      candidateOf: (id) => forecast.candidate(id),
      timeOf,
      machine: { cores, memory: Infinity, remoteOnly: workers > 0 },
      slots: workers,
    })
    const away = runs.filter(({ place }) => place === 'away')
    const used = away.reduce((sum, { start, end }) => sum + end - start, 0)
    return { total, busy: workers === 0 ? 0 : used / (workers * total), criticalPath }
  }
}
