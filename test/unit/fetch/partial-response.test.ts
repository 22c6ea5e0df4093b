import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { PlaceFailure } from '../../../src/fetch/failure.ts'
import { originOf, type Origin, type PartialFile } from '../../../src/fetch/partial.ts'
import { meaningOf, rangeHeaders } from '../../../src/fetch/partial-response.ts'

const ADDRESS = 'http://127.0.0.1/f'

function partial(bytes: number, origin: Omit<Origin, 'address'>): PartialFile {
  return {
    bytes,
    hash: createHash('sha256'),
    digest: digestOf(''),
    origin: { address: ADDRESS, ...origin },
  }
}

test('a strong tag is kept and used before the date, a weak one is not', () => {
  const both = originOf(
    ADDRESS,
    { etag: '"a"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' },
    9,
  )
  expect(rangeHeaders(partial(4, both))).toEqual({ Range: 'bytes=4-', 'If-Range': '"a"' })
  const weak = originOf(
    ADDRESS,
    { etag: 'W/"a"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' },
    undefined,
  )
  expect(rangeHeaders(partial(4, weak))).toEqual({
    Range: 'bytes=4-',
    'If-Range': 'Mon, 01 Jan 2024 00:00:00 GMT',
  })
  expect(rangeHeaders(partial(4, {}))).toEqual({ Range: 'bytes=4-' })
  expect(rangeHeaders(undefined)).toEqual({})
})

describe('meaningOf', () => {
  test('whole and rest', () => {
    expect(meaningOf(200, { 'content-length': '9' }, partial(4, {}))).toEqual({
      body: 'whole',
      size: 9,
    })
    expect(meaningOf(206, { 'content-range': 'bytes 4-8/9' }, partial(4, { size: 9 }))).toEqual({
      body: 'rest',
      size: 9,
    })
    expect(meaningOf(206, { 'content-range': 'bytes 4-8/*' }, partial(4, {}))).toEqual({
      body: 'rest',
      size: undefined,
    })
    // The size is known from the answer before.
    expect(meaningOf(206, { 'content-range': 'bytes 4-8/*' }, partial(4, { size: 9 }))).toEqual({
      body: 'rest',
      size: 9,
    })
  })

  test.each([
    ['another start', 206, { 'content-range': 'bytes 3-8/9' }],
    ['another size', 206, { 'content-range': 'bytes 4-9/10' }],
    ['another tag', 206, { 'content-range': 'bytes 4-8/9', etag: '"b"' }],
    ['no range', 206, {}],
    ['416', 416, { 'content-range': 'bytes */3' }],
  ])('stale: %s', (_, status, headers) => {
    expect(meaningOf(status, headers, partial(4, { size: 9, etag: '"a"' }))).toEqual({
      body: 'stale',
    })
  })

  test.each([
    [404, false],
    [403, false],
    [204, false],
    [206, false],
    [416, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ])('status %i: retry %s', (status, retry) => {
    expect(failure(() => meaningOf(status, {}, undefined))).toMatchObject({
      retry,
      waitMs: 0,
    })
  })

  test('Retry-After in seconds; a date is not used', () => {
    expect(failure(() => meaningOf(503, { 'retry-after': '7' }, undefined))).toMatchObject({
      waitMs: 7000,
    })
    expect(
      failure(() => meaningOf(503, { 'retry-after': 'Mon, 01 Jan 2024 00:00:00 GMT' }, undefined)),
    ).toMatchObject({
      waitMs: 0,
    })
  })
})

function failure(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(PlaceFailure)
    return error
  }
  return undefined
}
