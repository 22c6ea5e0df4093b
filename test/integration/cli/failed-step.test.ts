import { existsSync } from 'node:fs'
import { readdir, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { commandLine, makes, recipe, step, type Toy } from '../../support/cli.ts'
import { CHECKOUT } from '../../support/tree.ts'

const toy = commandLine()

/** Fails in its second step until someone makes a file `mended` in its tree. */
const BROKEN = {
  'layers/styles/two.yaml': "name: two\nsummary: Two steps\nsteps:\n  first: ':'\n  second: ':'\n",
  'layers/bootstrap/broken/recipe.yaml': recipe(
    'broken',
    'inputs: [bootstrap/alpha]',
    'style: two',
    'steps:',
    '  first: echo done > begun',
    '  second: |',
    '    echo looking for it',
    '    [ -e mended ]',
    '    cp begun "$OUT/result"',
  ),
}

/** What the message's hint tells to type after the last `fixpoint` in it, as words for a shell. */
function commandsIn(stderr: string): string[] {
  return [...(stderr.split('\nhint: ')[1] ?? '').matchAll(/\bfixpoint (--layers [^;\n]*)/g)].map(
    ([, words]) => words!,
  )
}

/** Types a command of a message into a shell. */
async function type(
  { folder }: Toy,
  words: string,
): Promise<{ exitCode?: number; stdout: string; stderr: string }> {
  const command = `exec "$0" "$1" ${words}`
  return execa('sh', ['-c', command, process.execPath, join(CHECKOUT, 'dist/src/cli/main.js')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
  })
}

describe('a failed step, exit code 1:', () => {
  test('the message names recipe, step and log, and commands that work as they stand', async () => {
    const here = await toy(BROKEN)
    const { code, stdout, stderr } = await here.run('build', 'broken')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: .*bootstrap\/broken.*"second"/m)
    const log = /^hint: .*"(\/[^"]*\.log)"/m.exec(stderr)?.[1]
    expect(await readFile(log ?? '', 'utf8')).toBe('==> first\n==> second\nlooking for it\n')
    expect(await here.run('log', 'broken')).toMatchObject({
      code: 0,
      stdout: await readFile(log ?? '', 'utf8'),
    })
    // Nothing is kept unless asked for.
    expect(await readdir(join(here.store, 'kept'))).toEqual([])

    const [again, shell, ...more] = commandsIn(stderr)
    expect(more).toEqual([])
    expect((await type(here, again!)).exitCode).toBe(1)
    const seen = await type(here, `${shell!} sh -c 'pwd; id -u; cat begun'`)
    expect(seen).toMatchObject({ exitCode: 0, stdout: '/build/src\n1000\ndone' })
    expect((await here.run('shell', 'broken', 'sh', '-c', 'exit 9')).code).toBe(9)
  })

  test('with --keep-failed, the commands lead into the kept tree', async () => {
    const here = await toy(BROKEN)
    const commands = commandsIn((await here.run('build', '-K', 'broken')).stderr)
    expect(commands).toHaveLength(2)
    const [shell, from] = commands as [string, string]
    expect((await type(here, `${shell} touch mended`)).exitCode).toBe(0)
    expect(await type(here, from)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/ tainted\b/) as string,
    })
  })
})

describe('build --from', () => {
  test('goes on in the kept tree, says tainted and records nothing', async () => {
    const { run, store } = await toy(BROKEN)
    await run('build', '-K', 'broken')
    const index = async (): Promise<string[]> =>
      Promise.all(
        (await readdir(join(store, 'index')))
          .sort()
          .map(async (name) => `${name} ${await readFile(join(store, 'index', name), 'utf8')}`),
      )
    const before = await index()
    await run('shell', 'broken', 'touch', 'mended')
    const { code, stdout } = await run('build', '--from', 'second', 'broken')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^bootstrap\/broken [0-9a-f]{64} tainted\b.*\n$/)
    expect(await index()).toEqual(before)
    const planned = await run('build', '-n', 'broken')
    expect(planned.stdout).toMatch(/^bootstrap\/broken: will run, about /)
    expect(planned.stdout).toContain('\n1 stored, at most 1 to run: ')
    // And it runs, in a tree of its own, where nothing is mended.
    expect((await run('build', 'broken')).code).toBe(1)
  })

  test('a failure there keeps the tree', async () => {
    const { run, store } = await toy(BROKEN)
    await run('build', '-K', 'broken')
    expect((await run('build', '--from', 'second', 'broken')).code).toBe(1)
    expect(existsSync(join(store, 'kept/bootstrap@broken/build/src/begun'))).toBe(true)
  })

  test('takes one recipe, a tree that was kept, and a step it has', async () => {
    const { run } = await toy(BROKEN)
    const none = await run('build', '--from', 'second', 'broken')
    expect(none.code).toBe(2)
    expect(none.stderr).toMatch(/^hint: .*--keep-failed bootstrap\/broken/m)
    await run('build', '-K', 'broken')
    const unknown = await run('build', '--from', 'third', 'broken')
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toMatch(/"third".*first, second/)
    expect((await run('build', '--from', 'second', 'broken', 'alpha')).code).toBe(2)
  })
})

test('shell in a fresh tree builds the inputs and fetches the sources', async () => {
  const { run, store } = await toy({
    'layers/bootstrap/sourced/recipe.yaml': makes(
      'sourced',
      'x',
      'sources:',
      `  - sha256: ${digestOf('a source\n')}`,
      "    from: ['file:../../../place.txt']",
      '    unpack: false',
      'inputs: [bootstrap/alpha]',
    ),
    'place.txt': 'a source\n',
  })
  const { code, stdout, stderr } = await run(
    'shell',
    'sourced',
    '--',
    'sh',
    '-c',
    'cat "$SOURCES/place.txt"; ls /',
  )
  expect(code).toBe(0)
  expect(stderr).toMatch(/^first, what bootstrap\/sourced is built from: bootstrap\/alpha\n/)
  expect(stdout).toMatch(/^a source\n/)
  expect(await readdir(join(store, 'work'))).toEqual([])
})

test('a failure shows a part of a log larger than a string, and `log` as much as someone reads', async () => {
  const { run, runWith } = await toy({
    'layers/bootstrap/wordy/recipe.yaml': recipe(
      'wordy',
      'style: plain',
      step('echo the reason; exit 3'),
    ),
  })
  const { stderr } = await run('build', 'wordy')
  await truncate(/^hint: .*"(\/[^"]*\.log)"/m.exec(stderr)?.[1] ?? '', 1 << 30)
  const wrap = ['sh', '-c', '{ "$@"; echo "status $?" >&2; } | head -n 2 | head -c 24', 'sh']
  const log = await runWith({ wrap }, 'log', 'wordy')
  expect(log.stdout).toBe('==> build\nthe reason\n')
  expect(log.stderr).toBe('status 0\n')
})

test('what no step is to blame for names the recipe too, in the last line', async () => {
  const { run } = await toy({
    'layers/bootstrap/pipe/recipe.yaml': recipe('pipe', 'style: plain', step('mkfifo "$OUT/here"')),
  })
  const { code, stderr } = await run('build', 'pipe')
  expect(code).toBe(1)
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
    /^error: Cannot build bootstrap\/pipe: Cannot pack "here": /,
  )
})

test('a patch that does not apply: the step and the recipe are named, the log tells where', async () => {
  const { run } = await toy({
    'layers/bootstrap/patched/recipe.yaml': makes(
      'patched',
      'x',
      'sources: [{ tree: [place.txt], name: place }]',
      'inputs: [bootstrap/alpha]',
    ),
    'layers/bootstrap/patched/patches/other.patch':
      'For another version.\n\n--- a/place.txt\n+++ b/place.txt\n@@ -1 +1 @@\n' +
      '-what is not there\n+what should be\n',
    'place.txt': 'a source\n',
  })
  const { code, stderr } = await run('build', 'patched')
  expect(code).toBe(1)
  expect(stderr.trimEnd()).toMatch(/^error: .*bootstrap\/patched.*"patch" ended with status 1/m)
  expect((await run('log', 'patched')).stdout).toMatch(
    /==> patch\nother\.patch\npatching file '?place\.txt'?\nHunk #1 FAILED at 1/,
  )
})
