import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import type { Recipe } from '../../../src/metadata/model.ts'
import { graphOf } from '../../../src/plan/graph.ts'
import { plan, type Known, type Plan } from '../../../src/plan/plan.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

const ids = (...names: string[]): RecipeId[] => names as RecipeId[]

/** A store in memory: what was made of which key, and which bytes are there. */
class World implements Known {
  readonly index = new Map<Digest, Digest>()
  readonly blobs = new Set<Digest>()
  readonly asked: Digest[] = []

  artifactOf(key: Digest, host: boolean): Digest | undefined {
    if (host) this.asked.push(key)
    return this.index.get(key)
  }

  has(artifact: Digest): boolean {
    return this.blobs.has(artifact)
  }

  /** Records what `text` stands for as the artifact of a planned recipe. */
  make(current: Plan, id: string, text: string): void {
    const key = current.get(id as RecipeId)?.key
    if (key === undefined) throw new Error(`${id} has no key yet`)
    this.index.set(key, digestOf(text))
    this.blobs.add(digestOf(text))
  }
}

function planOf(world: World, recipes: readonly Recipe[], ...targets: string[]): Plan {
  return plan(graphOf(toyMetadata(...recipes), ids(...targets)), ids(...targets), world)
}

function statesOf(current: Plan): Record<string, string> {
  return Object.fromEntries([...current].map(([id, { state }]) => [id, state]))
}

/** host/cc builds base/lib builds base/app builds system/image. */
const CHAIN = [
  toyRecipe('host/cc', 'cc'),
  toyRecipe('base/lib', 'lib', { inputs: ids('host/cc') }),
  toyRecipe('base/app', 'app', { inputs: ids('host/cc', 'base/lib') }),
  toyRecipe('system/image', 'image', {
    inputs: ids('base/app'),
    image: true,
    contents: ids('base/lib'),
  }),
]

/** The chain with everything made. */
function madeWorld(): World {
  const world = new World()
  for (const { id } of CHAIN) world.make(planOf(world, CHAIN, 'system/image'), id, `made ${id}`)
  return world
}

describe('a plan', () => {
  it('on an empty store: ready without inputs, blocked with a key, waiting for named others', () => {
    const current = planOf(new World(), CHAIN, 'system/image')
    expect(statesOf(current)).toEqual({
      'host/cc': 'ready',
      'base/lib': 'blocked',
      'base/app': 'waits',
      'system/image': 'waits',
    })
    expect([...current.values()].map(({ waitsFor }) => waitsFor)).toEqual([
      [],
      ['host/cc'],
      ['base/lib', 'host/cc'],
      ['base/app', 'base/lib'],
    ])
    expect(current.get('base/app' as RecipeId)?.key).toBeUndefined()
  })

  it('with everything there runs nothing and does not look at the host', () => {
    const world = madeWorld()
    world.asked.length = 0
    expect(statesOf(planOf(world, CHAIN, 'system/image'))).toEqual({
      'host/cc': 'unneeded',
      'base/lib': 'unneeded',
      'base/app': 'unneeded',
      'system/image': 'stored',
    })
    expect(world.asked).toEqual([])
  })

  it('keys above the host layers depend on the recipe of a host artifact, not on its bytes', () => {
    const world = madeWorld()
    const before = planOf(world, CHAIN, 'base/lib').get('base/lib' as RecipeId)
    world.make(planOf(world, CHAIN, 'host/cc'), 'host/cc', 'made by another compiler')
    expect(planOf(world, CHAIN, 'base/lib').get('base/lib' as RecipeId)?.key).toBe(before?.key)
    const changed = [toyRecipe('host/cc', 'other cc'), ...CHAIN.slice(1)]
    expect(planOf(world, changed, 'base/lib').get('base/lib' as RecipeId)?.key).not.toBe(
      before?.key,
    )
    expect(before?.document?.inputs).toEqual([
      { recipe: 'host/cc', key: planOf(world, CHAIN, 'host/cc').get('host/cc' as RecipeId)?.key },
    ])
  })

  it('builds the bootstrap again only when something that runs uses it', () => {
    const world = madeWorld()
    world.blobs.delete(digestOf('made host/cc'))
    expect(statesOf(planOf(world, CHAIN, 'system/image'))).toMatchObject({
      'host/cc': 'unneeded',
      'system/image': 'stored',
    })
    world.blobs.delete(digestOf('made base/app'))
    expect(statesOf(planOf(world, CHAIN, 'base/app'))).toEqual({
      'host/cc': 'ready',
      'base/lib': 'stored',
      'base/app': 'blocked',
    })
  })

  it('cuts off early: an input that came out the same rebuilds nothing above it', () => {
    const world = madeWorld()
    const changed = CHAIN.map((recipe) =>
      recipe.id === 'base/lib'
        ? toyRecipe('base/lib', 'other text', { inputs: recipe.inputs })
        : recipe,
    )
    expect(statesOf(planOf(world, changed, 'base/app'))).toEqual({
      'host/cc': 'stored',
      'base/lib': 'ready',
      'base/app': 'waits',
    })
    world.make(planOf(world, changed, 'base/app'), 'base/lib', 'made base/lib')
    expect(statesOf(planOf(world, changed, 'base/app'))).toMatchObject({ 'base/app': 'stored' })
    // The manifest of an image states the keys of what it holds: that one is made again.
    expect(statesOf(planOf(world, changed, 'system/image'))).toMatchObject({
      'system/image': 'ready',
    })
  })

  it('an input that came out otherwise rebuilds what is above it', () => {
    const world = madeWorld()
    const changed = CHAIN.map((recipe) =>
      recipe.id === 'base/lib'
        ? toyRecipe('base/lib', 'other text', { inputs: recipe.inputs })
        : recipe,
    )
    world.make(planOf(world, changed, 'base/app'), 'base/lib', 'other bytes')
    expect(statesOf(planOf(world, changed, 'base/app'))).toMatchObject({
      'base/lib': 'stored',
      'base/app': 'ready',
    })
  })

  it('a missing blob is built again when used, and its users keep their keys', () => {
    const world = madeWorld()
    const before = planOf(world, CHAIN, 'system/image')
    world.blobs.delete(digestOf('made base/lib'))
    world.blobs.delete(digestOf('made base/app'))
    const current = planOf(world, CHAIN, 'base/app')
    expect(statesOf(current)).toEqual({
      'host/cc': 'stored',
      'base/lib': 'ready',
      'base/app': 'blocked',
    })
    expect(current.get('base/app' as RecipeId)).toMatchObject({
      key: before.get('base/app' as RecipeId)?.key,
      waitsFor: ['base/lib'],
    })
    expect(current.get('host/cc' as RecipeId)?.artifact).toBe(digestOf('made host/cc'))
  })

  it('of several targets covers each; a target that is an input of another is planned too', () => {
    expect(statesOf(planOf(madeWorld(), CHAIN, 'system/image', 'host/cc'))).toMatchObject({
      'system/image': 'stored',
      'host/cc': 'stored',
      'base/app': 'unneeded',
    })
  })

  it('carried out step by step always comes to its end, whatever the graph', () => {
    const graphs = fc.array(
      fc.record({
        host: fc.boolean(),
        uses: fc.array(fc.nat(20), { maxLength: 4 }),
        there: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(graphs, (shapes) => {
        const name = (at: number): string => `${shapes[at]!.host ? 'host' : 'base'}/r${String(at)}`
        const recipes = shapes.map(({ uses }, at) =>
          toyRecipe(name(at), String(at), {
            inputs: ids(...new Set(at === 0 ? [] : uses.map((use) => name(use % at)))),
          }),
        )
        const world = new World()
        const last = name(shapes.length - 1)
        for (let round = 0; ; round++) {
          const current = planOf(world, recipes, last)
          if (current.get(last as RecipeId)?.state === 'stored') break
          const ready = [...current].filter(([, { state }]) => state === 'ready')
          expect(ready.length).toBeGreaterThan(0)
          expect(round).toBeLessThanOrEqual(shapes.length)
          for (const [id, { document, node }] of ready) {
            expect(document?.inputs.map(({ recipe }) => recipe)).toEqual(node.inputs)
            for (const input of node.inputs) expect(current.get(input)?.artifact).toBeDefined()
            world.make(current, id, `made ${id}`)
          }
        }
      }),
    )
  })
})
