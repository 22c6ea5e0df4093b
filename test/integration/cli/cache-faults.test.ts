import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cacheServer, on, status } from '../../support/cache-server.ts'
import { commandLine, jsonLines, onSmallDisk, ONE_TREE } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { configureIn } from '../../support/user-config.ts'

const newToy = commandLine()
const configure = configureIn('cache')

test.each([
  ['without keys', ['read: [/srv/c]'], 'needs `keys:`'],
  [
    'of another scheme',
    ["read: ['ftp://h/']", 'trust: transport'],
    'an http:// or https:// address, or a folder',
  ],
  ['with a query', ["read: ['http://h/?a']", 'trust: transport'], 'without "?" and "#"'],
  ['with a key that is none', ['read: [/srv/c]', 'keys: [x]'], 'NAME:KEY'],
  ['with trust in something else', ['read: [/srv/c]', 'trust: all'], '"transport", or left out'],
  ['that is written without a key', ['write: /srv/c'], 'needs `key:`'],
  ['with a key for nothing', ['key: /k', 'trust: transport'], 'nothing is signed'],
  [
    'that needs more than there are',
    ['read: [/srv/c]', 'need: 2', 'trust: transport'],
    'the number of keys, 0',
  ],
  [
    'on another machine by file:',
    ["read: ['file://localhost/srv/c']", 'trust: transport'],
    'without the name of a host',
  ],
  [
    "in another user's home",
    ["read: ['~user/cache']", 'trust: transport'],
    'the whole path of a folder',
  ],
  ['by a word', ['read: [cache]', 'trust: transport'], 'the whole path of a folder'],
  [
    'with a port that cannot be',
    ["read: ['http://127.0.0.1:99999']", 'trust: transport'],
    'https://HOST/',
  ],
  ['with a blank in its name', ["read: ['http://h h']", 'trust: transport'], 'https://HOST/'],
])('a cache %s is refused by the configuration', async (_, lines, reason) => {
  const toy = await newToy()
  await configure(toy, ...lines)
  const ended = await toy.run('build', 'alpha')
  expect(ended.code).toBe(2)
  expect(ended.stderr).toMatch(/config\.yaml:\d+:\d+: error/)
  expect(ended.stderr).toContain(reason)
})

test('what a cache has, and what it does not, is checked and mended', async () => {
  const folder = await temporaryFolder()
  const toy = await newToy(ONE_TREE)
  const key = (await toy.run('cache', 'keygen', 'ci-1.key')).stdout.trim()
  const other = (await toy.run('cache', 'keygen', 'ci-2.key')).stdout.trim()
  const both = (...more: readonly string[]): Promise<void> =>
    configure(
      toy,
      ...[`write: ${folder}`, `key: ${join(toy.folder, 'ci-1.key')}`, `read: ['${folder}']`],
      ...more,
    )
  await both(`keys: ['${key}']`)
  const nothing = await toy.run('cache', 'check', 'one')
  expect(nothing).toMatchObject({ code: 0 })
  expect(nothing.stdout).toContain('checked: nothing')

  expect(await toy.run('build', 'one')).toMatchObject({ code: 0 })
  const good = await toy.run('cache', 'check', 'one')
  expect(good).toMatchObject({ code: 0 })
  expect(good.stdout).toContain('product/one: the same: ci-1\n')
  expect(good.stdout).toContain('checked: 1 stored result, in caches: 1')

  await both(`keys: ['${key}', '${other}']`, 'need: 2')
  const short = await toy.run('cache', 'check', 'one')
  expect(short.stdout).toContain('the same: ci-1; no record of ci-2; 1 more must sign')
  const empty = ['--layers', 'layers/layers.yaml', '--store', join(toy.folder, 'other')]
  const few = await toy.runWith({ globals: empty }, 'cache', 'pull', 'one')
  expect(few.code).toBe(4)
  expect(few.stderr).toContain('product/one (signed by ci-1; 1 more must sign)')
  expect(few.stderr).toContain('build product/one`')
  expect(few.stderr).not.toContain('is built here')

  await both(`keys: ['${key}']`)
  const blob = join(folder, 'cas', (await readdir(join(folder, 'cas')))[0]!)
  const bytes = readFileSync(blob)
  for (const [damaged, isSeen] of [
    [bytes.subarray(1), true],
    [undefined, true],
    [Buffer.from(bytes).fill(1, 600, 601), false],
  ] as const) {
    if (damaged === undefined) await rm(blob)
    else writeFileSync(blob, damaged)
    const checked = await toy.run('cache', 'check', 'one')
    expect(checked.code).toBe(isSeen ? 8 : 0)
    if (isSeen) expect(checked.stderr).toContain('cache push product/one`')
    const pushed = await toy.run('--json', 'cache', 'push', 'one')
    expect(jsonLines(pushed.stdout)).toMatchObject([{ type: 'pushed', added: 0, repaired: 1 }])
    expect(readFileSync(blob)).toEqual(bytes)
  }
  const ac = join(folder, 'ac')
  writeFileSync(join(ac, (await readdir(ac))[0]!), 'no record')
  const refused = await toy.run('cache', 'check', 'one')
  expect(refused.code).toBe(8)
  expect(refused.stdout).toContain('not known')
})

test('a cache that cannot be asked is no cache that has nothing', async () => {
  const toy = await newToy(ONE_TREE)
  await configure(toy, "read: ['http://127.0.0.1:1', '/nonexist']", 'trust: transport')
  const built = await toy.run('build', 'one')
  expect(built.code).toBe(0)
  for (const reason of ['127.0.0.1:1/" failed', '/nonexist" failed: there is no such folder'])
    expect(built.stderr.split(reason)).toHaveLength(2)
  const checked = await toy.run('cache', 'check', 'one')
  expect(checked.code).toBe(4)
  expect(checked.stdout).toContain('product/one: not known, since a cache failed')
  expect(checked.stderr).toContain('cache "/nonexist": there is no such folder')
  expect(checked.stderr).not.toContain('warning')
})

test('a server that is full is one warning', async () => {
  const server = await cacheServer()
  server.fault = on('PUT', status(507))
  const toy = await newToy(ONE_TREE)
  await configure(toy, `write: ${server.address}`, 'trust: transport')
  const built = await toy.run('build', 'one')
  expect(built.code).toBe(0)
  expect(built.stderr.match(/warning/g)).toHaveLength(1)
  expect(built.stderr).toContain('results that it does not take are only here')
})

describe('a key that cannot be made', () => {
  test.each([
    ['there', 'something is there already'],
    ['none/x.key', 'there is no such folder'],
    ['~/x.key', 'there is no such folder'],
    ['folder', 'something is there already'],
    ['/dev/null', 'something is there already'],
  ])('as %s is an error of one line', async (path, reason) => {
    const toy = await newToy(ONE_TREE)
    await toy.write({ there: 'x', 'folder/x': 'x' })
    const ended = await toy.run('cache', 'keygen', path)
    expect(ended.code).toBe(2)
    expect(ended.stderr).toBe(`error: Cannot make key file "${path}": ${reason}\n`)
  })

  test.runIf(process.getuid?.() === 0)('on a full disk leaves nothing', async () => {
    const toy = await newToy(ONE_TREE)
    const disk = join(toy.folder, 'disk')
    execFileSync('mkdir', ['-p', disk])
    const wrap = onSmallDisk(disk, 1)
    const script = `dd if=/dev/zero of=${disk}/full bs=4k; "$@"; s=$?; ls ${disk}; exit $s`
    const ended = await toy.runWith(
      { wrap: [...wrap, 'sh', '-c', script, 'sh'] },
      'cache',
      'keygen',
      join(disk, 'k.key'),
    )
    expect(ended.code).toBe(6)
    expect(ended.stdout.trim()).toBe('full')
    expect(existsSync(join(disk, 'k.key'))).toBe(false)
  })

  test('a key file has the hint that suits its fault', async () => {
    const toy = await newToy(ONE_TREE)
    await toy.write({ 'my key': 'x' })
    const path = join(toy.folder, 'my key')
    const lines = ['write: /srv/cache', `key: '${path}'`]
    await configure(toy, ...lines)
    const open = await toy.run('build', 'one')
    expect(open.code).toBe(2)
    expect(open.stderr).toContain(`chmod 600 '${path}'`)
    expect(open.stderr).not.toContain('keygen')
    execFileSync('chmod', ['600', path])
    const wrong = await toy.run('build', 'one')
    expect(wrong.stderr).toContain('it is no key of a signer')
    expect(wrong.stderr).toContain('cache keygen NEW-FILE')
    expect(wrong.stderr).not.toContain('chmod')
  })
})
