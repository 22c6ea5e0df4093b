import { expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/events.ts'
import { makeManifest } from '../../../src/image/manifest.ts'

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
