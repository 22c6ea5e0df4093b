import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, digestOfValue } from '../../../src/base/canonical.ts'
import { asDigest, digestOf, isDigest } from '../../../src/base/digest.ts'
import { FixpointError, FixpointErrors } from '../../../src/base/error.ts'
import { EXIT } from '../../../src/base/exit.ts'
import { errorCode, explainDiskFull } from '../../../src/base/files.ts'
import { byBytes, byCodeUnit } from '../../../src/base/order.ts'

describe('canonical JSON', () => {
  it('sorts members by code unit at every depth, keeps the order of lists, has no blanks', () => {
    expect(
      canonicalJson({ b: [3, 1, { z: null, a: true }], a: 'é\n"', B: 1e21, ﬀ: 0.1, '😀': -0 }),
    ).toBe('{"B":1e+21,"a":"é\\n\\"","b":[3,1,{"a":true,"z":null}],"😀":0,"ﬀ":0.1}')
  })

  it('leaves undefined members out and refuses what has no JSON form', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}')
    for (const value of [undefined, NaN, Infinity]) expect(() => canonicalJson(value)).toThrow()
  })

  it('depends on the value, not on the order its members were set in', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('tells different values apart', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(digestOfValue(a) === digestOfValue(b)).toBe(
          JSON.stringify(JSON.parse(canonicalJson(a))) ===
            JSON.stringify(JSON.parse(canonicalJson(b))),
        )
      }),
    )
  })
})

describe('digests', () => {
  it('are 64 lower-case digits', () => {
    expect(digestOf('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(digestOf('é')).toBe(digestOf(Buffer.from([0xc3, 0xa9])))
    for (const text of [
      '',
      'a'.repeat(63),
      'A'.repeat(64),
      `${'a'.repeat(64)}\n`,
      'g'.repeat(64),
    ]) {
      expect(isDigest(text)).toBe(false)
      expect(() => asDigest(text)).toThrow(TypeError)
    }
  })
})

describe('orders', () => {
  it('are by code unit, and by bytes for paths: no locale has a say', () => {
    expect(['b', 'a', 'B', 'ä', 'a0', 'a/'].sort(byCodeUnit)).toEqual([
      'B',
      'a',
      'a/',
      'a0',
      'b',
      'ä',
    ])
    // A code point above U+FFFF comes before U+FF00 by code unit, after it by bytes.
    expect(['\uff00', '😀'].sort(byCodeUnit)).toEqual(['😀', '\uff00'])
    expect(['😀', '\uff00'].sort(byBytes)).toEqual(['\uff00', '😀'])
  })
})

describe('errors', () => {
  it('carry code, kind, hint and cause; several take the first one’s', () => {
    const cause = new Error('below')
    const error = new FixpointError('source-digest', 'Cannot fetch', {
      hint: 'Try',
      cause,
    })
    expect(error).toMatchObject({
      kind: 'fetch',
      code: 'source-digest',
      hint: 'Try',
      cause,
      message: 'Cannot fetch',
    })
    expect(EXIT[error.kind]).toBe(4)
    expect(new FixpointErrors([error, new FixpointError('not-built', 'Second')])).toMatchObject({
      kind: 'fetch',
      code: 'source-digest',
      message: 'Cannot fetch\nSecond',
    })
    expect(() => new FixpointErrors([])).toThrow(TypeError)
  })

  it('a full disk is explained, anything else handed on', () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    expect(explainDiskFull(full, '/store')).toMatchObject({
      code: 'disk-full',
      kind: 'hostUnfit',
      message: expect.stringContaining('/store') as string,
      cause: full,
    })
    for (const other of [
      new Error('x'),
      Object.assign(new Error('x'), { code: 'EIO' }),
      'text',
      undefined,
    ])
      expect(explainDiskFull(other, '/')).toBe(other)
    expect(errorCode({ code: 'ENOENT' })).toBeUndefined()
  })
})
