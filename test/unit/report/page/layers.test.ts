import { describe, expect, test } from 'vitest'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import { describeLayers } from '../../../../src/report/page/layers.ts'
import { pageMetadata, recordOf, using } from '../../../support/page.ts'
import { toyMetadata } from '../../../support/toy.ts'

describe('the layers in effect', () => {
  const metadata = pageMetadata()
  const record = recordOf(metadata)

  test('describe the image that they build', () => {
    const layers = describeLayers(record, metadata)
    expect(layers?.changed).toEqual([])
    expect(layers?.image.contents).toEqual(['base/app', 'base/zlib'])
    expect(layers?.nodes.map(({ recipe }) => recipe.id)).toEqual(
      record.recipes.map(({ recipe }) => recipe),
    )
  })

  test('name what is another recipe now, and not what only stands above it', () => {
    const steps = [{ name: 'build', script: 'make otherwise' }]
    expect(describeLayers(record, pageMetadata({ steps }))?.changed).toEqual(['base/app'])
  })

  test('name what is new or gone', () => {
    const other = toyMetadata(
      using('host/cc', []),
      using('base/zlib', ['host/cc']),
      using('base/new', ['host/cc']),
      using('system/disk', ['host/cc'], {
        image: true,
        contents: ['base/new', 'base/zlib'] as RecipeId[],
      }),
    )
    expect(describeLayers(record, other)?.changed).toEqual(['base/app', 'base/new'])
  })

  test('may not know the image', () => {
    expect(describeLayers({ ...record, recipe: 'system/other' }, metadata)).toBeUndefined()
  })

  test('describe an image that was built without its mirror', () => {
    const source = {
      kind: 'file',
      name: 'a.tar',
      sha256: record.artifact,
      from: ['https://example.org/a.tar'],
      to: '.',
    } as const
    const closed = toyMetadata(
      using('host/cc', [], { sources: [source] }),
      using('system/disk', ['host/cc'], { image: true, closure: true }),
    )
    const bare = describeLayers(recordOf(closed, 'system/disk', false), closed)
    expect(bare?.changed).toEqual([])
    expect(bare?.image.mirror).toBeUndefined()
    const full = describeLayers(recordOf(closed), closed)
    expect(full?.changed).toEqual([])
    expect(full?.image.mirror).toEqual([source])
  })
})
