import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'
import { commandLine, processesHolding, recipe, step } from '../../support/cli.ts'
import { waitUntil } from '../../support/rig.ts'
import { screenAfter } from '../../support/screen.ts'

const toy = commandLine()
const ESCAPE = '\u001b'

/** Runs the words that follow on a pseudo terminal. */
const IN_TERMINAL = ['sh', '-c', `exec script -qec "$(printf "'%s' " "$@")" /dev/null`, 'sh']

/** A number of seconds that no other process sleeps. */
const LONG = '86124.5'

function sleepers(): number {
  return processesHolding(`sleep\0${LONG}`).length
}

const FAILS = {
  'layers/bootstrap/fails/recipe.yaml': recipe(
    'fails',
    'inputs: [bootstrap/alpha]',
    'style: plain',
    step('echo hopeless', 'exit 1'),
  ),
}

describe('on a terminal of 80 columns and 24 rows', () => {
  test('the live display goes when all is built; the results stay', async () => {
    const { watch } = await toy()
    const { code, lines, cursorVisible } = await watch('build', 'beta', 'alpha')
    expect({ code, cursorVisible }).toEqual({ code: 0, cursorVisible: true })
    expect(lines).toEqual([
      expect.stringMatching(/^2 built, /),
      expect.stringMatching(/^bootstrap\/beta [0-9a-f]{64}$/),
      expect.stringMatching(/^bootstrap\/alpha [0-9a-f]{64}$/),
    ])
  })

  test('a failure is there to read when the display is gone', async () => {
    const { watch } = await toy(FAILS)
    const { code, lines, cursorVisible } = await watch('build', 'fails')
    expect({ code, cursorVisible }).toEqual({ code: 1, cursorVisible: true })
    const error = lines.findIndex((line) => /^error: .*bootstrap\/fails.*"build"/.test(line))
    expect(lines.slice(error)).toContainEqual(expect.stringContaining('hopeless'))
    expect(lines.slice(error)).toContainEqual(expect.stringMatching(/^hint: /))
    expect(lines.join('\n')).not.toMatch(/idle/)
  })

  test('a shell has the terminal for itself, after its inputs were built', async () => {
    const { watch } = await toy()
    const { code, lines } = await watch(
      'shell',
      'beta',
      'sh',
      '-c',
      'echo "in $(pwd)"; sleep 0.7; echo still',
    )
    expect(code).toBe(0)
    expect(lines.slice(-2)).toEqual(['in /build/src', 'still'])
  })

  test('Ctrl-C in a shell ends what runs in it, not the shell', async () => {
    const { startOnTerminal } = await toy()
    const child = startOnTerminal('shell', 'beta')
    const end = once(child, 'exit')
    let shown = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
    child.stdin!.write(`sleep ${LONG}; echo nev""er\n`)
    // Only when it runs the terminal's signals are for it.
    await waitUntil(() => sleepers() > 0)
    child.stdin!.write('\u0003')
    await waitUntil(() => sleepers() === 0)
    // What is typed is shown too, so what is looked for is put together by the shell.
    child.stdin!.write('echo go""es on; exit\n')
    // Not its status: some shells fail at last, as the terminal's process group before them was
    // none of the sandbox.
    await end
    expect(shown).toContain('goes on')
    expect(shown).not.toMatch(/error:|interrupted|never/)
  })
})

/** A recipe whose step lasts until the engine ends it. */
const LASTS = {
  'layers/bootstrap/lasts/recipe.yaml': recipe('lasts', 'style: plain', step(`sleep ${LONG}`)),
}

describe('a build with a live display', () => {
  test('says that Ctrl-C interrupted it, and leaves nothing', async () => {
    const { store, startOnTerminal } = await toy(LASTS)
    const child = startOnTerminal('build', 'lasts')
    const [shown, exit] = [text(child.stdout!), once(child, 'exit')]
    await waitUntil(() => sleepers() > 0)
    child.stdin!.write('\u0003')
    expect(await exit).toEqual([130, null])
    const { lines, cursorVisible } = screenAfter(await shown, { columns: 80, rows: 24 })
    // Of an engine that the signal itself had ended, this would be missing.
    expect(lines.at(-1)).toMatch(/^interrupted; /)
    expect(cursorVisible).toBe(true)
    expect(await readdir(join(store, 'work'))).toEqual([])
  })

  test('ends, and leaves nothing, when the window is closed', async () => {
    const { folder, store, startOnTerminal } = await toy(LASTS)
    const window = startOnTerminal('build', 'lasts')
    await waitUntil(() => sleepers() > 0)
    window.kill('SIGKILL')
    await waitUntil(() => sleepers() + processesHolding(folder).length === 0)
    expect(await readdir(join(store, 'work'))).toEqual([])
  })
})

describe('the live display', () => {
  /** Reading a screen takes a while, so it is done five times a second. */
  const shows = (condition: () => boolean): Promise<void> =>
    vi.waitFor(() => expect(condition()).toBe(true), { timeout: 60_000, interval: 200 })

  /** Two actions that write a line and go on, so that the display can be looked at. */
  const talks = (name: string, line: string, seconds = LONG): Record<string, string> => ({
    [`layers/bootstrap/${name}/recipe.yaml`]: recipe(
      name,
      'style: plain',
      step(`echo '${line}'`, `sleep ${seconds}`, 'touch "$OUT/x"'),
    ),
  })
  const TALKING = {
    ...talks('left', 'compiling a file whose name is far too long to be shown on a small screen.c'),
    ...talks('right', 'linking'),
  }

  test.each([
    { columns: 80, rows: 24 },
    { columns: 200, rows: 50 },
    { columns: 40, rows: 10 },
  ])('fits on a screen of %j', async (size) => {
    const { startOnScreen } = await toy(TALKING)
    const child = startOnScreen(size, 'build', '-j', '2', 'left', 'right')
    let shown = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
    const lines = (): readonly string[] => screenAfter(shown, size).lines
    await shows(() => lines().some((line) => line.includes('linking')))
    const [summary = '', ...actions] = lines()
    expect(summary).toMatch(/0 of at most 2 built/)
    expect(actions).toHaveLength(2)
    expect(actions.every((line) => line.length <= size.columns)).toBe(true)
    expect(actions.join('\n')).toMatch(/bootstrap\/left build/)
    const isWhole = actions.join('\n').includes('a small screen.c')
    expect(isWhole).toBe(size.columns > 100)
    child.stdin!.write('\u0003')
    await once(child, 'exit')
  })

  test('tells of a failure at once, by name, while other actions go on', async () => {
    const { startOnTerminal } = await toy({ ...talks('right', 'linking', '6'), ...FAILS })
    const child = startOnTerminal('build', '-k', 'right', 'fails')
    let shown = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
    const lines = (): readonly string[] => screenAfter(shown, { columns: 80, rows: 24 }).lines
    await shows(() => lines().includes('failed bootstrap/fails: in "build"'))
    await shows(() => lines().some((line) => line.includes('linking')))
    expect(lines().join('\n')).toMatch(/1 failed/)
    expect(shown).not.toContain('hopeless')
    await once(child, 'exit')
    // The message with the end of the log comes once, at the end.
    expect(shown.split('hopeless')).toHaveLength(2)
  })
})

describe('plain lines, without escape sequences,', () => {
  test('when standard error is no terminal', async () => {
    const { run } = await toy(FAILS)
    const { code, stdout, stderr } = await run('build', 'fails')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).not.toContain(ESCAPE)
    expect(stderr.split('\n')).toContain('build bootstrap/alpha')
  })

  test.each([{ CI: '1' }, { TERM: 'dumb' }])('on a terminal with %j', async (env) => {
    const { runWith } = await toy()
    const { code, stdout } = await runWith({ env, wrap: IN_TERMINAL }, 'build', 'beta')
    expect(code).toBe(0)
    expect(stdout).not.toContain(ESCAPE)
    expect(stdout.split('\r\n')).toContain('build bootstrap/alpha')
  })
})

test('NO_COLOR leaves the live display and takes the colours', async () => {
  const { runWith } = await toy()
  const { code, stdout } = await runWith(
    { env: { NO_COLOR: '1' }, wrap: IN_TERMINAL },
    'build',
    'beta',
  )
  expect(code).toBe(0)
  expect(stdout).toContain(`${ESCAPE}[?25l`)
  expect(stdout).not.toMatch(/\u001b\[[\d;]*m/)
})

describe('log -f', () => {
  test('prints a log while it grows, then the next one, until it is interrupted', async () => {
    const { run, start, write } = await toy({
      'layers/bootstrap/grows/recipe.yaml': recipe(
        'grows',
        'style: plain',
        step('echo first of two', 'sleep 2', 'echo second of two', 'touch "$OUT/x"'),
      ),
    })
    const follower = start('log', '-f', 'grows')
    let shown = ''
    follower.stdout!.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
    const ended = run('build', 'grows')
    await waitUntil(() => shown.includes('first of two'))
    expect(shown).not.toContain('second of two')
    expect((await ended).code).toBe(0)
    await waitUntil(() => shown.includes('second of two'))
    await write({
      'layers/bootstrap/grows/recipe.yaml': recipe(
        'grows',
        'style: plain',
        step('echo another build', 'touch "$OUT/x"'),
      ),
    })
    expect((await run('build', 'grows')).code).toBe(0)
    await waitUntil(() => shown.includes('another build'))
    follower.kill('SIGINT')
    const [status] = (await once(follower, 'exit')) as [number | null]
    expect(status).toBe(0)
    expect(shown.split('first of two')).toHaveLength(2)
  })
})
