import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { graphOf, type Graph } from '../../../src/plan/graph.ts'
import { LivePlan } from '../../../src/plan/live-plan.ts'
import { plan, type Known } from '../../../src/plan/plan.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

/** A store in memory. */
class World implements Known {
  readonly index = new Map<Digest, Digest>()
  readonly blobs = new Set<Digest>()
  lookups = 0

  artifactOf(key: Digest): Digest | undefined {
    this.lookups += 1
    return this.index.get(key)
  }

  has(artifact: Digest): boolean {
    return this.blobs.has(artifact)
  }

  /** Records that the action `key` gave the bytes that `text` stands for. */
  make(key: Digest, text: string): void {
    this.index.set(key, digestOf(text))
    this.blobs.add(digestOf(text))
  }
}

interface Shape {
  readonly kind: 'host' | 'package' | 'image'
  readonly inputs: readonly number[]
  readonly contents: readonly number[]
}

const shapes: fc.Arbitrary<Shape[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'host' as const,
      'package' as const,
      'package' as const,
      'image' as const,
    ),
    inputs: fc.array(fc.nat(20), { maxLength: 4 }),
    contents: fc.array(fc.nat(20), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 14 },
)

/** Each recipe uses earlier ones; only images have contents, and none from the host. */
function graphFrom(shaped: readonly Shape[]): { graph: Graph; targets: RecipeId[] } {
  const ids = shaped.map(({ kind }, at) => `${kind}/r${String(at)}` as RecipeId)
  const pick = (at: number, numbers: readonly number[], may: (id: RecipeId) => boolean) =>
    at === 0 ? [] : [...new Set(numbers.map((number) => ids[number % at]!))].filter(may)
  const recipes = shaped.map(({ kind, inputs, contents }, at) =>
    toyRecipe(ids[at]!, String(at), {
      inputs: pick(at, inputs, () => true),
      ...(kind === 'image' && {
        image: true,
        contents: pick(at, contents, (id) => id.startsWith('package/')),
      }),
    }),
  )
  const targets = [ids.at(-1)!, ids[Math.floor(ids.length / 2)]!]
  return { graph: graphOf(toyMetadata(...recipes), targets), targets }
}

describe('a live plan', () => {
  it('equals the plan made again, whatever was built or lost meanwhile', () => {
    const happenings = fc.array(
      fc.record({
        what: fc.constantFrom('made', 'made', 'made', 'lost'),
        at: fc.nat(),
        text: fc.nat(1),
      }),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(shapes, happenings, happenings, (shaped, before, after) => {
        const { graph, targets } = graphFrom(shaped)
        const world = new World()
        /** Carries out one happening. Returns the recipe that it is about. */
        const happen = ({ what, at, text }: { what: string; at: number; text: number }) => {
          const current = [...plan(graph, targets, world)]
          const [id, { key, artifact }] = current[at % current.length]!
          if (what === 'lost' && artifact !== undefined) world.blobs.delete(artifact)
          if (what === 'made' && key !== undefined) world.make(key, `${id} ${String(text)}`)
          return id
        }
        before.forEach(happen)
        const live = new LivePlan(graph, targets, world)
        for (const happening of after) {
          const was = live.snapshot()
          const changed = new Set(live.update(happen(happening)))
          const now = live.snapshot()
          expect(now).toEqual(plan(graph, targets, world))
          for (const [id, planned] of now) {
            expect(live.stateOf(id)).toBe(planned.state)
            if (planned.state !== was.get(id)!.state) expect(changed).toContain(id)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('looks only at users of what came out', () => {
    const ids = Array.from({ length: 500 }, (_, at) => `base/r${String(at)}` as RecipeId)
    const recipes = ids.map((id, at) => toyRecipe(id, id, { inputs: ids.slice(at - 1, at) }))
    const world = new World()
    const targets = [ids.at(-1)!]
    const live = new LivePlan(graphOf(toyMetadata(...recipes), targets), targets, world)
    for (const id of ids) {
      expect(live.stateOf(id)).toBe('ready')
      world.make(live.get(id).key!, id)
      live.update(id)
    }
    expect(live.stateOf(targets[0]!)).toBe('stored')
    // Each twice as it comes out, and each key once as it becomes known.
    expect(world.lookups).toBeLessThan(4 * ids.length)
  })
})
