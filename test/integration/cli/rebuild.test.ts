import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MANIFEST_PATH, makeManifest, type ManifestContent } from '../../../src/image/manifest.ts'
import { Store } from '../../../src/store/store.ts'
import { commandLine, makes, onSmallDisk, recipe, TOOLS_RECIPE, type Toy } from '../../support/cli.ts'
import { diskOf } from '../../support/disk.ts'

const makeToy = commandLine()

const IN = 'inputs: [bootstrap/tools]'

/** A system that runs from an image with base/words in it, as far as `rebuild --only` looks at it. */
async function system(): Promise<Toy & { rebuild: () => ReturnType<Toy['run']> }> {
  const toy = await makeToy({
    'layers/styles/disk.yaml':
      'name: disk\nsummary: A disk\nimage: true\nsteps:\n  disk: cp "$MANIFEST" "$OUT/{{name}}.img"\n',
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/words/recipe.yaml': makes('words', 'plain', IN),
    'layers/product/disk/recipe.yaml': recipe('disk', IN, 'style: disk', 'contents: [product/words]'),
  })
  const { code, stderr } = await toy.run('build', 'disk', '-o', 'out')
  expect(code, stderr).toBe(0)
  const record = JSON.parse(await readFile(join(toy.folder, 'out/disk.json'), 'utf8')) as { recipes: ManifestContent[] }
  const words = record.recipes.find((entry) => entry.recipe === 'product/words')!
  const store = await Store.open(toy.store, { emit: () => undefined, now: () => 0 })
  const manifest = makeManifest([{ ...words, listing: await store.listing(words.artifact) }])
  await store.close()
  await toy.write({
    [`root/${MANIFEST_PATH}`]: manifest,
    'root/usr/share/words': 'plain\n',
    'home/.config/fixpoint/config.yaml': `installed: ${join(toy.folder, 'root')}\n`,
  })
  await writeFile(join(toy.folder, 'disk'), diskOf(100, []))
  return { ...toy, rebuild: () => toy.run('rebuild', 'disk', '--only', 'words', '--against', join(toy.folder, 'disk')) }
}

test('what is the same is said to be, and is built anew each time', async () => {
  const { rebuild } = await system()
  const first = await rebuild()
  expect(first.code, first.stderr).toBe(0)
  expect(first.stdout).toMatch(/^product\/words [0-9a-f]{64}: identical\nrun: [12]\nrebuilt: 100\.0 % of the 6 bytes/)
  expect((await rebuild()).stdout).toBe(first.stdout)
})

test('an installed file that is not what the manifest says is named', async () => {
  const { rebuild, write } = await system()
  await write({ 'root/usr/share/words': 'plaim\n' })
  const { code, stderr } = await rebuild()
  expect(code).toBe(4)
  expect(stderr).toMatch(/Cannot use what is installed of product\/words .*"usr\/share\/words"/)
})

test('a recipe that gives something else is named each time, until it no longer does', async () => {
  const { rebuild, write } = await system()
  const say = (text: string) => write({ 'layers/product/words/recipe.yaml': makes('words', text, IN) })
  await say('other')
  const first = await rebuild()
  expect(first.code).toBe(5)
  expect(first.stderr).toMatch(/product\/words: "usr\/share\/words"/)
  const second = await rebuild()
  expect(second.code).toBe(5)
  expect(second.stderr).toMatch(/\bbuilt product\/words/)
  await say('plain')
  expect(await rebuild()).toMatchObject({ code: 0 })
})

test('a rebuild whose recipe fails ends, and goes on once that is mended', async () => {
  const { rebuild, write } = await system()
  const text = (words: string) => makes('words', 'plain', IN).replace('    echo', `    ${words}\n    echo`)
  await write({ 'layers/product/words/recipe.yaml': text('exit 3') })
  const { code, stderr } = await rebuild()
  expect(code).toBe(1)
  expect(stderr).toMatch(/Cannot build product\/words: step "build" ended with status 3/)
  await write({ 'layers/product/words/recipe.yaml': text(':') })
  const again = await rebuild()
  expect(again.code, again.stderr).toBe(0)
})

test.each([['--layers', 'layers/layers.yaml'], ['--mirror', 'folder'], ['--offline']])(
  '%s is refused with --image: what is in the image decides',
  async (option, ...value) => {
    const { runWith } = await makeToy()
    const { code, stderr } = await runWith({ globals: [] }, 'rebuild', '--image', 'disk', option, ...value)
    expect(code).toBe(2)
    expect(stderr).toContain(`Cannot use ${option} with --image`)
  },
)

test('the layers are those of the engine, whatever lies in the working folder', async () => {
  const { folder, store, runWith } = await system()
  const globals = ['--store', store]
  expect((await runWith({ globals }, 'build', '-n', 'disk')).code).toBe(0)
  const { code, stderr } = await runWith({ globals }, 'rebuild', 'disk', '--against', join(folder, 'disk'))
  expect(code).toBe(2)
  expect(stderr).toContain('Cannot find recipe "disk"')
})

test('a disk that will be full half-way is refused before anything is built', async () => {
  const { folder, runWith } = await system()
  const globals = ['--layers', join(folder, 'layers/layers.yaml'), '--store', join(folder, 'small/store')]
  await mkdir(join(folder, 'small'))
  const wrap = onSmallDisk(join(folder, 'small'), 64)
  const { code, stderr } = await runWith({ globals, wrap }, 'rebuild', 'disk', '--against', join(folder, 'disk'))
  expect(stderr).toMatch(/Cannot rebuild here: it takes more than \d+ MiB of disk, ".*small.*" has \d+ MiB/)
  expect(stderr).not.toMatch(/\bbuild (bootstrap|product)\//)
  expect(code).toBe(6)
})
