import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandLine, recipe } from '../../support/cli.ts'

const makeToy = commandLine()

test('build without a word builds the target of the project, with its mirrors and cores', async () => {
  const { run } = await makeToy({
    'layers/fixpoint.yaml':
      "engine: '>=0.1.0 <99.0.0'\ntarget: beta\nmirrors: [../none]\njobs: 1\n",
  })
  const { code, stdout, stderr } = await run('build')
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^bootstrap\/beta /)
  expect(stderr).toContain('/none" of the configuration or the project is missing')
  expect((await run('lint')).stderr).not.toContain('fixpoint.yaml')
})

test('without a target, layers of my own list their images and build nothing', async () => {
  const { run } = await makeToy({
    'layers/styles/disk.yaml': 'name: disk\nsummary: A disk\nimage: true\nsteps:\n  disk: ":"\n',
    'layers/product/disk/recipe.yaml': recipe('disk', 'style: disk'),
  })
  const { code, stderr } = await run('build')
  expect(code, stderr).toBe(2)
  expect(stderr).toContain('product/disk')
})

test.each([
  ["engine: '99.0.0'\n", '99.0.0 of Fixpoint, and this is 0.1.0'],
  ['engine: newest\n', 'fixpoint.yaml:1:9: error: '],
  ['cache: {read: [/srv]}\n', 'fixpoint.yaml:1:1: error: Cannot use "cache" of a project'],
  ['store: /srv\n', 'Cannot use "store" of a project'],
  [
    'mirrors: [/a, "https://me:secret@mirror.test/"]\n',
    'Cannot use a mirror with a user name or password',
  ],
  ['mirrors: [" ftp://me:secret@mirror.test/"]\n', 'Cannot use a mirror with a user name'],
  ['odd: 1\n', 'fixpoint.yaml:1:1: error: '],
  ['jobs: 0\n', 'fixpoint.yaml:1:7: error: '],
])('a project with %j is refused', async (text, said) => {
  const { run } = await makeToy({ 'layers/fixpoint.yaml': text })
  const { code, stderr } = await run('build', 'alpha')
  expect(code).toBe(2)
  expect(stderr).toContain(said)
})

test('a target that no recipe has is found at its place, by build and by lint', async () => {
  const { run } = await makeToy({ 'layers/fixpoint.yaml': 'jobs: 1\ntarget: alpah\n' })
  for (const [word = '', status] of [
    ['build', 2],
    ['lint', 3],
  ] as const) {
    const { code, stderr } = await run(word)
    expect(code, stderr).toBe(status)
    expect(stderr).toContain('fixpoint.yaml:2:9: error: Cannot find recipe "alpah"')
    expect(stderr).toContain('Did you mean "alpha"?')
  }
})

test('lint finds a project that the commands refuse', async () => {
  const { run } = await makeToy({ 'layers/fixpoint.yaml': 'odd: 1\n' })
  const { code, stderr } = await run('lint')
  expect(code).toBe(2)
  expect(stderr).toContain('fixpoint.yaml:1:1: error: ')
})

test('lint finds a project that lies above the layers, where nothing reads it', async () => {
  const { folder, run } = await makeToy({ 'fixpoint.yaml': 'jobs: 1\n' })
  const { code, stderr } = await run('lint')
  expect(code).toBe(3)
  expect(stderr).toContain(`${join(folder, 'fixpoint.yaml')}: error: Nothing reads this file`)
})

test('lint --fix mends files, names what it cannot mend, and lints', async () => {
  const text = recipe('word', 'style: plain')
  const { folder, run } = await makeToy({
    'layers/product/word/recipe.yaml':
      text.replace("'1.0'", '1.0').replace('license: MIT\n', '') + 'license: MIT',
    'layers/product/torn/recipe.yaml': 'name: [\n',
  })
  const { code, stdout } = await run('lint', '--fix')
  expect(code).toBe(3)
  const file = join(folder, 'layers/product/word/recipe.yaml')
  expect(stdout).toContain(`${file}: quotes of a version, order of fields, newline at the end\n`)
  expect(stdout).toContain('torn/recipe.yaml: not mended: ')
  expect(await readFile(file, 'utf8')).toBe(text)
})
