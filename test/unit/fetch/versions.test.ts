import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareDebianVersions,
  parseDebianVersion,
} from '../../../src/fetch/versions/debian-version.ts'
import { compareSemanticVersions } from '../../../src/fetch/versions/semantic-version.ts'

const hasDpkg = ((): boolean => {
  try {
    execFileSync('dpkg', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    process.stderr.write('left out: comparison with dpkg, which is missing\n')
    return false
  }
})()

/** Whether dpkg says that one version is before, equal to or after another. */
function byDpkg(a: string, b: string): number {
  const holds = (operator: string): boolean => {
    try {
      execFileSync('dpkg', ['--compare-versions', a, operator, b], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }
  return holds('lt') ? -1 : holds('eq') ? 0 : 1
}

/** Ascending; those of one row are equal. */
const DEBIAN: readonly (readonly string[])[] = [
  ['1.0~beta1~svn1245-1'],
  ['1.0~beta1-1'],
  ['1.0~rc1'],
  ['1.0', '1.0-0', '0:1.0', '1.00'],
  ['1.0-1~bpo12+1'],
  ['1.0-1', '1.0-01'],
  ['1.0-1.1'],
  ['1.0a'],
  ['1.0+dfsg'],
  ['1.0+dfsg1'],
  ['1.0.1'],
  ['1.9'],
  ['1.10'],
  ['1.123456789012345678901234567890'],
  ['2-rc1-1'],
  ['2.0'],
  ['1:0.1'],
]

describe('versions of Debian', () => {
  const pairs = DEBIAN.flatMap((row, at) =>
    row.flatMap((a) =>
      DEBIAN.flatMap((others, other) => others.map((b) => [a, b, Math.sign(at - other)] as const)),
    ),
  )

  test('are ordered as its policy says', () => {
    const wrong = pairs.filter(([a, b, order]) => Math.sign(compareDebianVersions(a, b)) !== order)
    expect(wrong).toEqual([])
    expect(compareDebianVersions('1.0~~', '1.0~~a')).toBeLessThan(0)
    expect(compareDebianVersions('1.0~~a', '1.0~')).toBeLessThan(0)
    expect(compareDebianVersions('1.0~', '1.0')).toBeLessThan(0)
    expect(compareDebianVersions('1.0', '1.0a')).toBeLessThan(0)
  })

  test.runIf(hasDpkg)('are ordered as dpkg orders them', () => {
    const part = fc.string({
      unit: fc.constantFrom('0', '0', '1', '9', 'a', 'b', 'Z', '.', '+', '~'),
      minLength: 1,
      maxLength: 6,
    })
    const version = fc
      .tuple(fc.constantFrom('', '0:', '2:'), part, fc.constantFrom('', '-1', '-1~a', '-a.2'))
      .map(([epoch, upstream, revision]) => `${epoch}1${upstream}${revision}`)
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect([a, b, Math.sign(compareDebianVersions(a, b))]).toEqual([a, b, byDpkg(a, b)])
      }),
      { numRuns: 40 },
    )
  })

  test('have an epoch, an upstream version and a revision', () => {
    expect(parseDebianVersion('2:1.0-rc1-3')).toEqual({
      epoch: '2',
      upstream: '1.0-rc1',
      revision: '3',
    })
    expect(parseDebianVersion('1.0')).toEqual({ epoch: '0', upstream: '1.0', revision: '0' })
  })
})

test('semantic versions are ordered by their precedence', () => {
  const ascending = [
    ...['1.0.0-0', '1.0.0-2', '1.0.0-11', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta'],
    ...['1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0'],
    ...['1.10.0', '2.0.0', '10.0.0', '99999999999999999999.0.0', '100000000000000000000.0.0'],
  ]
  for (const [at, a] of ascending.entries())
    for (const [other, b] of ascending.entries())
      expect([a, b, Math.sign(compareSemanticVersions(a, b))]).toEqual([
        ...[a, b, Math.sign(at - other)],
      ])
  expect(compareSemanticVersions('1.0.0+a', '1.0.0+b')).toBe(0)
})
