import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makes, recipe, sharedToy, step } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const WITH_ENV = (word: string): string =>
  recipe(
    'changing',
    'inputs: [bootstrap/alpha]',
    'style: plain',
    `env: {WORD: ${word}}`,
    step('echo $WORD > $OUT/word'),
  )

let artifacts: string[] = []
const toy = sharedToy(
  {
    'layers/styles/loud.yaml':
      'name: loud\nsummary: Two variables\nextends: plain\nenv:\n  LOUD: yes please\n',
    'layers/bootstrap/changing/recipe.yaml': WITH_ENV('before'),
    'layers/product/alpha/amend.yaml': 'set:\n  summary: Another package\n',
  },
  async ({ run, write }) => {
    const first = await run('build', 'changing')
    await write({ 'layers/bootstrap/changing/recipe.yaml': WITH_ENV('after') })
    const second = await run('build', 'changing')
    artifacts = [first, second].map(({ stdout }) => stdout.trim().split(' ')[1] ?? '')
  },
)

describe('why', () => {
  test('names the field that changed, and both artifacts', async () => {
    const { code, stdout } = await toy().run('why', 'changing')
    expect(code).toBe(0)
    expect(stdout.split('\n').slice(1)).toEqual(['  env.WORD: "before" -> "after"', ''])
    for (const artifact of artifacts) expect(stdout).toContain(artifact)
  })

  test('has nothing to compare after one build, or none', async () => {
    for (const name of ['alpha', 'beta']) {
      const { code, stdout } = await toy().run('why', name)
      expect(code).toBe(0)
      expect(stdout).toMatch(new RegExp(`^bootstrap/${name} was (built once|never built)[^\n]*\n$`))
    }
  })
})

test.each([
  ['graph', 'beta'],
  ['list'],
  ['search', 'alpha'],
  ['tree', 'beta'],
  ['show', 'alpha'],
  ['why', 'changing'],
  ['store', 'verify'],
  ['store', 'gc', '-n'],
  ['diff', ...['/bin/sh', '/bin/sh']],
])('--json makes each line of `%s %s` an object with a type', async (...words) => {
  const { code, stdout } = await toy().run(...words, '--json')
  expect(code).toBe(0)
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: unknown })
  expect(lines.length).toBeGreaterThan(0)
  for (const { type } of lines) expect(type).toEqual(expect.any(String))
})

describe('list, search and tree', () => {
  test('list has every recipe of a layer, search those with all words', async () => {
    const { run } = toy()
    const all = (await run('list', 'bootstrap')).stdout.trimEnd().split('\n')
    expect(all.map((line) => line.split(/ +/)[0])).toContain('bootstrap/alpha')
    expect((await run('search', 'ALPHA', 'bootstrap/')).stdout).toMatch(/^bootstrap\/alpha /)
    const none = await run('search', 'alpha', 'nosuch')
    expect(none).toEqual({
      code: 1,
      stdout: 'no recipe has "alpha" and "nosuch" in its name, version or summary\n',
      stderr: '',
    })
    expect((await run('list', 'nosuch')).code).toBe(2)
  })

  test('tree draws what a recipe uses', async () => {
    const { stdout } = await toy().run('tree', 'beta')
    expect(stdout).toBe('bootstrap/beta\n`-- bootstrap/alpha\n')
    expect((await toy().run('tree', 'beta', '--depth', '0')).code).toBe(2)
  })
})

describe('graph', () => {
  test('an edge a line', async () => {
    const { code, stdout } = await toy().run('graph', 'beta')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'bootstrap/alpha\nbootstrap/beta -> bootstrap/alpha\n',
    })
  })

  test('--dot, of all recipes', async () => {
    const { code, stdout } = await toy().run('graph', '--dot')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^digraph \w+ \{\n(?: {2}"[^"]+"(?: -> "[^"]+")?\n)+\}\n$/)
    expect(stdout).toContain('  "bootstrap/changing" -> "bootstrap/alpha"\n')
  })
})

describe('show', () => {
  test('is the recipe as JSON, after style and templates', async () => {
    const { code, stdout } = await toy().run('show', 'changing', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'recipe',
      recipe: {
        id: 'bootstrap/changing',
        style: 'plain',
        env: { WORD: 'after' },
        steps: [{ name: 'build' }],
      },
    })
  })

  test('is short for people: what it is, where it is from, and its last build', async () => {
    const { folder, run } = toy()
    const changing = await run('show', 'changing')
    expect(changing.code).toBe(0)
    expect(changing.stdout).toContain('bootstrap/changing 1.0: A package\n')
    expect(changing.stdout).toMatch(/\n {2}license +MIT\n {2}style +plain\n/)
    expect(changing.stdout).toMatch(/\n {2}inputs +bootstrap\/alpha\n/)
    expect(changing.stdout).toMatch(/\n {2}steps +build\n/)
    expect(changing.stdout).toMatch(/\n {2}last build +\d[.\d]* \w?B in \d[.\d]* s\n$/)
    expect(changing.stdout).not.toContain('amended')
    const alpha = await run('show', 'alpha')
    expect(alpha.stdout).toContain(
      `  amended in  ${join(folder, 'layers/product/alpha/amend.yaml')}\n`,
    )
    expect(alpha.stdout).toContain(
      `  defined in  ${join(folder, 'layers/bootstrap/alpha/recipe.yaml')}\n`,
    )
  })

  test('--origin names file, line and column of each field, the latest last', async () => {
    const { folder, run } = toy()
    const { code, stdout } = await run('show', '--origin', 'alpha')
    expect(code).toBe(0)
    const origins = new Map(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(': ') as [string, string]),
    )
    const file = join(folder, 'layers/bootstrap/alpha/recipe.yaml')
    expect(origins.get('license')).toBe(`${file}:4:1`)
    expect(origins.get('summary')).toBe(
      `${file}:3:1, then ${join(folder, 'layers/product/alpha/amend.yaml')}:2:3`,
    )
    expect(origins.get('steps')).toBe(
      `${join(folder, 'layers/styles/plain.yaml')}:3:1, then ${file}:6:1`,
    )
  })
})

describe('log', () => {
  test('is that of the last action', async () => {
    expect(await toy().run('log', 'changing')).toEqual({
      code: 0,
      stdout: '==> build\n',
      stderr: '',
    })
  })

  test('of what was never built there is none', async () => {
    const { code, stdout, stderr } = await toy().run('log', 'beta')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('bootstrap/beta')
  })
})

describe('diff', () => {
  test('of two artifacts lists the paths and exits with 5', async () => {
    const { code, stdout, stderr } = await toy().run('diff', ...artifacts)
    expect({ code, stderr }).toEqual({ code: 5, stderr: '' })
    expect(stdout).toMatch(/^~ word\nThe artifacts differ in 1 entry, first in "word": .*\n$/)
  })

  test('of an artifact and itself exits with 0', async () => {
    const [one = ''] = artifacts
    expect((await toy().run('diff', one, one)).code).toBe(0)
  })

  test('of what is not there exits with 2', async () => {
    const { code, stderr } = await toy().run('diff', artifacts[0]!, 'f'.repeat(64))
    expect(code).toBe(2)
    expect(stderr).toContain('f'.repeat(64))
  })
})

describe('schema', () => {
  test.each(['recipe', 'amend', 'style', 'layers', 'machine'])(
    '%s is a JSON Schema',
    async (name) => {
      const { code, stdout, stderr } = await toy().run('schema', name)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(JSON.parse(stdout)).toMatchObject({
        type: 'object',
        $schema: expect.stringContaining('draft-07') as string,
      })
    },
  )
})

describe('lint', () => {
  test('exits with 3 and names place and hint of each finding, else with 0', async () => {
    const { folder, run, write } = toy()
    // A style that nothing uses.
    const found = await run('lint')
    expect(found).toMatchObject({ code: 3, stdout: '' })
    expect(found.stderr).toMatch(
      new RegExp(`^${join(folder, 'layers/styles/loud.yaml')}(:\\d+:\\d+)?: error: .*"loud"`, 'm'),
    )
    await write({
      'layers/bootstrap/user/recipe.yaml': makes('user', 'x').replace('plain', 'loud'),
    })
    expect(await run('lint')).toEqual({ code: 0, stdout: '', stderr: '' })
  })
})

test('a folder that is to be a store gets nothing from a command that needs none', async () => {
  const { folder, run } = toy()
  // Old enough to be noted.
  for (const file of await readdir(folder, { recursive: true }))
    await utimes(join(folder, file), 1e9, 1e9)
  const store = await temporaryFolder()
  for (let times = 0; times < 2; times++) {
    expect(await run('--store', store, 'list')).toMatchObject({ code: 0 })
    expect(await readdir(store)).toEqual([])
  }
})
