import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allLicenses,
  licenseFault,
  licenseParts,
  licenseTerms,
} from '../../../src/metadata/format/license.ts'

describe('licenseFault', () => {
  it.each([
    'MIT',
    'GPL-2.0-only',
    'LGPL-2.1-or-later+',
    'MIT OR Apache-2.0',
    '(MIT AND BSD-3-Clause) OR LicenseRef-own',
    'DocumentRef-x:LicenseRef-y',
    'GPL-3.0-or-later WITH GCC-exception-3.1',
    'MIT AND (ISC OR (Zlib))',
  ])('finds none in %s', (text) => {
    expect(licenseFault(text)).toBeUndefined()
  })

  it.each([
    ['', '', 0],
    ['GPL v2', 'GPL', 0],
    ['MIT OR', 'MIT OR', 0],
    ['AND MIT', 'AND MIT', 0],
    ['MIT AND', 'MIT AND', 0],
    ['(MIT', '(MIT', 0],
    ['MIT)', 'MIT)', 0],
    ['MIT ISC', 'MIT ISC', 0],
    ['MIT, ISC', 'MIT,', 0],
    ['MIT WITH', 'MIT WITH', 0],
    ['MIT WITH (x)', 'x', 10],
    ['MIT WITH ISC', 'ISC', 9],
    ['NONE', 'NONE', 0],
    ['NOASSERTION', 'NOASSERTION', 0],
    ['MIT or ISC', 'or', 4],
    ['MIT ANDISC', 'ANDISC', 4],
    ['GPL-2.0', 'GPL-2.0', 0],
    ['GPL-2.0+', 'GPL-2.0+', 0],
    ['LicenseRef-', 'LicenseRef-', 0],
    ['DocumentRef-x', 'DocumentRef-x', 0],
    ['MIT\tAND\tISC', 'MIT\tAND\tISC', 0],
  ])('finds the part of "%s" that is wrong', (text, part, start) => {
    expect(licenseFault(text)).toMatchObject({ part, start })
  })

  it('names what is near, and what took the place of a replaced identifier', () => {
    expect(licenseFault('Apache-2')?.hint).toContain('Apache-2.0')
    expect(licenseFault('GPL-2.0')?.hint).toBe('Write GPL-2.0-only or GPL-2.0-or-later')
    expect(licenseFault('GPL-3.0-only WITH GCC-exception-3')?.hint).toContain('GCC-exception-3.1')
  })

  it('says the same of any text, and never throws', () => {
    const word = fc.constantFrom('MIT', 'ISC', 'AND', 'OR', 'WITH', '(', ')', ':', '+', 'x', ' ')
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(word).map((words) => words.join(' ')),
      fc.array(word).map((words) => words.join('')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const fault = licenseFault(text)
        if (fault === undefined) expect(licenseTerms(text).length).toBeGreaterThan(0)
        else expect(text.startsWith(fault.part, fault.start)).toBe(true)
      }),
    )
  })

  it('refuses a text that is deeper than the stack', () => {
    const deep = `${'('.repeat(50_000)}MIT${')'.repeat(50_000)}`
    expect(licenseFault(deep)?.reason).toContain('more than')
  })
})

describe('licenseParts', () => {
  it.each([
    ['MIT', ['MIT']],
    ['MIT AND ISC AND MIT', ['ISC', 'MIT']],
    ['(MIT AND (ISC AND Zlib))', ['ISC', 'MIT', 'Zlib']],
    ['MIT OR ISC OR MIT', ['ISC OR MIT']],
    ['(MIT OR ISC) AND Zlib', ['ISC OR MIT', 'Zlib']],
    ['MIT OR Zlib AND ISC', ['(ISC AND Zlib) OR MIT']],
    ['MIT OR (ISC OR Zlib)', ['ISC OR MIT OR Zlib']],
    ['GPL-2.0-only WITH Linux-syscall-note', ['GPL-2.0-only WITH Linux-syscall-note']],
    ['LGPL-2.1-only+', ['LGPL-2.1-only+']],
  ])('of %s are %j', (text, parts) => {
    expect(licenseParts(text)).toEqual(parts)
  })
})

describe('allLicenses', () => {
  it.each([
    [[], ''],
    [['MIT', 'MIT'], 'MIT'],
    [['MIT OR ISC'], 'ISC OR MIT'],
    [['Zlib', 'MIT OR ISC', 'ISC OR MIT'], '(ISC OR MIT) AND Zlib'],
    [['MIT OR Zlib AND ISC', '0BSD'], '((ISC AND Zlib) OR MIT) AND 0BSD'],
  ])('of %j is "%s"', (texts, whole) => {
    expect(allLicenses(texts)).toBe(whole)
  })

  it('is an expression with the same parts, whatever order they come in', () => {
    const license = fc.constantFrom('MIT', 'ISC', 'GPL-3.0-only WITH GCC-exception-3.1', '0BSD')
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        license,
        fc
          .tuple(tie('expression'), fc.constantFrom('AND', 'OR'), tie('expression'))
          .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
      ),
    }))
    fc.assert(
      fc.property(fc.array(expression, { minLength: 1 }), (texts) => {
        const whole = allLicenses(texts)
        expect(licenseFault(whole)).toBeUndefined()
        expect(allLicenses([whole])).toBe(whole)
        expect(allLicenses([...texts].reverse())).toBe(whole)
        const terms = (all: readonly string[]) =>
          new Set(all.flatMap(licenseTerms).map((term) => JSON.stringify(term)))
        expect(terms([whole])).toEqual(terms(texts))
      }),
    )
  })
})
