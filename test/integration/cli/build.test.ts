import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  commandLine,
  jsonLines,
  makes,
  ranIn,
  recipe,
  step,
  TOOLS_RECIPE,
} from '../../support/cli.ts'

const toy = commandLine()

describe('build', () => {
  test('prints each target and its artifact on stdout, what happens on stderr; the second time nothing runs', async () => {
    const { run, store } = await toy()
    const first = await run('build', 'beta', 'bootstrap/alpha')
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^bootstrap\/beta [0-9a-f]{64}\nbootstrap\/alpha [0-9a-f]{64}\n$/)
    expect(first.stderr).toContain('build bootstrap/alpha\n')
    const blobs = await readdir(join(store, 'blobs'), { recursive: true })
    const second = await run('build', 'beta', 'bootstrap/alpha')
    expect(second).toMatchObject({ code: 0, stdout: first.stdout })
    expect(second.stderr).not.toContain('build bootstrap/')
    expect(await readdir(join(store, 'blobs'), { recursive: true })).toEqual(blobs)
  })

  test('asks what the host is only when an artifact of a host layer is looked up, and notes it in the store', async () => {
    const { run, store } = await toy({
      'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
      'layers/product/low/recipe.yaml': makes('low', 'low', 'inputs: [bootstrap/tools]'),
    })
    const isNoted = async (): Promise<boolean> => (await readdir(store)).includes('host')
    expect((await run('build', 'low')).code).toBe(0)
    await rm(join(store, 'host'))
    expect((await run('build', 'low')).code).toBe(0)
    expect(await isNoted()).toBe(false)
    expect((await run('build', 'tools')).code).toBe(0)
    expect(await isNoted()).toBe(true)
  })

  test('-n tells stored, will run and may run apart, and changes nothing', async () => {
    const { run, store } = await toy({
      'layers/product/low/recipe.yaml': makes('low', 'low', 'inputs: [bootstrap/beta]'),
      'layers/product/high/recipe.yaml': makes('high', 'high', 'inputs: [product/low]'),
    })
    await run('build', 'alpha')
    // Whoever reads the layers may note them, once they are two seconds old.
    const files = async (): Promise<string[]> =>
      (await readdir(store, { recursive: true })).filter((name) => name !== 'metadata')
    const before = await files()
    const { code, stdout } = await run('build', '-n', 'high')
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(
      lines.slice(0, -1).map((line) => line.replace(/, about [\d.]+ (?:s|min \d+ s)/, '')),
    ).toEqual([
      'bootstrap/beta: will run',
      '  new: it was never built on this store',
      'product/low: will run',
      '  new: it was never built on this store',
      'product/high: may run, waits for product/low',
    ])
    expect(lines.at(-1)).toMatch(/^1 stored, at most 3 to run: about .* on \d+ cores?$/)
    expect(await files()).toEqual(before)
    expect(jsonLines((await run('--json', 'build', '-n', 'high')).stdout)).toMatchObject([
      { type: 'planned', recipe: 'bootstrap/alpha', state: 'stored' },
      { type: 'planned', recipe: 'bootstrap/beta', state: 'ready' },
      { type: 'planned', recipe: 'product/low', state: 'blocked', waitsFor: ['bootstrap/beta'] },
      { type: 'planned', recipe: 'product/high', state: 'waits', waitsFor: ['product/low'] },
    ])
  })

  test('--json puts events and results on stdout, one a line, and nothing else', async () => {
    const { run } = await toy()
    // Before the command as behind it.
    const first = await run('build', 'beta', '--json')
    expect(first.stderr).toBe('')
    const lines = jsonLines(first.stdout)
    expect(lines[0]).toMatchObject({ type: 'plan', total: 2, stored: 0, toRun: 2 })
    expect(ranIn(lines)).toEqual(['bootstrap/alpha', 'bootstrap/beta'])
    expect(lines.slice(-2)).toMatchObject([
      { type: 'done', ran: 2 },
      { type: 'target', recipe: 'bootstrap/beta' },
    ])
    const second = jsonLines((await run('--json', 'build', 'beta')).stdout)
    expect(second.map(({ type }) => type)).toEqual(['plan', 'done', 'target'])
    expect(second.at(-1)?.['artifact']).toBe(lines.at(-1)?.['artifact'])
  })

  test('without -k stops at the first failure, with -k goes on with what does not depend on it', async () => {
    const { run } = await toy({
      // Costs decide what is first.
      'layers/bootstrap/bad/recipe.yaml': recipe(
        'bad',
        'style: plain',
        step('exit 3'),
        'cost: 900',
      ),
      'layers/bootstrap/above/recipe.yaml': makes('above', 'x', 'inputs: [bootstrap/bad]'),
    })
    const stopped = await run('--json', 'build', '-j1', 'above', 'beta')
    expect(stopped.code).toBe(1)
    expect(ranIn(jsonLines(stopped.stdout))).toEqual([])
    const going = await run('--json', 'build', '-j1', '-k', 'above', 'beta')
    expect(going.code).toBe(1)
    const lines = jsonLines(going.stdout)
    expect(ranIn(lines)).toEqual(['bootstrap/alpha', 'bootstrap/beta'])
    expect(lines).toContainEqual(
      expect.objectContaining({
        type: 'action-skipped',
        recipe: 'bootstrap/above',
        because: 'bootstrap/bad',
      }),
    )
    expect(lines.at(-1)).toMatchObject({ type: 'done', ran: 2, failed: 1, skipped: 1 })
  })
})

describe('usage', () => {
  test('an unknown target has a suggestion', async () => {
    const { run } = await toy()
    const { code, stdout, stderr } = await run('build', 'bootstrap/alhpa')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/error: .*"bootstrap\/alhpa"\nhint: .*"bootstrap\/alpha"/)
  })

  test('an ambiguous target names the candidates', async () => {
    const { run } = await toy({ 'layers/product/alpha/recipe.yaml': makes('alpha', 'other') })
    const { code, stdout, stderr } = await run('build', 'alpha')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(
      /error: .*"alpha".* bootstrap\/alpha, product\/alpha\nhint: Write it as LAYER\/NAME\n/,
    )
  })

  test('an output folder where no target is an image', async () => {
    const { folder, run } = await toy()
    const { code, stderr } = await run('build', '-o', 'x', 'alpha')
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('no target is an image') as string,
    })
    expect(await readdir(folder)).not.toContain('x')
  })

  test.each([
    [['frob']],
    [['build', '--frob']],
    [['build', '-j', '0', 'alpha']],
    [['show']],
    [['schema', 'frob']],
  ])('%j is told on stderr', async (words) => {
    const { run } = await toy()
    const { code, stdout, stderr } = await run(...words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /)
  })

  test('a reader that goes away ends it without a word', async () => {
    const { runWith } = await toy()
    const wrap = ['sh', '-c', '"$@" | true', 'sh']
    for (const words of [['graph'], ['schema']])
      expect((await runWith({ wrap }, ...words)).stderr, words.join(' ')).toBe('')
  })
})
