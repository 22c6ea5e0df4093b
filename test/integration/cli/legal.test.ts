import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { diskStyle, makes, recipe, sharedToy, TOOLS_RECIPE, type Toy } from '../../support/cli.ts'
import { tarOf } from '../../support/tars.ts'

const TEXT = 'GNU General Public License\nNo warranty.\n'
const TARBALL = tarOf([
  { path: 'free-1.0/COPYING', data: TEXT },
  { path: 'free-1.0/main.c', data: '/* The code. */\n' },
])
const PLACE = "from: ['file:../../../free-1.0.tar'], unpack: false"
const SOURCE = `sources: [{ sha256: ${digestOf(TARBALL)}, ${PLACE} }]`
const IN = 'inputs: [bootstrap/tools]'

/** A copyleft package and another one, with two images of both; one image has its own mirror. */
const image = (name: string, ...fields: readonly string[]): string =>
  recipe(name, 'inputs: [bootstrap/tools]', 'style: disk', ...fields).replace(/^license.*\n/m, '')

const free = (digest: string): string =>
  makes(
    'free',
    'free',
    SOURCE,
    `license-files: [{ path: COPYING, sha256: ${digest} }]`,
    IN,
  ).replace('license: MIT', 'license: GPL-2.0-only')

const toy = sharedToy(
  {
    'layers/styles/disk.yaml': diskStyle('cat "$MANIFEST" > "$OUT/{{name}}.img"'),
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/free/recipe.yaml': free(digestOf(TEXT)),
    'free-1.0.tar': TARBALL,
    'layers/product/free/files/main.conf': 'x = 1\n',
    'layers/product/free/files/start': '#!/bin/sh\n',
    'layers/product/words/recipe.yaml': makes('words', 'plain', IN),
    'layers/product/disk/recipe.yaml': image('disk', 'contents: [product/free, product/words]'),
    'layers/product/whole/recipe.yaml': image('whole', 'closure: true'),
  },
  async ({ run, folder }) => {
    await chmod(join(folder, 'layers/product/free/files/start'), 0o755)
    const { code, stderr } = await run('build', 'disk')
    expect(code, stderr).toBe(0)
  },
)

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

/** Writes the papers of the disk to a new folder, and answers that. */
async function papers({ run, folder }: Toy, name: string, ...options: string[]): Promise<string> {
  const target = join(folder, name)
  const { code, stderr } = await run('legal', 'out/disk.img', target, ...options)
  expect(code, stderr).toBe(0)
  return target
}

describe('legal', () => {
  test('copies files of recipes with their modes', async () => {
    const files = join(await papers(toy(), 'modes'), 'source/product/free/files')
    const mode = async (name: string): Promise<number> =>
      (await stat(join(files, name))).mode & 0o100
    expect(await mode('start')).toBe(0o100)
    expect(await mode('main.conf')).toBe(0)
  })

  test('says the expression, and writes manifest, texts and what belongs to the source', async () => {
    const { run, folder } = toy()
    const target = join(folder, 'papers')
    const { code, stdout, stderr } = await run('legal', 'out/disk.img', target)
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('product/disk: GPL-2.0-only AND MIT\n')
    expect(stdout).toContain('papers of 2 recipes (2 installed, 0 linked into others)\n')
    expect(stdout).toContain('The image holds no source files: pass on the 1 source file of')
    expect(await filesBelow(target)).toEqual([
      'README.txt',
      'licenses/product/free/free-1.0.tar/COPYING',
      'manifest.csv',
      'source/product/free/SOURCES',
      'source/product/free/action.json',
      'source/product/free/files/main.conf',
      'source/product/free/files/start',
      'source/product/free/recipe/product/free/recipe.yaml',
      'source/product/free/recipe/styles/plain.yaml',
    ])
    const text = join(target, 'licenses/product/free/free-1.0.tar/COPYING')
    expect(await readFile(text, 'utf8')).toBe(TEXT)
    expect(await readFile(join(target, 'source/product/free/SOURCES'), 'utf8')).toContain(
      digestOf(TARBALL),
    )
    expect(await readFile(join(target, 'manifest.csv'), 'utf8')).toContain('product/words')
  })

  test('has the same bytes each time, from the image or its record', async () => {
    const { run, folder } = toy()
    const one = await papers(toy(), 'one')
    const two = join(folder, 'two')
    expect((await run('legal', 'out/disk.json', two)).code).toBe(0)
    const files = await filesBelow(one)
    expect(await filesBelow(two)).toEqual(files)
    for (const file of files)
      expect(await readFile(join(two, file)), file).toEqual(await readFile(join(one, file)))
  })

  test('copies the sources of copyleft parts when asked', async () => {
    const { run, folder } = toy()
    const target = join(folder, 'with-sources')
    const { stdout } = await run('legal', 'out/disk.img', target, '--sources')
    expect(stdout).toContain('1 source file of the copyleft parts: pass the folder on')
    expect(stdout).not.toContain('--sources')
    expect(await readFile(join(target, 'README.txt'), 'utf8')).toContain('They are here')
    const copies = (await filesBelow(target)).filter((path) => path.endsWith('free-1.0.tar'))
    expect(copies).toHaveLength(1)
    expect(digestOf(await readFile(join(target, copies[0]!)))).toBe(digestOf(TARBALL))
  })

  test('leaves what is there, and nothing half', async () => {
    const { run, folder } = toy()
    const target = join(folder, 'there')
    await mkdir(target)
    await writeFile(join(target, 'mine'), 'mine')
    const { code, stderr } = await run('legal', 'out/disk.img', target)
    expect(code).toBe(2)
    expect(stderr).toContain('something is there already')
    expect(await readdir(target)).toEqual(['mine'])
  })

  test('of another file, or of other layers, is refused', async () => {
    const { run, write, folder } = toy()
    const refused = async (reason: string): Promise<void> => {
      const { stderr, code: status } = await run('legal', 'out/other.img', join(folder, 'none'))
      expect(status).not.toBe(0)
      expect(stderr).toContain(reason)
      expect(existsSync(join(folder, 'none'))).toBe(false)
    }
    const record = await readFile(join(folder, 'out/disk.json'), 'utf8')
    await write({ 'out/other.img': 'something else', 'out/other.json': record })
    await refused('is that of another file')
    await write({ 'layers/product/words/recipe.yaml': makes('words', 'changed', IN) })
    await refused('the layers in effect build another image')
    await write({ 'layers/product/words/recipe.yaml': makes('words', 'plain', IN) })
  })

  test('names each text that is not as stated', async () => {
    const { run, write, folder } = toy()
    await write({ 'layers/product/free/recipe.yaml': free('f'.repeat(64)) })
    const { code, stderr } = await run('legal', 'out/disk.img', join(folder, 'none'))
    expect(code).not.toBe(0)
    expect(stderr).toContain('some are not those that their recipes state')
    expect(stderr).toContain(
      `product/free, source "free-1.0.tar", file "COPYING": sha256 is ${digestOf(TEXT)}`,
    )
    expect(existsSync(join(folder, 'none'))).toBe(false)
    await write({ 'layers/product/free/recipe.yaml': free(digestOf(TEXT)) })
  })

  test('of an image with its own mirror asks for no other copy of the sources', async () => {
    const { run, folder } = toy()
    const built = await run('build', 'whole')
    expect(built.code, built.stderr).toBe(0)
    const { code, stdout, stderr } = await run('legal', 'out/whole.img', join(folder, 'whole'))
    expect(code, stderr).toBe(0)
    expect(stdout).not.toContain('holds no source files')
  })
})
