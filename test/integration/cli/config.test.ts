import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from '../../../src/cli/config.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fixpoint-config-'))
})
afterEach(() => rm(home, { recursive: true }))

async function write(text: string): Promise<string> {
  const folder = join(home, '.config/fixpoint')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'config.yaml'), text)
  return join(folder, 'config.yaml')
}

test('defaults', async () => {
  const nothing = { mirrors: [], debian: [], npm: undefined, jobs: undefined }
  expect(await readConfig({ HOME: home })).toEqual({
    store: join(home, '.cache/fixpoint'),
    ...nothing,
  })
  expect(
    await readConfig({ HOME: home, XDG_CACHE_HOME: '/c', XDG_CONFIG_HOME: 'relative' }),
  ).toEqual({
    store: '/c/fixpoint',
    ...nothing,
  })
  await write('# nothing yet\n')
  expect(await readConfig({ HOME: home })).toEqual({
    store: join(home, '.cache/fixpoint'),
    ...nothing,
  })
})

test('all keys; folders are relative to the file, ~ is home', async () => {
  await write(
    'store: ~/store\nmirrors: [../mirror, ~/m, "http://127.0.0.1:1/m", file:/srv/m]\n' +
      'debian: ["http://127.0.0.1/debian"]\nnpm: http://127.0.0.1:4873\njobs: 3\n',
  )
  expect(await readConfig({ HOME: home })).toEqual({
    store: join(home, 'store'),
    mirrors: [join(home, '.config/mirror'), join(home, 'm'), 'http://127.0.0.1:1/m', 'file:/srv/m'],
    debian: ['http://127.0.0.1/debian'],
    npm: 'http://127.0.0.1:4873',
    jobs: 3,
  })
})

test('FIXPOINT_STORE goes first, unless empty', async () => {
  await write('store: /a\n')
  expect(await readConfig({ HOME: home, FIXPOINT_STORE: '/b' })).toMatchObject({ store: '/b' })
  expect(await readConfig({ HOME: home, FIXPOINT_STORE: '' })).toMatchObject({ store: '/a' })
})

test('all faults at once, each with its position', async () => {
  const file = await write('mirrors:\n  - 5\nmirror: x\njobs: 0\nnpm: ftp://127.0.0.1\n')
  const error: unknown = await readConfig({ HOME: home }).catch((reason: unknown) => reason)
  const errors = (
    error as {
      errors: { code: string; hint?: string; position: { line: number; column: number } }[]
    }
  ).errors
  expect(error).toMatchObject({ kind: 'usage' })
  expect(errors.sort((a, b) => a.position.line - b.position.line)).toMatchObject([
    { code: 'config-value', position: { file, line: 2, column: 5 } },
    { code: 'config-unknown-key', position: { file, line: 3, column: 1 } },
    { code: 'config-value', position: { file, line: 4, column: 7 } },
    { code: 'config-value', position: { file, line: 5, column: 6 } },
  ])
  expect(errors.flatMap(({ hint }) => hint ?? [])).toEqual([
    "Write it in quotes: '5'",
    'Did you mean "mirrors"?',
  ])
})

test('the wrong type of a value, in the words that recipes are told by', async () => {
  const file = await write('jobs: many\n')
  await expect(readConfig({ HOME: home })).rejects.toMatchObject({
    errors: [
      {
        message: 'Cannot read the configuration: "jobs" must be a number, but is a text',
        position: { file, line: 1, column: 7, frame: 'jobs: many\n      ^^^^' },
      },
    ],
  })
})

test('an empty HOME is not the working folder', async () => {
  const { store } = await readConfig({ HOME: '', XDG_CONFIG_HOME: home })
  expect(store).toBe(join(userInfo().homedir, '.cache/fixpoint'))
})

test.each([
  ['broken', 'jobs: [1\n', 'config-syntax'],
  ['a text', 'just text\n', 'config-value'],
  ['a list', '[]\n', 'config-value'],
  ['two documents', 'jobs: 1\n---\njobs: 2\n', 'config-syntax'],
  ['a key twice', 'jobs: 1\njobs: 2\n', 'config-syntax'],
  ['a key that is a list', '? [a, b]\n: 1\n', 'config-syntax'],
  ['a tag', 'store: !!binary aGVs\n', 'config-syntax'],
  ['an alias in its own value', 'mirrors: &a [*a]\n', 'config-syntax'],
  ['an alias of nothing', 'store: *nope\n', 'config-syntax'],
  ['an unknown version of YAML', '%YAML 9\n---\njobs: 2\n', 'config-syntax'],
  ['brackets without end', '['.repeat(50_000), 'config-syntax'],
  ['no text', '\0', 'config-syntax'],
  ['more cores than a fifo has tokens for', 'jobs: 4097\n', 'config-value'],
  ['no whole number of cores', 'jobs: 1e400\n', 'config-value'],
  ['more than any configuration', `# ${'x'.repeat(300_000)}\n`, 'config-unreadable'],
])('a file that is %s', async (_, text, code) => {
  await write(text)
  await expect(readConfig({ HOME: home })).rejects.toMatchObject({ kind: 'usage', code })
})

test.each([
  ['a folder', (path: string) => mkdir(path)],
  ['a fifo', (path: string) => execa('mkfifo', [path])],
  ['a device', (path: string) => symlink('/dev/zero', path)],
  ['a link to itself', (path: string) => symlink(path, path)],
])('%s in the place of the file', async (_, make) => {
  const path = await write('')
  await rm(path)
  await make(path)
  await expect(readConfig({ HOME: home })).rejects.toMatchObject({
    kind: 'usage',
    code: 'config-unreadable',
  })
})

test('a link to the file, as those have who keep such files together', async () => {
  const path = await write('')
  await rm(path)
  await writeFile(join(home, 'kept.yaml'), 'jobs: 3\n')
  await symlink(join(home, 'kept.yaml'), path)
  expect(await readConfig({ HOME: home })).toMatchObject({ jobs: 3 })
})
