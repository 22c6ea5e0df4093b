import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { recipesDocument } from '../../../src/metadata/format/reference.ts'

it('docs/recipes.md is what `fixpoint schema` prints', () => {
  expect(readFileSync(new URL('../../../docs/recipes.md', import.meta.url), 'utf8')).toBe(
    recipesDocument(),
  )
})
