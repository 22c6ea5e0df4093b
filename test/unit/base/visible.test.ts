import fc from 'fast-check'
import { expect, test } from 'vitest'
import { visible } from '../../../src/base/visible.ts'

test.each([
  ['\u0000\u0007\u001b[31m\r\n\t', '\\x00\\x07\\x1b[31m\\x0d\\x0a\\x09'],
  ['\u007f\u0080\u009b\u009f', '\\x7f\\x80\\x9b\\x9f'],
  [
    '\u202aa\u202e\u2066b\u2069\u200e\u200f\u061c',
    '\\u{202a}a\\u{202e}\\u{2066}b\\u{2069}\\u{200e}\\u{200f}\\u{61c}',
  ],
  ['a\u2028b\u2029', 'a\\u{2028}b\\u{2029}'],
  ['\ud83d|\udca9', '\\u{d83d}|\\u{dca9}'],
])('what would not be seen is written out: %j', (text, shown) => {
  expect(visible(text)).toBe(shown)
})

test('what is seen stays, a backslash included', () => {
  const text = ' ~\u00a0äß€中文 \u{1f4a9} \\x1b'
  expect(visible(text)).toBe(text)
})

test('newlines and tabs stay when lines are asked for, nothing else does', () => {
  expect(visible('a\n\tb\r\u001b', { lines: true })).toBe('a\n\tb\\x0d\\x1b')
})

test('any text: nothing that a terminal acts on is left, and a second time changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, lines) => {
      const shown = visible(text, { lines })
      for (const character of shown) {
        const code = character.codePointAt(0) ?? 0
        if (lines && (code === 0x0a || code === 0x09)) continue
        expect(code < 0x20 || (code >= 0x7f && code < 0xa0)).toBe(false)
        expect(code >= 0xd800 && code <= 0xdfff).toBe(false)
        expect(code >= 0x2028 && code <= 0x202e).toBe(false)
        expect(code >= 0x2066 && code <= 0x2069).toBe(false)
      }
      expect(visible(shown, { lines })).toBe(shown)
    }),
  )
  // Pairs of code units, halves of surrogates among them.
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const shown = visible(String.fromCharCode(...units))
      expect(Buffer.from(shown).toString()).toBe(shown)
    }),
  )
})

test('what is written out is what Unicode calls controls, and separators of lines', () => {
  // From a text, since a Node without the tables of Unicode does not compile it.
  let unseen: RegExp
  try {
    unseen = new RegExp('[\\p{Cc}\\p{Bidi_Control}\\p{Cs}\\p{Zl}\\p{Zp}]', 'u')
  } catch {
    return
  }
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code)
    if (unseen.test(character) !== (visible(character) !== character))
      expect.fail(`U+${code.toString(16)}`)
  }
})
