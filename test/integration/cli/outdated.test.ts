import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { commandLine, jsonLines, recipe, type Toy } from '../../support/cli.ts'

const makeToy = commandLine()

const SHA = 'a'.repeat(64)

/** Two recipes, and a configuration that names a registry on the loopback. */
async function toyWithRegistry(): Promise<Toy> {
  const server = createServer(({ url }, response) => {
    const isKnown = url === '/word'
    if (url === '/word/-/word-1.1.0.tgz') response.end('a tarball')
    else response.writeHead(isKnown ? 200 : 404).end('{"dist-tags": {"latest": "1.1.0"}}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return makeToy({
    'home/.config/fixpoint/config.yaml': `npm: http://127.0.0.1:${String(port)}\n`,
    'layers/product/word/recipe.yaml': recipe(
      'word',
      `sources: [{sha256: ${SHA}, from: ['npm:word@{{version}}']}]`,
      'style: plain',
    ).replace("'1.0'", "'1.0.0'"),
    'layers/product/far/recipe.yaml': recipe(
      'far',
      `sources: [{sha256: ${SHA}, from: ['https://example.org/far-1.0.tar']}]`,
      'style: plain',
    ),
    'layers/product/gone/recipe.yaml': recipe(
      'gone',
      `sources: [{sha256: ${SHA}, from: ['npm:gone@1.0.0']}]`,
      'style: plain',
    ),
  })
}

test('outdated prints newer versions, what is not known, and a sum', async () => {
  const { run } = await toyWithRegistry()
  const { code, stdout, stderr } = await run('outdated', 'word', 'far')
  expect(code, stderr).toBe(0)
  expect(stdout.split('\n')).toEqual([
    'product/word  npm:word                         1.0.0  -> 1.1.0 (latest)',
    expect.stringMatching(/^product\/far +https:\/\/example.org\/far-1.0.tar +cannot be asked: /),
    'packages: 1 outdated, 0 newest, not known: 1',
    '',
  ])
  const json = jsonLines((await run('--json', 'outdated', 'word')).stdout)
  expect(json).toMatchObject([
    { type: 'outdated', recipe: 'product/word', newer: [{ version: '1.1.0', where: 'latest' }] },
    { type: 'outdated-sum', outdated: 1, newest: 0, unknown: 0 },
  ])
})

test('outdated takes the name of a layer', async () => {
  const { run } = await toyWithRegistry()
  const { stdout } = await run('--json', 'outdated', 'product')
  const asked = jsonLines(stdout).filter(({ type }) => type === 'outdated')
  expect(asked.map((line) => line['recipe'])).toEqual([
    'product/far',
    'product/gone',
    'product/word',
  ])
  expect((await run('outdated', 'produkt')).stderr).toContain('Cannot find recipe "produkt"')
})

test('a place that should know fails the command, after what is known', async () => {
  const { run } = await toyWithRegistry()
  const { code, stdout, stderr } = await run('outdated')
  expect(code).toBe(4)
  expect(stdout).toContain('-> 1.1.0 (latest)')
  expect(stderr).toContain('npm:gone: HTTP status 404')
})

test('--offline and odd suites are refused', async () => {
  const { run } = await makeToy()
  const offline = await run('outdated', '--offline')
  expect(offline.code).toBe(4)
  expect(offline.stderr).toContain('offline')
  expect((await run('outdated', '--suite', '../etc')).code).toBe(2)
})

test('source list prints places of the newest versions', async () => {
  const { run } = await toyWithRegistry()
  const { code, stdout, stderr } = await run('source', 'list', 'npm:word')
  expect(code, stderr).toBe(0)
  expect(stdout).toBe('latest  npm:word@1.1.0\n')
  const json = jsonLines((await run('--json', 'source', 'list', 'npm:word')).stdout)
  expect(json).toMatchObject([{ type: 'source-listed', where: 'latest', place: 'npm:word@1.1.0' }])
  const other = await run('source', 'list', 'word')
  expect(other.code).toBe(2)
  expect(other.stderr).toContain('hint: Write a package as debian:zlib or npm:zod')
})

describe('upgrade without a version', () => {
  test('takes the newest, and knows when that is there', async () => {
    const { run, folder } = await toyWithRegistry()
    const { code, stdout, stderr } = await run('upgrade', 'word')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('product/word: 1.0.0 -> 1.1.0 in ')
    const text = await readFile(join(folder, 'layers/product/word/recipe.yaml'), 'utf8')
    expect(text).toContain(`version: '1.1.0'`)
    expect(text).toContain(digestOf('a tarball'))
    const again = await run('upgrade', 'word')
    expect(again.stderr).toContain('Cannot upgrade product/word: its version 1.1.0 is the newest')
  })

  test.each([
    ['far', 2, 'far-1.0.tar: an address has no list of versions'],
    ['gone', 4, 'npm:gone: HTTP status 404'],
  ])('asks for one where no list tells: %s', async (name, exit, reason) => {
    const { run } = await toyWithRegistry()
    const { code, stderr } = await run('upgrade', name)
    expect(code).toBe(exit)
    expect(stderr).toContain(`Cannot tell the newest version of product/${name}: `)
    expect(stderr).toContain(reason)
    expect(stderr).toContain('hint: ')
  })
})
