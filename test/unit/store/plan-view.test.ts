import { expect, test } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { indexNamer, storeAsKnown } from '../../../src/store/plan-view.ts'
import type { Blobs, Index } from '../../../src/store/rooms.ts'

const KEY = digestOf('key')

test('the host enters the name of an action that sees it, and is asked for once', () => {
  let asked = 0
  const indexName = indexNamer(() => {
    asked += 1
    return digestOf('host')
  })
  expect(indexName(KEY, false)).toBe(KEY)
  expect(asked).toBe(0)
  const bound = indexName(KEY, true)
  expect(bound).not.toBe(KEY)
  expect(indexName(KEY, true)).toBe(bound)
  expect(indexName(digestOf('other'), true)).not.toBe(bound)
  expect(asked).toBe(1)
  expect(indexNamer(() => digestOf('another host'))(KEY, true)).not.toBe(bound)
})

/** A room that is not of this machine: it knows its answers before the planner asks. */
test('the planner asks any rooms, not only local ones', () => {
  const indexName = indexNamer(() => digestOf('host'))
  const artifacts = new Map<Digest, Digest>([
    [KEY, digestOf('artifact')],
    [indexName(KEY, true), digestOf('host artifact')],
  ])
  const refuse = (): never => {
    throw new Error('the planner reads nothing')
  }
  const index: Index = {
    find: refuse,
    artifactOf: (name) => artifacts.get(name),
    record: refuse,
    history: refuse,
    recipes: refuse,
  }
  const blobs: Blobs = {
    has: (digest) => digest === digestOf('artifact'),
    file: refuse,
    uncheckedFile: refuse,
    check: refuse,
    commit: refuse,
  }
  const known = storeAsKnown({ store: { index, blobs }, indexName })
  expect(known.artifactOf(KEY, false)).toBe(digestOf('artifact'))
  expect(known.artifactOf(KEY, true)).toBe(digestOf('host artifact'))
  expect(known.artifactOf(digestOf('other'), false)).toBeUndefined()
  expect(known.has(digestOf('artifact'))).toBe(true)
  expect(known.has(digestOf('host artifact'))).toBe(false)
})
