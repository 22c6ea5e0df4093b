import { expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { makeManifest, parseManifest } from '../../../src/image/manifest.ts'

it('the manifest of an image names recipes, keys and every path they own, a line for each content', () => {
  const content = {
    recipe: 'base/a' as RecipeId,
    version: '1.10',
    key: digestOf('key'),
    artifact: digestOf('artifact'),
  }
  const text = makeManifest([
    {
      ...content,
      listing: [
        { type: 'folder', path: 'tmp', mode: 0o1777 },
        { type: 'file', path: 'usr/a', mode: 0o755, size: 1, sha256: digestOf('a') },
        { type: 'link', path: 'bin', target: 'usr/bin' },
      ],
    },
    { ...content, recipe: 'base/b' as RecipeId, listing: [] },
  ])
  expect(JSON.parse(text)).toEqual({
    format: 'fixpoint-manifest-1',
    contents: [
      {
        ...content,
        entries: [
          ['tmp', '1777'],
          ['usr/a', '755', digestOf('a')],
          ['bin', '->', 'usr/bin'],
        ],
      },
      { ...content, recipe: 'base/b', entries: [] },
    ],
  })
  expect(text.split('\n')).toHaveLength(5)
  expect(makeManifest([])).toBe('{"format":"fixpoint-manifest-1","contents":[\n\n]}\n')
})

it('is read again as it was made, but for sizes of files, which it does not hold', () => {
  const content = {
    recipe: 'base/a' as RecipeId,
    version: '1',
    key: digestOf('key'),
    artifact: digestOf('artifact'),
    listing: [
      { type: 'folder', path: 'tmp', mode: 0o1777 },
      { type: 'file', path: 'usr/a', mode: 0o755, size: 0, sha256: digestOf('a') },
      { type: 'link', path: 'bin', target: 'usr/bin' },
    ],
  } as const
  expect(parseManifest(makeManifest([content]))).toEqual([content])
})

it.each([
  '',
  '{}',
  'null',
  '{"format":"fixpoint-manifest-2","contents":[]}',
  makeManifest([]).slice(0, -3),
])('is not taken for one when it is %j', (text) => {
  expect(parseManifest(text)).toBeUndefined()
})
