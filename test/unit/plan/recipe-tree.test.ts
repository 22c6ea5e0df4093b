import { describe, expect, it } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { recipeTree, type TreeOptions } from '../../../src/plan/recipe-tree.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

const ids = (...names: string[]): RecipeId[] => names as RecipeId[]

const metadata = toyMetadata(
  toyRecipe('a/app', '', { inputs: ids('a/sh', 'a/cc') }),
  toyRecipe('a/cc', '', { needs: ids('a/ld'), inputs: ids('a/libc') }),
  toyRecipe('a/ld', '', { inputs: ids('a/libc') }),
  toyRecipe('a/libc', '', { inputs: ids('a/seed') }),
  toyRecipe('a/seed', ''),
  toyRecipe('a/sh', '', { inputs: ids('a/libc') }),
)

function drawn(root: string, options?: TreeOptions): string[] {
  return recipeTree(metadata, root as RecipeId, options).map(
    ({ branches, recipe, repeated }) => `${branches}${recipe}${repeated ? ' *' : ''}`,
  )
}

describe('the tree of a recipe', () => {
  it('sorts the branches, and shows those of a shared recipe once', () => {
    expect(drawn('a/app')).toEqual([
      'a/app',
      '|-- a/cc',
      '|   |-- a/ld',
      '|   |   `-- a/libc',
      '|   |       `-- a/seed',
      '|   `-- a/libc *',
      '`-- a/sh',
      '    `-- a/libc *',
    ])
  })

  it('goes no deeper than asked, and marks nothing that is not shown', () => {
    expect(drawn('a/app', { depth: 1 })).toEqual(['a/app', '|-- a/cc', '`-- a/sh'])
  })

  it('shows the users in reverse', () => {
    expect(drawn('a/libc', { reverse: true })).toEqual([
      'a/libc',
      '|-- a/cc',
      '|   `-- a/app',
      '|-- a/ld',
      '|   `-- a/cc *',
      '`-- a/sh',
      '    `-- a/app',
    ])
  })

  it('ends though two recipes need each other', () => {
    const round = toyMetadata(
      toyRecipe('a/x', '', { needs: ids('a/y') }),
      toyRecipe('a/y', '', { needs: ids('a/x') }),
    )
    const lines = recipeTree(round, 'a/x' as RecipeId)
    expect(lines.map(({ recipe, repeated }) => [recipe, repeated])).toEqual([
      ['a/x', false],
      ['a/y', false],
      ['a/x', true],
    ])
  })
})
