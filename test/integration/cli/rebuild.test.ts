import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MANIFEST_PATH, makeManifest, type ManifestContent } from '../../../src/image/manifest.ts'
import { Store } from '../../../src/store/store.ts'
import {
  commandLine,
  diskStyle,
  jsonLines,
  makes,
  onSmallDisk,
  recipe,
  TOOLS_RECIPE,
  type Toy,
} from '../../support/cli.ts'
import { diskOf } from '../../support/disk.ts'

const makeToy = commandLine()

const IN = 'inputs: [bootstrap/tools]'

/** A disk of 50 KiB whose only partition is where the toy's image has nothing but zeros. */
const TABLE = diskOf(100, [{ name: 'root', first: 40, last: 89 }])

/** A system that runs from an image with base/words in it, as far as `rebuild` looks at it. */
async function system(): Promise<Toy & { rebuild: () => ReturnType<Toy['run']>; disk: string }> {
  const toy = await makeToy({
    'layers/styles/disk.yaml': diskStyle('cat "$FILES/table" "$MANIFEST" > "$OUT/{{name}}.img"'),
    'layers/product/disk/files/table': TABLE,
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/words/recipe.yaml': makes('words', 'plain', IN),
    'layers/product/disk/recipe.yaml': recipe(
      'disk',
      IN,
      'style: disk',
      'contents: [product/words]',
    ),
  })
  const { code, stderr } = await toy.run('build', 'disk', '-o', 'out')
  expect(code, stderr).toBe(0)
  const record = JSON.parse(await readFile(join(toy.folder, 'out/disk.json'), 'utf8')) as {
    recipes: ManifestContent[]
  }
  const words = record.recipes.find((entry) => entry.recipe === 'product/words')!
  const store = await Store.open(toy.store, { emit: () => undefined, now: () => 0 })
  const manifest = makeManifest([{ ...words, listing: await store.trees.listing(words.artifact) }])
  await store.session.close()
  await toy.write({
    [`root/${MANIFEST_PATH}`]: manifest,
    'root/usr/share/words': 'plain\n',
    'home/.config/fixpoint/config.yaml': `installed: ${join(toy.folder, 'root')}\n`,
  })
  const disk = join(toy.folder, 'disk')
  await cp(join(toy.folder, 'out/disk.img'), disk)
  return {
    ...toy,
    disk,
    rebuild: () => toy.run('rebuild', 'disk', '--only', 'words', '--against', disk),
  }
}

test('what is the same is said to be, and is built anew each time', async () => {
  const { rebuild } = await system()
  const first = await rebuild()
  expect(first.code, first.stderr).toBe(0)
  expect(first.stdout).toMatch(
    /^product\/words [0-9a-f]{64}: identical\nrun: [12]\nrebuilt: 100\.0 % of the 6 bytes/,
  )
  expect((await rebuild()).stdout).toBe(first.stdout)
})

test('its receipts confirm the image, and name no recipe that was taken from it', async () => {
  const { run, disk, folder } = await system()
  const receipts = ['--receipts', join(folder, 'receipts')]
  const only = ['--only', 'words', '--against', disk]
  const { code, stderr } = await run('rebuild', 'disk', ...only, ...receipts)
  expect(code, stderr).toBe(0)
  const { stdout } = await run('--json', 'receipts', 'out/disk.json', 'receipts')
  const confirmed = jsonLines(stdout).filter(({ type }) => type === 'confirmation')
  expect(confirmed.map((line) => [line['recipe'], line['uncounted']])).toEqual([
    ['product/words', 1],
    ['product/disk', 0],
  ])
})

test('a recipe that is named twice is built and counted once', async () => {
  const { run, disk } = await system()
  const { code, stdout, stderr } = await run(
    'rebuild',
    'disk',
    '--only',
    'words,product/words',
    '--against',
    disk,
  )
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^product\/words [0-9a-f]{64}: identical\nrun: [12]\nrebuilt: 100\.0 %/)
})

test('of the image itself no share of what is installed is told: it is not installed', async () => {
  const { run, disk } = await system()
  const { code, stdout, stderr } = await run('rebuild', 'disk', '--only', 'disk', '--against', disk)
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^product\/disk [0-9a-f]{64}: identical to .*\nrun: \d\n$/)
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
  const say = (text: string) =>
    write({ 'layers/product/words/recipe.yaml': makes('words', text, IN) })
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
  const { rebuild, write, store } = await system()
  const text = (words: string) =>
    makes('words', 'plain', IN).replace('    echo', `    ${words}\n    echo`)
  await write({ 'layers/product/words/recipe.yaml': text('exit 3') })
  const { code, stderr } = await rebuild()
  expect(code).toBe(1)
  expect(stderr).toMatch(/Cannot build product\/words: step "build" ended with status 3/)
  // Like a store: only its owner gets to what was built there.
  expect((await stat(`${store}-rebuild-only`)).mode & 0o777).toBe(0o700)
  await write({ 'layers/product/words/recipe.yaml': text(':') })
  const again = await rebuild()
  expect(again.code, again.stderr).toBe(0)
})

describe('of everything', () => {
  test('runs every action, takes none from the store, and gives the same image', async () => {
    const { run, disk, folder } = await system()
    const { code, stdout, stderr } = await run(
      'rebuild',
      'disk',
      '--against',
      disk,
      '-o',
      join(folder, 'again'),
    )
    expect(code, stderr).toBe(0)
    const size = (await stat(disk)).size
    expect(stdout.split('\n').slice(0, 5)).toEqual([
      'actions in the graph: 3',
      'run: 3',
      'taken from the store: 0',
      'rebuilt: 100.0 % of the 6 bytes that are installed',
      'of the image: 51200 bytes built, 0 the sources, each compared with its digest',
    ])
    expect(stdout).toMatch(
      /identical: .*disk and what was built from its sources, all 51200 bytes\n/,
    )
    expect(size).toBeGreaterThan(51_200)
    expect(await readFile(join(folder, 'again/disk.img'))).toEqual(await readFile(disk))
  })

  test('interrupted by a failure it goes on, and says what had run', async () => {
    const { run, write, disk } = await system()
    const rebuild = () => run('rebuild', 'disk', '--against', disk)
    const text = (words: string) =>
      makes('words', 'plain', IN).replace('    echo', `    ${words}\n    echo`)
    await write({ 'layers/product/words/recipe.yaml': text('exit 3') })
    expect((await rebuild()).code).toBe(1)
    await write({ 'layers/product/words/recipe.yaml': makes('words', 'plain', IN) })
    const { code, stdout, stderr } = await rebuild()
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(
      /run: 3, 1 of them before this rebuild was interrupted\ntaken from the store: 0\n/,
    )
  })

  test.each([
    [
      'a byte that was changed',
      'root/usr/share/words',
      /installed of product\/words .*"usr\/share\/words" is not what/,
    ],
    ['a file that was added', 'root/usr/bin/planted', /"usr\/bin\/?.*" is not in its manifest/],
  ])('names %s in what is installed before it builds', async (_, path, message) => {
    const { run, write, disk } = await system()
    await write({ [path]: 'plaim\n' })
    const { code, stderr } = await run('rebuild', 'disk', '--against', disk)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/\bbuild (bootstrap|product)\//)
    expect(code).toBe(4)
  })

  test.each([
    ['a partition', 45 * 512 + 7, 'partition "root", offset 2567'],
    ['the rest of the disk', 38 * 512, 'outside the partitions'],
  ])('names a byte of the disk that differs in %s', async (_, offset, where) => {
    const { run, disk } = await system()
    const bytes = await readFile(disk)
    bytes[offset] = 1
    await writeFile(disk, bytes)
    const { code, stderr } = await run('rebuild', 'disk', '--against', disk)
    expect(stderr).toContain(
      `every package is the same, but byte ${String(offset)} of ${disk} is not (${where})`,
    )
    expect(code).toBe(5)
  })

  test('names the package and the file where the recipes are no longer those of the image', async () => {
    const { run, write, disk } = await system()
    await write({ 'layers/product/words/recipe.yaml': makes('words', 'other', IN) })
    const { code, stderr } = await run('rebuild', 'disk', '--against', disk)
    expect(stderr).toMatch(/product\/words: "usr\/share\/words": .*\(1 packages differ\)/)
    expect(code).toBe(5)
  })
})

test.each([['--layers', 'layers/layers.yaml'], ['--mirror', 'folder'], ['--offline']])(
  '%s is refused with --image: what is in the image decides',
  async (option, ...value) => {
    const { runWith } = await makeToy()
    const { code, stderr } = await runWith(
      { globals: [] },
      'rebuild',
      '--image',
      'disk',
      option,
      ...value,
    )
    expect(code).toBe(2)
    expect(stderr).toContain(`Cannot use ${option} with --image`)
  },
)

test('the layers are those of the engine, whatever lies in the working folder', async () => {
  const { folder, store, runWith } = await system()
  const globals = ['--store', store]
  expect((await runWith({ globals }, 'build', '-n', 'disk')).code).toBe(0)
  const { code, stderr } = await runWith(
    { globals },
    'rebuild',
    'disk',
    '--against',
    join(folder, 'disk'),
  )
  expect(code).toBe(2)
  expect(stderr).toContain('Cannot find recipe "disk"')
})

test('a disk that will be full half-way is refused before anything is built', async () => {
  const { folder, runWith } = await system()
  const globals = [
    '--layers',
    join(folder, 'layers/layers.yaml'),
    '--store',
    join(folder, 'small/store'),
  ]
  await mkdir(join(folder, 'small'))
  const wrap = onSmallDisk(join(folder, 'small'), 64)
  const { code, stderr } = await runWith(
    { globals, wrap },
    'rebuild',
    'disk',
    '--against',
    join(folder, 'disk'),
  )
  expect(stderr).toMatch(
    /Cannot rebuild here: it takes more than \d+ MiB of disk, ".*small.*" has \d+ MiB/,
  )
  expect(stderr).not.toMatch(/\bbuild (bootstrap|product)\//)
  expect(code).toBe(6)
})
