import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { ImageRecord } from '../../../src/image/read-record.ts'
import { recordedPlan } from '../../../src/image/recorded-plan.ts'
import type { Recipe } from '../../../src/metadata/model.ts'
import { IMAGE, RECIPES, recordOf } from '../../support/bills.ts'
import { id } from '../../support/rig.ts'
import { toyMetadata } from '../../support/toy.ts'

const METADATA = toyMetadata(...RECIPES)
const RECORD = recordOf(METADATA)

function planOf(record: ImageRecord, recipes: readonly Recipe[] = RECIPES) {
  return recordedPlan({ path: 'image.json', record }, toyMetadata(...recipes)).plan
}

function changed(name: string, more: Partial<Recipe>): Recipe[] {
  return RECIPES.map((recipe) => (recipe.id === id(name) ? { ...recipe, ...more } : recipe))
}

describe('the plan of a record', () => {
  it('has the keys and artifacts of the record', () => {
    const plan = planOf(RECORD)
    for (const { recipe, key, artifact, host } of RECORD.recipes) {
      expect(plan.get(recipe)?.key).toBe(key)
      if (host !== true) expect(plan.get(recipe)?.artifact).toBe(artifact)
    }
    expect(plan.size).toBe(RECORD.recipes.length)
  })

  it.each([true, false])(
    'is found for an image of all sources, with them or without: %s',
    (mirrors) => {
      const recipes = changed('base/image', { closure: true })
      const record = recordOf(toyMetadata(...recipes), IMAGE, mirrors)
      expect(planOf(record, recipes).get(IMAGE)?.node.mirror !== undefined).toBe(mirrors)
    },
  )

  it('does not depend on what is in no key', () => {
    const recipes = changed('base/app', { license: 'ISC', cpe: 'a:other:app', summary: 'Other' })
    expect([...planOf(RECORD, recipes).values()].map(({ key }) => key)).toEqual(
      [...planOf(RECORD).values()].map(({ key }) => key),
    )
  })

  it.each<[string, string, readonly Recipe[], ImageRecord]>([
    ['a recipe that changed', 'base/make', changed('base/make', { env: { X: '1' } }), RECORD],
    [
      'a recipe of the host that changed',
      'host/gcc',
      changed('host/gcc', { env: { X: '1' } }),
      RECORD,
    ],
    ['no such image', 'base/other', RECIPES, { ...RECORD, recipe: 'base/other' }],
    ['no recipe in the record', 'host/gcc', RECIPES, { ...RECORD, recipes: [] }],
    [
      'an artifact that nothing makes',
      'base/make',
      RECIPES,
      {
        ...RECORD,
        recipes: RECORD.recipes.map((one) =>
          one.recipe === id('base/musl') ? { ...one, artifact: digestOf('x') } : one,
        ),
      },
    ],
  ])('is refused for %s, and names %s', (_what, named, recipes, record) => {
    expect(() => planOf(record, recipes)).toThrow(
      expect.objectContaining({
        code: 'papers-other-layers',
        message: expect.stringContaining(named) as string,
      }),
    )
  })
})
