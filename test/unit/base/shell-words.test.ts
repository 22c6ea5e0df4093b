import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shellWords } from '../../../src/base/shell-words.ts'

describe('shellWords', () => {
  it('quotes only what needs it', () => {
    expect(shellWords(['--a=b', 'CFLAGS=-O2 -s', "it's", '', '$x', '~', '*'])).toBe(
      `--a=b 'CFLAGS=-O2 -s' 'it'\\''s' '' '$x' '~' '*'`,
    )
  })

  it('gives a shell back the same words', () => {
    const word = fc.string({
      unit: fc.constantFrom(...'ab =\'"$`\\*?[]{}()<>|&;!#~\n\t-é'.split('')),
    })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const printed = execFileSync(
          '/bin/sh',
          ['-c', `for word in ${shellWords(words)}; do printf '%s\\0' "$word"; done`],
          { encoding: 'utf8' },
        )
        expect(printed.split('\0').slice(0, -1)).toEqual(words)
      }),
      { numRuns: 40 },
    )
  })
})
