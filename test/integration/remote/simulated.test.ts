import { describe, expect, test } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { chainTimes } from '../../../src/build/forecast.ts'
import { simulate } from '../../../src/build/simulate.ts'
import type { Metadata } from '../../../src/metadata/model.ts'
import { graphOf } from '../../../src/plan/graph.ts'
import { openRemote } from '../../../src/remote/execution/open.ts'
import { hasServer, hostRunner, reapiServer } from '../../support/reapi.ts'
import { artifactOf, eventsOf, id, storesWithTools } from '../../support/rig.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS, type ToyStore } from '../../support/toy.ts'

/** Seconds that each toy sleeps, and what it uses: two chains that meet, and two beside them. */
const TOYS = new Map<RecipeId, readonly [seconds: number, ...uses: string[]]>([
  [id('toy/a'), [4]],
  [id('toy/b'), [3, 'toy/a']],
  [id('toy/c'), [1]],
  [id('toy/d'), [2, 'toy/c']],
  [id('toy/top'), [1, 'toy/b', 'toy/d']],
])

/**
 * Recipes that use no core, so a busy machine does not matter; their costs say how long. Those of
 * another `mark` are others, which a server does not remember.
 */
const metadataOf = (mark: number): Metadata =>
  toyMetadata(
    TOOLS,
    ...[...TOYS].map(([name, [cost, ...uses]]) => {
      const inputs = [TOOLS.id, ...uses.map(id)]
      return toyRecipe(
        name,
        `sleep ${String(cost)}; echo ${String(mark)} > "$OUT/${name.slice(4)}"`,
        {
          inputs,
          cost,
        },
      )
    }),
  )

/** What a simulation says of a build whose tools are there; `seconds` is what each action took. */
function predicted(how: { cores: number; slots: number }, seconds: ReadonlyMap<string, number>) {
  const { slots, cores } = how
  const metadata = metadataOf(0)
  const nodes = [...graphOf(metadata, [id('toy/top')]).nodes.values()]
  const expected = chainTimes(nodes, (recipe) => metadata.recipes.get(recipe)!.cost)
  const { total, runs } = simulate({
    nodes,
    candidateOf: (recipe) => ({ recipe, remaining: expected.get(recipe)!, memory: 1 }),
    timeOf: (recipe) => seconds.get(recipe) ?? 0,
    machine: { cores, memory: Infinity, remoteOnly: slots > 0 },
    slots,
  })
  return { total, order: runs.map(({ recipe }) => recipe).filter((one) => one !== TOOLS.id) }
}

/** When toys began and ended, in seconds. */
function measured({ events }: ToyStore) {
  const starts = eventsOf(events, 'action-start').sort((a, b) => a.at - b.at)
  const ends = new Map(eventsOf(events, 'action-end').map(({ recipe, at }) => [recipe, at]))
  const [first, last] = [starts[0]!.at, Math.max(...ends.values())]
  return {
    total: (last - first) / 1000,
    order: starts.map(({ recipe }) => recipe),
    seconds: new Map<string, number>(
      starts.map(({ recipe, at }) => [recipe, (ends.get(recipe)! - at) / 1000]),
    ),
  }
}

/** Seconds between the end of an action and the start of the next, on a machine of many others. */
const BETWEEN = 2

function expectAlike(toyStore: ToyStore, how: { cores: number; slots: number }): void {
  const seen = measured(toyStore)
  const said = predicted(how, seen.seconds)
  // What begins at once has no order.
  const together = ([...order]: readonly string[]): string[] => [
    ...order.splice(0, Math.max(how.slots, how.cores)).sort(),
    ...order,
  ]
  expect(together(seen.order)).toEqual(together(said.order))
  expect(seen.total).toBeGreaterThanOrEqual(said.total - 0.1)
  expect(seen.total).toBeLessThanOrEqual(said.total + TOYS.size * BETWEEN)
  // It is what the toys sleep, and not the machine, that was measured.
  const least = predicted(how, new Map([...TOYS].map(([name, [slept]]) => [name, slept]))).total
  expect(seen.total).toBeGreaterThanOrEqual(least)
}

const toys = storesWithTools()

test.each([1, 2])('a build on %d cores goes as simulated', async (cores) => {
  const toyStore = await toys()
  const built = await toyBuild(toyStore, metadataOf(0), ['toy/top'], { cores })
  artifactOf(built, 'toy/top')
  expectAlike(toyStore, { cores, slots: 0 })
})

describe.skipIf(!hasServer)('on a server', () => {
  const server = reapiServer()
  const runner = hostRunner()

  test.each([1, 2])('that is given %d actions at a time, too', async (jobs) => {
    const toyStore = await toys()
    const { store, emit } = toyStore
    const none = { ca: undefined, certificate: undefined, key: undefined, token: undefined }
    const remote = () =>
      openRemote(
        {
          ...{ address: `http://127.0.0.1:${String(server().port)}`, instance: 'main', jobs },
          ...{ platform: {}, runner: runner(), ...none },
        },
        { store, emit, now: () => performance.now(), only: true },
      )
    const options = { cores: 1, remoteOnly: true }
    const built = await toyBuild(toyStore, metadataOf(jobs), ['toy/top'], options, { remote })
    artifactOf(built, 'toy/top')
    expectAlike(toyStore, { cores: 1, slots: jobs })
  })
})
