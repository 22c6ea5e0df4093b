import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { digestOf } from '../../../src/base/digest.ts'
import { commandLine, recipe, step, type Toy } from '../../support/cli.ts'
import { tarOf } from '../../support/tars.ts'

const makeToy = commandLine()

const tarball = (version: string): Buffer =>
  Buffer.from(
    tarOf([
      { path: `hello-${version}/configure`, data: '#!/bin/sh\n' },
      { path: `hello-${version}/COPYING`, data: 'Free.\n' },
      { path: `hello-${version}/main.c`, data: `version ${version}\n` },
    ]),
  )
const [OLD, NEW] = [tarball('1.0'), tarball('1.1')]

/** A package of a tarball, and the tarball of its next version. */
const HELLO = {
  'hello-1.0.tar': OLD,
  'hello-1.1.tar': NEW,
  'layers/bootstrap/hello/recipe.yaml': recipe(
    'hello',
    '# Its makers publish one for each version.',
    'sources:',
    `  - sha256: ${digestOf(OLD)} # compared`,
    "    from: ['file:../../../hello-{{version}}.tar']",
    'style: plain',
    step('cp main.c "$OUT"'),
  ),
}
const RECIPE = 'layers/bootstrap/hello/recipe.yaml'

async function refused({ run }: Toy, reason: string, ...words: string[]): Promise<void> {
  const { code, stderr } = await run(...words)
  expect(code).not.toBe(0)
  expect(stderr).toContain(reason)
}

test('a wrong digest is reported at its place in the recipe, by build and by fetch', async () => {
  const toy = await makeToy({ ...HELLO, [RECIPE]: HELLO[RECIPE].replace(/sha256: ./, 'sha256: 0') })
  for (const word of ['build', 'fetch']) {
    const { code, stderr } = await toy.run(word, 'hello')
    expect(code).toBe(4)
    expect(stderr).toMatch(/bootstrap\/hello\/recipe\.yaml:7:13: error: Cannot /)
    expect(stderr).toMatch(/\n.*sha256: 0.*\n +\^+\n/)
  }
})

describe('upgrade', () => {
  test('changes version and digest together, and nothing else', async () => {
    const toy = await makeToy(HELLO)
    const before = await readFile(join(toy.folder, RECIPE), 'utf8')
    const { code, stdout, stderr } = await toy.run('upgrade', 'hello', '1.1')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(digestOf(NEW))
    expect(await readFile(join(toy.folder, RECIPE), 'utf8')).toBe(
      before.replace("'1.0'", "'1.1'").replace(digestOf(OLD), digestOf(NEW)),
    )
    const built = await toy.run('build', 'hello')
    expect(built.code, built.stderr).toBe(0)
  })

  test('leaves the recipe as it was when it fails', async () => {
    const toy = await makeToy({
      ...HELLO,
      'layers/bootstrap/plain/recipe.yaml': recipe('plain', 'style: plain', step('touch $OUT/x')),
    })
    const before = await readFile(join(toy.folder, RECIPE), 'utf8')
    await refused(toy, 'hello-9.9.tar', 'upgrade', 'hello', '9.9')
    await refused(toy, 'it has version 1.0', 'upgrade', 'hello', '1.0')
    await refused(toy, 'as a version', 'upgrade', 'hello', '../../../hello-1.1')
    await refused(toy, 'states its version, and another', 'upgrade', 'plain', '2')
    await refused(toy, 'cannot be used with', 'upgrade', 'hello', '1.1', '--suite', 'unstable')
    expect(await readFile(join(toy.folder, RECIPE), 'utf8')).toBe(before)
    expect(await readdir(join(toy.folder, 'layers/bootstrap/hello'))).toEqual(['recipe.yaml'])
  })

  test('amends a recipe of layers that are not the own ones', async () => {
    const toy = await makeToy({
      ...HELLO,
      'mine/layers.yaml': 'include: ../layers/layers.yaml\nlayers: [own]\n',
      'mine/own': undefined,
    })
    const before = await readFile(join(toy.folder, RECIPE), 'utf8')
    const globals = ['--layers', join(toy.folder, 'mine/layers.yaml'), '--store', toy.store]
    const { code, stderr } = await toy.runWith({ globals }, 'upgrade', 'hello', '1.1')
    expect(code).not.toBe(0)
    expect(stderr).toContain('is relative to the folder of another recipe')
    expect(await readFile(join(toy.folder, RECIPE), 'utf8')).toBe(before)
    expect(await readdir(join(toy.folder, 'mine/own'))).toEqual([])
  })
})

describe('upgrade of recipes that extend others', () => {
  const addresses = HELLO[RECIPE].replace('file:../../../hello', 'http://127.0.0.1:PORT/hello')

  /** Layers on top of others, of which one recipe extends another; its sources come by HTTP. */
  async function layered(more: Record<string, string> = {}): Promise<Upgrading> {
    const server = createServer(({ url }, response) => {
      response.writeHead(url === '/hello-1.1.tar' ? 200 : 404).end(NEW)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const toy = await makeToy({
      [RECIPE]: addresses.replace('PORT', String(port)),
      'layers/product/hello/recipe.yaml': 'name: hello\nextends: bootstrap/hello\n',
      'mine/layers.yaml': 'include: ../layers/layers.yaml\nlayers: [own]\n',
      'mine/own': undefined,
      ...more,
    })
    const globals = ['--layers', join(toy.folder, 'mine/layers.yaml'), '--store', toy.store]
    return {
      toy,
      upgrade: (version = '1.1') => toy.runWith({ globals }, 'upgrade', 'product/hello', version),
    }
  }

  interface Upgrading {
    readonly toy: Toy
    readonly upgrade: (version?: string) => ReturnType<Toy['run']>
  }

  test('takes the sources from where they are stated', async () => {
    const { toy, upgrade } = await layered()
    const { code, stderr } = await upgrade()
    expect(code, stderr).toBe(0)
    const text = await readFile(join(toy.folder, 'mine/own/hello/amend.yaml'), 'utf8')
    expect(parse(text)).toMatchObject({
      amends: 'product/hello',
      set: { version: '1.1', sources: [{ sha256: digestOf(NEW) }] },
    })
  })

  test('adds to an amendment that is there, and keeps the rest of it', async () => {
    const file = 'mine/own/hello/amend.yaml'
    const before = 'amends: product/hello # why\nappend:\n  inputs: [bootstrap/alpha]\n'
    const { toy, upgrade } = await layered({ [file]: before })
    const { code, stderr } = await upgrade()
    expect(code, stderr).toBe(0)
    const text = await readFile(join(toy.folder, file), 'utf8')
    expect(text).toMatch(/^amends: product\/hello # why\nset:\n {2}version: "?'?1\.1/)
    expect(text).toMatch(/\nappend:\n {2}inputs: \[bootstrap\/alpha\]\n$/)
    expect(parse(text)).toMatchObject({ set: { sources: [{ sha256: digestOf(NEW) }] } })
    const again = await upgrade()
    expect(again.stderr).toContain('it has version 1.1')
  })

  test.each([
    [
      'set: {env: {A: b}}\n',
      /:2:1: error: .*"set" cannot be added to\n(.*\n)*hint: Write "set" wi/,
    ],
    [
      'append:\n  sources: [{ tree: [none], name: more }]\n',
      /:3:3: error: .*what has "append: sources" cannot set them\n(.*\n)*hint: State all sources/,
    ],
  ])('refuses an amendment with %j before it fetches, and leaves it', async (more, reason) => {
    const file = 'mine/own/hello/amend.yaml'
    const before = `amends: product/hello\n${more}`
    const { toy, upgrade } = await layered({ [file]: before, 'none/x': '' })
    // There is no such version to fetch.
    const { code, stderr } = await upgrade('9.9')
    expect(code).not.toBe(0)
    expect(stderr).toMatch(reason)
    expect(await readFile(join(toy.folder, file), 'utf8')).toBe(before)
  })

  test('keeps the ends of lines that a file has', async () => {
    const file = 'mine/own/hello/amend.yaml'
    const { toy, upgrade } = await layered({
      [file]: 'amends: product/hello\r\nappend:\r\n  inputs: [bootstrap/alpha]\r\n',
    })
    const { code, stderr } = await upgrade()
    expect(code, stderr).toBe(0)
    const text = await readFile(join(toy.folder, file), 'utf8')
    expect(text.match(/\n/g)?.length).toBe(text.match(/\r\n/g)?.length)
    expect(parse(text)).toMatchObject({ set: { version: '1.1' } })
  })

  test("sets both in a recipe of the user's own that states neither", async () => {
    const file = 'mine/own/hi/recipe.yaml'
    const { toy } = await layered({ [file]: 'name: hi\nextends: product/hello\n' })
    const globals = ['--layers', join(toy.folder, 'mine/layers.yaml'), '--store', toy.store]
    const { code, stderr } = await toy.runWith({ globals }, 'upgrade', 'hi', '1.1')
    expect(code, stderr).toBe(0)
    expect(parse(await readFile(join(toy.folder, file), 'utf8'))).toMatchObject({
      extends: 'product/hello',
      set: { version: '1.1', sources: [{ sha256: digestOf(NEW) }] },
    })
  })
})

describe('source add', () => {
  test('writes a recipe with digest, place and way of building', async () => {
    const toy = await makeToy(HELLO)
    const { code, stdout, stderr } = await toy.run('source', 'add', 'hello-1.1.tar', '--name', 'hi')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(digestOf(NEW))
    const text = await readFile(join(toy.folder, 'layers/product/hi/recipe.yaml'), 'utf8')
    expect(text).toContain(`sha256: '${digestOf(NEW)}'`)
    expect(text).toContain("version: '1.1'")
    expect(text).toContain('hello-{{version}}.tar')
    expect(text).toContain('style: autotools')
    expect(text).toContain('Read for the license: COPYING')
  })

  test.each([
    ['meson.build', 'meson', '[toolchain/gcc, toolchain/busybox, base/meson]'],
    ['CMakeLists.txt', 'cmake', '[toolchain/gcc, toolchain/busybox, base/cmake]'],
    ['Makefile', 'plain', '[toolchain/gcc, toolchain/make, toolchain/busybox]'],
  ])('takes the style of a package by its %s', async (sign, style, inputs) => {
    const toy = await makeToy({
      'lamp-2.tar': Buffer.from(tarOf([{ path: `lamp-2/${sign}`, data: '' }])),
    })
    const { code, stderr } = await toy.run('source', 'add', 'lamp-2.tar')
    expect(code, stderr).toBe(0)
    const text = await readFile(join(toy.folder, 'layers/product/lamp/recipe.yaml'), 'utf8')
    expect(text).toContain(`\nstyle: ${style}\n`)
    expect(text).toContain(`\ninputs: ${inputs}\n`)
  })

  test('and `new recipe` work while another recipe is unfinished', async () => {
    const toy = await makeToy(HELLO)
    expect((await toy.run('source', 'add', 'hello-1.0.tar', '--name', 'one')).code).toBe(0)
    await refused(toy, 'field "license" is missing', 'list')
    const two = await toy.run('source', 'add', 'hello-1.1.tar', '--name', 'two')
    expect(two.code, two.stderr).toBe(0)
    const made = await toy.run('new', 'recipe', 'three')
    expect(made.code, made.stderr).toBe(0)
    expect(made.stderr).toContain(`warning: "${join(toy.folder, 'three')}" is not there yet`)
  })

  test('overwrites nothing, and makes nothing of what it cannot get', async () => {
    const toy = await makeToy({ ...HELLO, 'page.html': '<html>' })
    await refused(
      toy,
      'something is there',
      'source',
      'add',
      'hello-1.1.tar',
      '--layer',
      'bootstrap',
    )
    await refused(toy, 'correct the path', 'source', 'add', 'none.tar')
    await refused(toy, 'A place is debian:PACKAGE/FILE', 'source', 'add', 'ftp://x/foo-1.tgz')
    await refused(toy, '~/.netrc', 'source', 'add', 'http://me:secret@127.0.0.1:1/foo-1.tgz')
    await refused(toy, 'its name has no version', 'source', 'add', 'page.html')
    await writeFile(join(toy.folder, 'bad-1.0.tar.gz'), '<html>not a tarball')
    await refused(toy, 'bad-1.0.tar.gz', 'source', 'add', 'bad-1.0.tar.gz')
    await refused(toy, 'your layers are bootstrap, product', 'source', 'add', 'x', '--layer', 'no')
    expect(existsSync(join(toy.folder, 'layers/product/bad'))).toBe(false)
  })
})

describe('new', () => {
  test('refuses a name that leaves the layer', async () => {
    const toy = await makeToy()
    for (const name of ['../out', 'a/b', '.', 'Big'])
      await refused(toy, 'as the name of a recipe', 'new', 'recipe', name)
    await refused(toy, 'Did you mean "plain"?', 'new', 'recipe', 'x', '--style', 'plan')
    await refused(toy, 'The styles are: ', 'new', 'recipe', 'x', '--style', 'a: b\nc: d')
    expect((await readdir(join(toy.folder, 'layers'))).sort()).toEqual(
      ['bootstrap', 'layers.yaml', 'machines', 'product', 'styles'].sort(),
    )
  })

  test('makes layers on top of those of the engine, and recipes in them', async () => {
    const toy = await makeToy()
    const run = (...words: string[]) => toy.runWith({ globals: ['--store', toy.store] }, ...words)
    const folder = join(toy.folder, 'fresh')
    expect((await run('new', 'layer', 'mine', folder)).code).toBe(0)
    const layers = join(folder, 'layers/layers.yaml')
    const globals = ['--layers', layers, '--store', toy.store]
    for (const style of ['kconfig', 'autotools-host', 'image']) {
      const refusal = await toy.runWith({ globals }, 'new', 'recipe', 'x', '--style', style)
      expect(refusal.code, style).toBe(3)
      expect(refusal.stderr).toContain(`Cannot use style "${style}": it`)
    }
    const image = await toy.runWith({ globals }, 'new', 'image', 'device', 'zlib')
    expect(image.code, image.stderr).toBe(0)
    const other = ['new', 'image', 'debug', '--extends'] as const
    expect((await toy.runWith({ globals }, ...other, 'device')).code).toBe(0)
    const text = await readFile(join(folder, 'layers/mine/debug/recipe.yaml'), 'utf8')
    expect(text).toContain('\nextends: mine/device\n')
    const odd = await toy.runWith({ globals }, ...other, 'zlib')
    expect(odd.stderr).toContain('it is no image')
    await toy.write({ 'fresh/tool/main.c': 'int main;\n' })
    const made = await toy.runWith({ globals }, 'new', 'recipe', 'tool')
    expect(made.stderr).toBe('')
    expect(made.stdout.trim()).toBe(join(folder, 'layers/mine/tool/recipe.yaml'))
    const again = await toy.runWith({ globals }, 'new', 'recipe', 'tool')
    expect(again.stderr).toContain('something is there')
    const listed = await toy.runWith({ globals }, 'list', 'mine')
    expect(listed.stdout).toContain('mine/device')
    const lint = await toy.runWith({ globals }, 'lint')
    expect(lint.code, lint.stderr + lint.stdout).toBe(0)
  })
})

test('commands that change layers take those of the engine only in its checkout', async () => {
  const toy = await makeToy(HELLO)
  const below = join(toy.folder, 'layers/bootstrap')
  const how = { wrap: ['env', '-C', below], globals: ['--store', toy.store] }
  for (const words of [
    ['new', 'recipe', 'another'],
    ['new', 'image', 'another'],
    ['source', 'add', '/dev/null'],
    ['upgrade', 'busybox', '9'],
    ['patch', 'busybox', '.'],
    ['menuconfig', 'busybox'],
    ['lint', '--fix'],
  ]) {
    const { code, stderr } = await toy.runWith(how, ...words)
    expect([code, stderr], words.join(' ')).toEqual([
      2,
      expect.stringContaining(`Cannot tell which layers to change: "${below}" has no layers.yaml`),
    ])
  }
  const { stderr } = await toy.runWith(how, 'show', 'hello')
  expect(stderr).toContain('this folder has no layers, so only those of Fixpoint count')
})
