import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { newSourceError, sourceError } from '../../../src/fetch/failure.ts'

const wanted = digestOf('wanted')
const actual = digestOf('actual')
const source = { kind: 'file', name: 'a.tar', sha256: wanted, from: [], to: '.' } as const

test('a wrong digest outweighs all; the message names source, digests and every place with its reason', () => {
  const error = sourceError(source, [
    { place: 'P1', reason: 'HTTP status 404' },
    { place: 'P2', reason: `sha256 is ${actual}`, actual },
    { place: 'P3', reason: 'not asked, offline', offline: true },
  ])
  expect(error).toMatchObject({ kind: 'fetch', code: 'source-digest' })
  for (const part of ['"a.tar"', wanted, actual, 'P1: HTTP status 404', 'P2: ', 'P3: not asked'])
    expect(error.message).toContain(part)
})

test('offline, unavailable, and no place at all', () => {
  expect(
    sourceError(source, [{ place: 'P', reason: 'not asked, offline', offline: true }]),
  ).toMatchObject({
    code: 'source-offline',
  })
  expect(sourceError(source, [{ place: 'P', reason: 'no such file' }])).toMatchObject({
    code: 'source-unavailable',
  })
  expect(sourceError(source, [])).toMatchObject({ code: 'source-unavailable' })
})

test('where only files of this machine were asked, the hint is about them', () => {
  const local = { place: 'file:/a/b.tar', reason: 'no such file' }
  const remote = { place: 'https://h/b.tar', reason: 'HTTP status 404' }
  for (const errorOf of [
    sourceError.bind(undefined, source),
    newSourceError.bind(undefined, 'x'),
  ]) {
    expect(errorOf([local]).hint).toContain('correct the path')
    expect(errorOf([local, remote]).hint).toBeUndefined()
    expect(errorOf([]).hint).toBeUndefined()
  }
})
