import { describe, expect, test } from 'vitest'
import { FixpointError, FixpointErrors } from '../../../../src/base/error.ts'
import { describeEnd } from '../../../../src/cli/view/report.ts'
import { visibleJson } from '../../../../src/cli/view/json.ts'
import { plainView } from '../../../../src/cli/view/plain.ts'

const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f]/

describe('what a failure shows', () => {
  test('is shown and not obeyed, wherever in the error it is', () => {
    const odd = 'a\nerror: fake\u001b[2J\u009b31m\u007f\r'
    const error = new FixpointError('bad-value', `Cannot read "${odd}"`, {
      position: { file: odd, line: 1, column: 2, frame: `error: fake\u001b[2J\n^^^` },
      hint: odd,
    })
    const { code, text } = describeEnd(new FixpointErrors([error, error]))
    expect(code).toBe(3)
    expect(text).not.toMatch(CONTROL)
    expect(text).not.toMatch(/^error: fake/m)
    expect(text.split('\n')).toHaveLength(8)
  })

  test('keeps the lines that a message has itself, and tabs', () => {
    const error = new FixpointError('step-failed', 'Cannot build\n    a\tb\n    \n    c')
    expect(describeEnd(error).text).toBe('error: Cannot build\n    a\tb\n    \n    c')
  })

  test('is harmless in a bug too', () => {
    expect(describeEnd(new Error('\u001b[2J')).text).not.toMatch(CONTROL)
  })
})

test('events are lines of their own, whatever a server is called', () => {
  const lines: string[] = []
  const place = 'http://a/\nerror: fake\u001b[2J'
  plainView((line) => lines.push(line))({
    type: 'fetch-retry',
    at: 0,
    source: 'a\rb',
    place,
    reason: '\u0085',
  })
  expect(lines).toHaveLength(1)
  expect(lines[0]).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
})

test('JSON holds nothing that a terminal acts on, and says the same', () => {
  const value = { a: '\u007f\u009b\u202e\u2028\u001b"', b: ['\u00e9', '\u{1f600}'] }
  const json = visibleJson(value)
  expect(json).not.toMatch(/[\0-\x1f\x7f-\x9f\u202e\u2028]/)
  expect(json).toContain('\u00e9')
  expect(JSON.parse(json)).toEqual(value)
})
