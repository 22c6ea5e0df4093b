import { describe, expect, test } from 'vitest'
import { ConsoleText } from '../../../qemu/console.ts'

function consoleOf(...chunks: string[]): ConsoleText {
  const console = new ConsoleText()
  for (const chunk of chunks) console.append(Buffer.from(chunk))
  return console
}

describe('ConsoleText', () => {
  test('leaves out escape sequences, carriage returns and bells', () => {
    expect(
      consoleOf('\x1b[2J\x1b[01;01HWel\x1b[0mcome\r\n\x07to\ttiny\x1b(B\x1b]0;title\x07!')
        .transcript,
    ).toBe('Welcome\nto\ttiny!')
  })

  test('leaves them out when they arrive in pieces', () => {
    expect(consoleOf('a\x1b', '[3', '1mb', '\x1b]0;ti', 'tle\x1b', '\\c').transcript).toBe('abc')
  })

  test('puts characters together that arrive in pieces', () => {
    const console = new ConsoleText()
    for (const byte of Buffer.from('→')) console.append(Uint8Array.of(byte))
    expect(console.transcript).toBe('→')
  })

  test('goes on behind the previous match', () => {
    const console = consoleOf('# one\n# two\n')
    expect([console.take('#')?.index, console.take(/# (\w+)/)?.[1], console.take('#')]).toEqual([
      0,
      'two',
      undefined,
    ])
  })

  test('takes a string literally', () => {
    expect([
      consoleOf('a.b').take('a.b')?.[0],
      consoleOf('axb').take('a.b'),
      consoleOf('/ # ').take('/ # ')?.[0],
    ]).toEqual(['a.b', undefined, '/ # '])
  })

  test('is not confused by the state of a global pattern', () => {
    const pattern = /x/g
    const console = consoleOf('x x')
    expect([console.take(pattern)?.[0], console.take(pattern)?.[0]]).toEqual(['x', 'x'])
  })

  test('shows the last lines', () => {
    expect(consoleOf('1\r\n2\r\n3\r\n4\r\n').tail(2)).toBe('3\n4')
  })
})
