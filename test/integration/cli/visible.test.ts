import { describe, expect, test } from 'vitest'
import { commandLine, recipe, step } from '../../support/cli.ts'

const toy = commandLine()

/** What must not reach a terminal: C0 but for tab and newline, DEL and C1. */
const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f]/

/**
 * As bytes, for printf(1): they clear the screen, set a title, colour, go back in the line, and one
 * is C1 in UTF-8.
 */
const ESCAPES = 'hello\\033]0;title\\007\\033[2J\\033[31mred\\rover\\177\\302\\233 \\342\\200\\256'

/** A recipe whose step ends as its last line does. */
function runs(...lines: readonly string[]): Record<string, string> {
  return { 'layers/bootstrap/odd/recipe.yaml': recipe('odd', 'style: plain', step(...lines)) }
}

describe('a failure shows, and does not obey,', () => {
  test.each([
    ['what a step has printed', [`printf '${ESCAPES}\\n'`, 'exit 1'], 1],
    ['what a step has printed that is no text', ['head -c 20000 /dev/urandom', 'exit 1'], 1],
    ['a line without end', ["head -c 300000 /dev/zero | tr '\\0' '\\r'", 'exit 1'], 1],
    [
      'the name of a fifo',
      [`mkdir $OUT/x; mkfifo "$OUT/x/$(printf 'a\\nerror: fake\\033[31mb')"`],
      1,
    ],
  ] as const)('%s', async (_, lines, code) => {
    const { run } = await toy(runs(...lines))
    const ended = await run('build', 'odd')
    expect(ended.code, ended.stderr).toBe(code)
    expect(ended.stderr).toMatch(/^error: .*bootstrap\/odd/m)
    expect(ended.stderr).not.toMatch(CONTROL)
    expect(ended.stderr).not.toMatch(/^error: fake/m)
  })

  test('the name of a file in a layer', async () => {
    const { run } = await toy({ 'layers/bootstrap/alpha/a\nerror: fake\u001b[31m': '' })
    const { code, stderr } = await run('graph')
    expect(code).toBe(3)
    expect(stderr).toContain('\\u001b[31m')
    expect(stderr).not.toMatch(CONTROL)
    expect(stderr).not.toMatch(/^error: fake/m)
  })

  test('a word of the command line', async () => {
    const { run } = await toy()
    for (const words of [
      ['build', '\u001b[2Jx'],
      ['\u001b[2J'],
      ['--\u001b[2J'],
      ['build', '-j', '\u001b[2J'],
    ]) {
      const { code, stderr } = await run(...words)
      expect(code).toBe(2)
      expect(stderr).not.toMatch(CONTROL)
    }
  })
})

describe('the log of a step that printed escapes', () => {
  const printed = runs(`printf '${ESCAPES}\\n'`, 'mkdir $OUT/x')
  const raw = Buffer.from(
    'hello\u001b]0;title\u0007\u001b[2J\u001b[31mred\rover\u007f\u009b \u202e\n',
  )

  test('is shown on a terminal, and is itself in a pipe', async () => {
    const { run, runOnTerminal } = await toy(printed)
    expect((await run('build', 'odd')).code).toBe(0)
    const piped = await run('log', 'odd')
    expect(piped.stdout).toContain(raw.toString())
    const { code, stdout } = await runOnTerminal('log', 'odd')
    expect(code).toBe(0)
    // The terminal ends lines by both.
    expect(stdout.replaceAll('\r\n', '\n')).not.toMatch(CONTROL)
    expect(stdout).toContain('hello\\x1b]0;title\\x07\\x1b[2J')
  })

  test('does nothing to a live display when it fails', async () => {
    const { runOnTerminal } = await toy(runs(`printf '${ESCAPES}\\n'`, 'exit 1'))
    const { code, stdout } = await runOnTerminal('build', 'odd')
    expect(code).toBe(1)
    expect(stdout).toContain('hello\\x1b]0;title')
    for (const escape of ['\u001b]0;', '\u001b[2J', '\u009b']) expect(stdout).not.toContain(escape)
  })
})
