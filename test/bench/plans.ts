import type { Digest } from '../../src/base/digest.ts'
import { digestOf } from '../../src/base/digest.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { Forecast } from '../../src/build/forecast.ts'
import { Queue } from '../../src/build/queue.ts'
import { graphOf } from '../../src/plan/graph.ts'
import { LivePlan } from '../../src/plan/live-plan.ts'
import { toyMetadata, toyRecipe } from '../support/toy.ts'
import { usedByToy } from './toy-layers.ts'

/**
 * Does all the planning of a cold build of `count` toys, and of one that uses them all, as a build
 * does, one result after the other. Nothing is built, and the store is in memory. Prints the
 * processor time that planning took, milliseconds.
 */
function main(count: number): void {
  const ids = Array.from({ length: count }, (_, at) => `system/part-${at}` as RecipeId)
  const use = (numbers: readonly number[]): RecipeId[] =>
    numbers.flatMap((at) => ids[at] ?? []).sort()
  const recipes = ids.map((id, at) => toyRecipe(id, id, { inputs: use(usedByToy(at)) }))
  const target = 'system/all' as RecipeId
  const metadata = toyMetadata(
    ...recipes,
    toyRecipe(target, 'all', { inputs: use([...ids.keys()]) }),
  )
  const began = process.cpuUsage()
  const graph = graphOf(metadata, [target])
  const index = new Map<Digest, Digest>()
  const blobs = new Set<Digest>()
  const known = {
    artifactOf: (key: Digest) => index.get(key),
    has: (artifact: Digest) => blobs.has(artifact),
  }
  const live = new LivePlan(graph, [target], known)
  const forecast = new Forecast(graph, live.snapshot(), { history: () => [] })
  const queue = new Queue()
  const consider = (changed: Iterable<RecipeId>): void => {
    for (const id of changed)
      if (live.stateOf(id) === 'ready') queue.add(forecast.candidate(id))
      else queue.remove(forecast.candidate(id))
  }
  consider(graph.nodes.keys())
  for (;;) {
    const [id] = queue.take({ slots: 1, memory: 0, idle: true })
    const key = id === undefined ? undefined : live.get(id).key
    if (id === undefined || key === undefined) break
    index.set(key, digestOf(id))
    blobs.add(digestOf(id))
    consider(live.update(id))
  }
  if (live.stateOf(target) !== 'stored') throw new Error('the build did not come to its end')
  const { user, system } = process.cpuUsage(began)
  process.stdout.write(`${(user + system) / 1000}\n`)
}

main(Number(process.argv[2]))
