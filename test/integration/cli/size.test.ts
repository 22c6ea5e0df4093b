import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { measureDisk } from '../../../src/report/size/disk-size.ts'
import {
  diskStyle,
  jsonLines,
  makes,
  recipe,
  sharedToy,
  step,
  TOOLS_RECIPE,
} from '../../support/cli.ts'
import { imageOf } from '../../support/disk.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { writeTreeAt } from '../../support/trees.ts'

const IN = 'inputs: [bootstrap/tools]'

/** An image of two packages, with its manifest alone as a file. */
const toy = sharedToy(
  {
    'layers/styles/disk.yaml': diskStyle('cat "$MANIFEST" > "$OUT/{{name}}.img"'),
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/small/recipe.yaml': makes('small', 'plain', IN),
    'layers/product/large/recipe.yaml': recipe(
      'large',
      IN,
      'style: plain',
      step(
        'mkdir -p "$OUT/usr/lib/deep/er" "$OUT/usr/bin"',
        'printf %1000s x > "$OUT/usr/lib/deep/er/data"',
        'printf %20s x > "$OUT/usr/bin/large"',
      ),
    ),
    'layers/product/disk/recipe.yaml': recipe(
      'disk',
      IN,
      'style: disk',
      'contents: [product/small, product/large]',
    ),
  },
  async ({ run, folder }) => {
    const built = await run('build', 'disk', '--output', join(folder, 'out'))
    if (built.code !== 0) throw new Error(built.stderr)
  },
)

const sizes = async (...words: readonly string[]) => {
  const { code, stdout, stderr } = await toy().run('--json', 'size', ...words)
  expect(code, stderr).toBe(0)
  return jsonLines(stdout)[0]!
}

test('packages, folders and files sum up to the root, the largest first', async () => {
  const manifest = (await stat(join(toy().folder, 'out/disk.img'))).size
  for (const image of ['out/disk.json', 'out/disk.img'])
    expect(await sizes(image, '--files')).toMatchObject({
      type: 'size',
      image: 'product/disk',
      bytes: 1020 + 'plain\n'.length + manifest,
      fileCount: 4,
      manifest,
      packages: [
        { recipe: 'product/large', bytes: 1020, files: 2 },
        { recipe: 'product/small', bytes: 6, files: 1 },
      ],
      missing: [],
    })
  const { files, folders } = await sizes('out/disk.json', '--files', '--depth', '3')
  expect(files).toEqual(
    [
      { path: 'usr/share/fixpoint/manifest.json', size: manifest },
      { path: 'usr/lib/deep/er/data', recipe: 'product/large', size: 1000 },
      { path: 'usr/bin/large', recipe: 'product/large', size: 20 },
      { path: 'usr/share/small', recipe: 'product/small', size: 6 },
    ].sort((a, b) => b.size - a.size),
  )
  expect((folders as { path: string }[]).map(({ path }) => path).sort()).toEqual([
    'usr/bin',
    'usr/lib/deep',
    'usr/share',
    'usr/share/fixpoint',
  ])
})

test('people see shares, and in one row what a list leaves out', async () => {
  const { code, stdout } = await toy().run('size', 'out/disk.json', '--most', '1')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^product\/disk: .* in 4 files, not compressed\n\npackages:\n/)
  expect(stdout).toMatch(/\d %\s+3 files {2}and [12] more\n|\d %\s+\d files? {2}and 2 more\n/)
  const files = await toy().run('size', 'out/disk.json', '--files')
  expect(files.stdout).toMatch(/\n +6 B {2}\d[.\d]* % {2}\/usr\/share\/small {2}product\/small\n/)
})

test('a record needs no layers where the store remembers the build', async () => {
  const { folder, store, runWith } = toy()
  const other = await temporaryFolder()
  await writeTreeAt(other, {
    'layers/layers.yaml': 'machine: toy\nlayers: [product]\n',
    'layers/machines/toy.yaml': 'arch: x86_64\n',
    'layers/product': undefined,
  })
  const layers = ['--layers', join(other, 'layers/layers.yaml')]
  const record = join(folder, 'out/disk.json')
  const there = await runWith({ globals: [...layers, '--store', store] }, 'size', record)
  expect(there.code, there.stderr).toBe(0)
  const empty = ['--store', join(other, 'store')]
  const refused = await runWith({ globals: [...layers, ...empty] }, 'size', record)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('product/disk')
})

test('a store without the packages says which are not counted', async () => {
  const { folder, runWith } = toy()
  const globals = ['--layers', join(folder, 'layers/layers.yaml'), '--store', 'elsewhere']
  const { code, stdout } = await runWith({ globals }, 'size', 'out/disk.json')
  expect(code).toBe(0)
  expect(stdout).toContain('not in the store, and so not counted: product/large, product/small')
})

test('another file than the recorded image is refused', async () => {
  const image = join(toy().folder, 'out/other.img')
  await writeFile(image, 'another')
  await writeFile(
    join(toy().folder, 'out/other.json'),
    await readFile(join(toy().folder, 'out/disk.json')),
  )
  expect((await toy().run('size', image)).code).toBe(2)
  expect((await toy().run('size', 'out/none.img')).code).toBe(2)
})

test('partitions, and what is between them, sum up to the image', async () => {
  const folder = await temporaryFolder()
  await writeTreeAt(folder, { 'a/file': 'x'.repeat(100_000), 'b/file': 'y' })
  const { image } = await imageOf({ root: join(folder, 'a'), mirror: join(folder, 'b') })
  const { bytes, parts, rest } = (await measureDisk(image))!
  expect(bytes).toBe((await stat(image)).size)
  expect(parts.reduce((sum, part) => sum + part.bytes, rest)).toBe(bytes)
  expect(parts.map(({ name }) => name)).toEqual(['root', 'mirror'])
  for (const part of parts) {
    expect(part.squashfs).toBeGreaterThan(96)
    expect(part.squashfs).toBeLessThanOrEqual(part.bytes)
  }
  await writeFile(join(folder, 'plain'), 'no table')
  expect(await measureDisk(join(folder, 'plain'))).toBeUndefined()
})
