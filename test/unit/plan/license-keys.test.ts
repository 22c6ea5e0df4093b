import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadMetadata } from '../../../src/metadata/load.ts'
import type { Recipe } from '../../../src/metadata/model.ts'
import { actionDocument, keyOf } from '../../../src/plan/action-document.ts'
import { CHECKOUT } from '../../support/tree.ts'

const { recipes, arch } = await loadMetadata(join(CHECKOUT, 'layers/layers.yaml'))

it('nothing that recipes here say of licenses is in a key, and no CPE name', () => {
  const document = (recipe: Recipe) => actionDocument(recipe, arch, [], [])
  let files = 0
  let named = 0
  for (const recipe of recipes.values()) {
    const { license, linkedLicense, cpe, ...rest } = recipe
    if (cpe !== undefined) named += 1
    const sources = recipe.sources.map(({ licenseFiles = [], license: own, ...source }) => {
      files += licenseFiles.length
      for (const { sha256 } of licenseFiles)
        expect(JSON.stringify(document(recipe))).not.toContain(`"digest":"${sha256}","to"`)
      expect(own).toBeDefined()
      return source
    })
    expect(license === undefined).toBe(recipe.image)
    expect(keyOf(document({ ...rest, sources }))).toBe(keyOf(document(recipe)))
    expect(linkedLicense ?? license ?? '').not.toBe(recipe.image ? 'x' : '')
  }
  expect(files).toBeGreaterThan(100)
  expect(named).toBeGreaterThan(25)
})
