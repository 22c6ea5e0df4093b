import { expect, test } from 'vitest'
import {
  isMatch,
  isNoneMatch,
  isRangeMeant,
  rangeOf,
} from '../../../src/fetch/mirror/conditions.ts'

const WHOLE = undefined

test.each([
  [undefined, WHOLE],
  ['bytes=0-9', { start: 0, length: 10 }],
  ['bytes=90-', { start: 90, length: 10 }],
  ['bytes=90-900', { start: 90, length: 10 }],
  ['bytes=-10', { start: 90, length: 10 }],
  ['bytes=-900', { start: 0, length: 100 }],
  ['Bytes = 5 - 5', { start: 5, length: 1 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
  [`bytes=0-${'9'.repeat(400)}`, { start: 0, length: 100 }],
  // No range, or several: the whole file is an answer as well (RFC 9110, 14.2).
  ['bytes=9-5', WHOLE],
  ['bytes=-', WHOLE],
  ['bytes=0-1,5-6', WHOLE],
  ['bytes=-1-2', WHOLE],
  ['bytes=0x10-', WHOLE],
  ['lines=0-1', WHOLE],
  ['', WHOLE],
])('range %j of 100 bytes', (header, wanted) => {
  expect(rangeOf(header, 100)).toEqual(wanted)
})

test('of an empty file there is no part', () => {
  expect(rangeOf('bytes=0-', 0)).toBe('unsatisfiable')
  expect(rangeOf('bytes=-5', 0)).toBe('unsatisfiable')
})

test.each([
  [undefined, false],
  ['*', true],
  ['"x"', true],
  ['W/"x"', true],
  ['"a", "x"', true],
  ['"a","b"', false],
  ['x', false],
  ['"x', false],
])('If-None-Match %j', (header, wanted) => {
  expect(isNoneMatch(header, '"x"')).toBe(wanted)
})

test.each([
  [undefined, true],
  ['*', true],
  ['"a", "x"', true],
  ['W/"x"', false],
  ['W/"x", "x"', true],
  ['"a"', false],
  ['', false],
])('If-Match %j', (header, wanted) => {
  expect(isMatch(header, '"x"')).toBe(wanted)
})

test.each([
  [undefined, true],
  ['"x"', true],
  ['W/"x"', false],
  ['Fri, 27 Nov 2026 07:00:00 GMT', false],
])('If-Range %j', (header, wanted) => {
  expect(isRangeMeant(header, '"x"')).toBe(wanted)
})
