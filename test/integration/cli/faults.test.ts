import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { commandLine, jsonLines, makes, recipe, WITHOUT_NAMESPACES } from '../../support/cli.ts'

const toy = commandLine()

const ALPHA = 'layers/bootstrap/alpha/recipe.yaml'

describe('invalid metadata, exit code 3:', () => {
  test('a misspelt field has its place, a frame and a suggestion', async () => {
    const { folder, run } = await toy({
      [ALPHA]: recipe('alpha', 'style: plain', 'configuer: [--x]'),
    })
    const { code, stdout, stderr } = await run('build', 'alpha')
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^${join(folder, ALPHA)}:6:1: error: .*"configuer"$`, 'm'))
    expect(stderr).toContain('\n  configuer: [--x]\n  ^^^^^^^^^\n')
    expect(stderr).toMatch(/^hint: .*"configure"/m)
  })

  test('all faults of all files at once', async () => {
    const { folder, run } = await toy({
      [ALPHA]: recipe('alpha', 'style: plian', 'inputs: [bootstrap/bata]'),
      'layers/bootstrap/beta/recipe.yaml': recipe(
        'beta',
        'inputs: [bootstrap/alhpa]',
        'style: plian',
      ),
    })
    const { code, stderr } = await run('graph')
    expect(code).toBe(3)
    const places = [...stderr.matchAll(/^(\S+):(\d+):(\d+): error: /gm)].map(
      ([, file = '', line, column]) => [file.slice(folder.length + 1), line, column].join(':'),
    )
    expect(places).toEqual([
      `${ALPHA}:6:1`,
      'layers/bootstrap/beta/recipe.yaml:5:10',
      'layers/bootstrap/beta/recipe.yaml:6:8',
    ])
  })

  test('a cycle is named edge by edge, by lint too', async () => {
    const { run } = await toy({
      [ALPHA]: recipe('alpha', 'inputs: [bootstrap/gamma]', 'style: plain'),
      'layers/bootstrap/gamma/recipe.yaml': recipe(
        'gamma',
        'inputs: [bootstrap/beta]',
        'style: plain',
      ),
    })
    for (const words of [['build', 'beta'], ['lint']]) {
      const { code, stderr } = await run(...words)
      expect(code, stderr).toBe(3)
      expect(
        [...stderr.matchAll(/^ {2}(\S+ -> \S+) \(inputs\)$/gm)].map(([, edge]) => edge).sort(),
      ).toEqual([
        'bootstrap/alpha -> bootstrap/gamma',
        'bootstrap/beta -> bootstrap/alpha',
        'bootstrap/gamma -> bootstrap/beta',
      ])
    }
  })

  test('a missing patch, and an element to remove that is not there', async () => {
    const { folder, run } = await toy({
      'layers/product/alpha/amend.yaml':
        'remove:\n  patches: [gone.patch]\n  inputs: [bootstrap/never]\n',
    })
    const { code, stderr } = await run('show', 'alpha')
    expect(code).toBe(3)
    const file = join(folder, 'layers/product/alpha/amend.yaml')
    expect(stderr).toMatch(new RegExp(`^${file}:2:13: error: .*"gone.patch".*"patches"`, 'm'))
    expect(stderr).toMatch(new RegExp(`^${file}:3:12: error: .*"bootstrap/never".*"inputs"`, 'm'))
  })
})

const TEXT = 'a source\n'
const SHA = digestOf(TEXT)

/** A recipe of one source. */
function sourced(from: string): string {
  return makes(
    'sourced',
    'x',
    'sources:',
    `  - sha256: ${SHA}`,
    `    from: ['${from}']`,
    '    unpack: false',
  )
}

describe('sources, exit code 4:', () => {
  test.each([
    ['another file', 'another file\n'],
    ['a truncated one', TEXT.slice(0, 4)],
  ])(
    '%s names source, place, expected and actual digest, and stays out of the store',
    async (_, text) => {
      const { folder, run } = await toy({
        'layers/bootstrap/sourced/recipe.yaml': sourced('file:../../../place.txt'),
        'place.txt': text,
      })
      const { code, stdout, stderr } = await run('build', 'sourced')
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
      const error = /^.*recipe\.yaml:\d+:\d+: error: [^]*/m.exec(stderr)?.[0]
      for (const named of ['"place.txt"', SHA, digestOf(text), join(folder, 'place.txt')])
        expect(error).toContain(named)
      // The file as it should be is all it takes.
      await writeFile(join(folder, 'place.txt'), TEXT)
      expect((await run('build', 'sourced')).code).toBe(0)
    },
  )

  test('--offline asks no address; a mirror folder helps, and then the store', async () => {
    const { run } = await toy({
      'layers/bootstrap/sourced/recipe.yaml': sourced('https://nowhere.invalid/thing.txt'),
      'mirror/thing.txt': TEXT,
    })
    const { code, stdout, stderr } = await run('--json', 'build', '--offline', 'sourced')
    expect(code).toBe(4)
    expect(stderr).toContain('"thing.txt"')
    expect(stderr).toContain(SHA)
    expect(jsonLines(stdout).filter(({ type }) => type.startsWith('fetch-'))).toEqual([])
    const fetched = await run('--json', 'fetch', '--offline', '--from', 'mirror', 'sourced')
    expect(fetched.code).toBe(0)
    expect(jsonLines(fetched.stdout).at(-1)).toMatchObject({ type: 'fetched', sources: 1 })
    expect((await run('build', '--offline', 'sourced')).code).toBe(0)
  })

  test('a mirror folder of the configuration that is not there is a warning', async () => {
    const { folder, run } = await toy({
      'layers/bootstrap/sourced/recipe.yaml': sourced('file:../../../place.txt'),
      'place.txt': TEXT,
      'home/.config/fixpoint/config.yaml': 'mirrors: [~/unplugged]\n',
    })
    const { code, stderr } = await run('fetch', 'sourced')
    expect(code).toBe(0)
    const unplugged = join(folder, 'home/unplugged')
    expect(stderr).toContain(
      `The mirror folder "${unplugged}" of the configuration or the project is missing`,
    )
  })
})

describe('an unfit host, exit code 6:', () => {
  test.each([[['build', 'alpha']], [['shell', 'alpha', 'true']]])(
    '%j without user namespaces',
    async (words) => {
      const { runWith } = await toy()
      const { code, stdout, stderr } = await runWith({ wrap: WITHOUT_NAMESPACES }, ...words)
      expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
      expect(stderr).toMatch(/^error: .*bwrap.*\nhint: .*fixpoint (--\S+ \S+ )*doctor`/)
    },
  )
})
