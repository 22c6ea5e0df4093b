import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import {
  diskStyle,
  jsonLines,
  makes,
  ranIn,
  recipe,
  sharedToy,
  step,
  TOOLS_RECIPE,
} from '../../support/cli.ts'

const PARSER = '/* A Bison parser, made by GNU Bison 3.8.2.  */\n'
const IN = 'inputs: [bootstrap/tools]'

/** words -> lines -> disk, and other -> disk; `sizes` sees of `lines` only what stays the same. */
const toy = sharedToy(
  {
    'layers/layers.yaml':
      'machine: toy\nhost-layers: [bootstrap]\nlayers: [bootstrap, base, product]\n',
    'layers/styles/disk.yaml': diskStyle(
      'cat "$CONTENTS"/usr/share/* "$MANIFEST" > "$OUT/{{name}}.img"',
    ),
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/base/words/recipe.yaml': makes('words', 'plain', IN),
    'layers/base/lines/recipe.yaml': recipe(
      'lines',
      'inputs: [bootstrap/tools, base/words]',
      'style: plain',
      step('mkdir -p $OUT/usr/share', 'cat /usr/share/words > $OUT/usr/share/lines'),
    ),
    'layers/base/same/recipe.yaml': recipe(
      'same',
      'inputs: [bootstrap/tools, base/words]',
      'style: plain',
      step('mkdir -p $OUT/usr/share', 'echo same > $OUT/usr/share/same'),
    ),
    'layers/base/above-same/recipe.yaml': makes(
      'above-same',
      'x',
      'inputs: [bootstrap/tools, base/same]',
    ),
    'layers/base/other/recipe.yaml': makes('other', 'other', IN),
    'parser.c': PARSER,
    'layers/base/sourced/recipe.yaml': makes(
      'sourced',
      'sourced',
      `sources: [{ sha256: ${digestOf(PARSER)}, from: ['file:../../../parser.c'], unpack: false }]`,
      IN,
    ),
    'layers/product/whole/recipe.yaml': recipe(
      'whole',
      'inputs: [bootstrap/tools, base/sourced]',
      'style: disk',
      'closure: true',
    ),
    'layers/product/parted/recipe.yaml': recipe(
      'parted',
      IN,
      'style: disk',
      'steps: { disk: "mkdir $OUT/parts; echo one > $OUT/parts/one" }',
    ),
    'layers/product/named/recipe.yaml': recipe(
      'named',
      IN,
      'style: disk',
      'steps: { disk: "echo {} > $OUT/named.json" }',
    ),
    'layers/product/disk/recipe.yaml': recipe(
      'disk',
      IN,
      'style: disk',
      'contents: [base/lines, base/other]',
    ),
  },
  async ({ run }) => {
    const { code, stderr } = await run('build', 'disk', 'above-same')
    expect(code, stderr).toBe(0)
  },
)

test('an image is put into the output folder, and left alone the second time', async () => {
  const { folder, run } = toy()
  const first = await run('build', 'disk', '-o', 'made')
  expect(first.code).toBe(0)
  expect(first.stdout.split('\n')[0]).toMatch(/^product\/disk [0-9a-f]{64}$/)
  expect(first.stdout.split('\n').slice(1, -1)).toEqual(['made/disk.img', 'made/disk.json'])
  expect(await readFile(join(folder, 'made/disk.img'), 'utf8')).toMatch(/^plain\nother\n\{/)
  const record = JSON.parse(await readFile(join(folder, 'made/disk.json'), 'utf8')) as Record<
    string,
    unknown
  >
  expect(record).toMatchObject({
    recipe: 'product/disk',
    artifact: first.stdout.split('\n')[0]?.split(' ')[1],
  })

  const times = async (): Promise<string[]> =>
    Promise.all(
      (await readdir(join(folder, 'made'))).map(async (name) => {
        const { ino, ctimeMs } = await stat(join(folder, 'made', name))
        return `${name} ${ino} ${ctimeMs}`
      }),
    )
  const before = await times()
  expect(await run('build', 'disk', '-o', 'made')).toMatchObject({ code: 0, stdout: first.stdout })
  expect(await times()).toEqual(before)
})

test('an image that was written to since it was put there is put there again', async () => {
  const { folder, run } = toy()
  const file = join(folder, 'written/disk.img')
  expect((await run('build', 'disk', '-o', 'written')).code).toBe(0)
  const good = await readFile(file)
  const bytes = Buffer.from(good)
  bytes[3]! ^= 1
  await writeFile(file, bytes)
  expect((await run('build', 'disk', '-o', 'written')).code).toBe(0)
  expect(await readFile(file)).toEqual(good)
  // A record that is none is no reason to fail.
  await writeFile(join(folder, 'written/disk.json'), 'null')
  expect((await run('build', 'disk', '-o', 'written')).code).toBe(0)
})

test.each([
  ['a copy that kept its time', ['cp', '-p']],
  ['a link', ['ln', '-sf']],
])('another image of the same size in its place is found, as %s', async (what, command) => {
  const { folder, run } = toy()
  const output = `old ${what}`
  expect((await run('build', 'disk', '-o', output)).code).toBe(0)
  const file = join(folder, output, 'disk.img')
  const good = await readFile(file)
  const old = join(folder, `${output}.img`)
  await writeFile(old, Buffer.alloc(good.length))
  await utimes(old, 1e9, 1e9)
  const [program = '', option = ''] = command
  await execa(program, [option, old, file])
  expect((await run('build', 'disk', '-o', output)).code).toBe(0)
  expect(await readFile(file)).toEqual(good)
})

test('a link in the output folder is replaced, never followed', async () => {
  const { folder, run, write } = toy()
  await write({ 'elsewhere/file': 'mine\n', 'linked/other': '' })
  for (const name of ['disk.img', 'disk.json'])
    await symlink('../elsewhere/file', join(folder, 'linked', name))
  const { code, stderr } = await run('build', 'disk', '-o', 'linked')
  expect(code, stderr).toBe(0)
  expect(await readFile(join(folder, 'elsewhere/file'), 'utf8')).toBe('mine\n')
  const entries = await readdir(join(folder, 'linked'), { withFileTypes: true })
  expect(entries.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([
    'disk.img',
    'disk.json',
    'other',
  ])
})

test('a folder of an image is put into no link', async () => {
  const { folder, run, write } = toy()
  await write({ 'away/file': 'mine\n', 'through/other': '' })
  await symlink('../away', join(folder, 'through/parts'))
  const { code, stderr } = await run('build', 'parted', '-o', 'through')
  expect(code, stderr).toBe(1)
  expect(await readdir(join(folder, 'away'))).toEqual(['file'])
  expect((await run('build', 'parted', '-o', 'straight')).code).toBe(0)
  expect(await readFile(join(folder, 'straight/parts/one'), 'utf8')).toBe('one\n')
})

test('an image whose artifact has a file called like its record is refused', async () => {
  const { code, stderr } = await toy().run('build', 'named', '-o', 'named')
  expect(code, stderr).toBe(1)
  expect(stderr).toContain('"named.json"')
})

test.each([
  ['a fifo', (path: string) => execa('mkfifo', [path])],
  ['a link to a device', (path: string) => symlink('/dev/zero', path)],
  ['a folder', (path: string) => mkdir(path)],
  ['brackets without end', (path: string) => writeFile(path, '['.repeat(1_000_000))],
  ['something else', (path: string) => writeFile(path, '{"recipe": 5}')],
])(
  'what is %s is the record of no image, and a file or link is replaced where one belongs',
  async (what, make) => {
    const { folder, runWith } = toy()
    const output = `odd ${what}`
    await mkdir(join(folder, output))
    await make(join(folder, output, 'disk.json'))
    const bounded = { wrap: ['timeout', '30'] }
    const { code, stderr } = await runWith(
      bounded,
      'changes',
      join(output, 'disk.json'),
      join(output, 'disk.json'),
    )
    expect(code, stderr).toBe(2)
    // A folder may hold anything, and someone may read from a fifo.
    const kept = { 'a folder': 6, 'a fifo': 2 }[what] ?? 0
    expect((await runWith(bounded, 'build', 'disk', '-o', output)).code).toBe(kept)
  },
)

test('several engines may put an image into one folder', async () => {
  const { folder, run } = toy()
  const ended = await Promise.all([1, 2, 3, 4].map(() => run('build', 'disk', '-o', 'common')))
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0)
  expect((await readdir(join(folder, 'common'))).sort()).toEqual(['disk.img', 'disk.json'])
})

test('the record of an image with its closure tells what among its sources is not source code', async () => {
  const { folder, run } = toy()
  const seeds = async (output: string, ...flags: string[]): Promise<unknown> => {
    const { code, stderr } = await run('build', 'whole', '-o', output, ...flags)
    expect(code, stderr).toBe(0)
    expect(stderr.includes('look through 1 source file,')).toBe(flags.length === 0)
    return (
      JSON.parse(await readFile(join(folder, output, 'whole.json'), 'utf8')) as { seeds?: unknown }
    ).seeds
  }
  expect(await seeds('whole')).toEqual([
    {
      kind: 'parsers',
      why: expect.stringContaining('bison') as string,
      sources: [{ source: 'parser.c', files: 1, bytes: 48 }],
    },
  ])
  expect(await seeds('small', '--without-mirror')).toBeUndefined()
})

test('a shell in the sandbox of an image sees its contents and its sources', async () => {
  const { code, stdout, stderr } = await toy().run(
    'shell',
    'whole',
    'sh',
    '-c',
    'echo $MIRROR/* $CONTENTS/usr/share/*',
  )
  expect(code, stderr).toBe(0)
  expect(stdout).toBe('/mirror/parser.c /contents/usr/share/sourced\n')
})

test('an amendment builds again exactly what depends on it', async () => {
  const { run, write } = toy()
  await write({
    'layers/product/words/amend.yaml':
      `set:\n  steps:\n    build: |\n      mkdir -p $OUT/usr/share\n` +
      `      echo amended > $OUT/usr/share/words\n`,
  })
  const { code, stdout } = await run('--json', 'build', 'disk', 'above-same', '-o', 'amended')
  expect(code).toBe(0)
  const lines = jsonLines(stdout)
  // `same` gave the same bytes, so what is above it is stored.
  expect(ranIn(lines).sort()).toEqual(['base/lines', 'base/same', 'base/words', 'product/disk'])
  expect(lines.filter(({ type }) => type === 'target')).toMatchObject([
    { recipe: 'product/disk', files: ['amended/disk.img', 'amended/disk.json'] },
    { recipe: 'base/above-same', files: [] },
  ])

  // From the records beside the two images: what changed, and why, in the order of building.
  const first = await run('build', 'disk', '-o', 'again')
  expect(first.code).toBe(0)
  const changes = await run('changes', 'made/disk.json', 'amended/disk.json')
  expect(changes.code).toBe(0)
  const heads = changes.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('  '))
  expect(heads).toEqual([
    'base/words 1.0: built again, other bytes',
    'base/lines 1.0: built again, other bytes',
    'product/disk 1.0: built again, other bytes',
    'unchanged: 2 of 5',
  ])
  expect(changes.stdout).toMatch(/^base\/words .*\n {2}steps\.build\.script: line 1: .* -> "/)
  expect(changes.stdout).toMatch(/\nbase\/lines .*\n {2}inputs\.base\/words\.artifact: /)
  expect((await run('changes', 'amended/disk.json', 'again/disk.json')).stdout).toBe(
    'unchanged: 5 of 5\n',
  )
})

test.each([
  [undefined, 'it is not reproducible; see `fixpoint verify base/words`'],
  [true, 'its host or compiler is another'],
])('other bytes of the same action have a cause, if host is %s', async (host, cause) => {
  const { folder, run } = toy()
  const record = JSON.parse(await readFile(join(folder, 'made/disk.json'), 'utf8')) as {
    recipes: { recipe: string; artifact?: string; host?: boolean }[]
  }
  const other = record.recipes.map((one) =>
    one.recipe === 'base/words' ? { ...one, artifact: 'a'.repeat(64), host } : one,
  )
  await writeFile(join(folder, 'other.json'), JSON.stringify({ ...record, recipes: other }))
  const { stdout, stderr } = await run('changes', 'made/disk.json', 'other.json')
  expect(stdout, stderr).toContain(
    `base/words 1.0: built again, other bytes\n  the same action: ${cause}\n`,
  )
})

test('a package whose bytes one record does not know is changed only if its action is', async () => {
  const { folder, run } = toy()
  const text = await readFile(join(folder, 'made/disk.json'), 'utf8')
  const record = JSON.parse(text) as { recipes: { recipe: string; artifact?: string }[] }
  for (const built of record.recipes) if (built.recipe === 'base/words') delete built.artifact
  await mkdir(join(folder, 'unknown'))
  await writeFile(join(folder, 'unknown/disk.json'), JSON.stringify(record))
  const same = await run('changes', 'made/disk.json', 'unknown/disk.json')
  expect(same).toMatchObject({ code: 0, stdout: 'unchanged: 5 of 5\n' })
  const other = await run('changes', 'unknown/disk.json', 'amended/disk.json')
  expect(other.stdout).toContain('base/words 1.0: another action; the records do not say')
})

test('changes are told from records only', async () => {
  const { run } = toy()
  expect(await run('changes', 'made/disk.img', 'made/disk.json')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('made/disk.img') as string,
  })
})

test('the record beside an image tells of the keys it was built by, also where its bytes stay the same', async () => {
  const { folder, run, write } = toy()
  const keys = async (): Promise<Record<string, string>> => {
    const { code, stderr } = await run('build', 'disk', '-o', 'kept')
    expect(code, stderr).toBe(0)
    const text = await readFile(join(folder, 'kept/disk.json'), 'utf8')
    const { recipes } = JSON.parse(text) as { recipes: { recipe: string; key: string }[] }
    return Object.fromEntries(recipes.map(({ recipe: id, key }) => [id, key]))
  }
  await write({ 'layers/product/words/amend.yaml': 'set: {}\n' })
  const before = await keys()
  const made = await stat(join(folder, 'kept/disk.img'))
  await write({
    'layers/product/words/amend.yaml': `set:\n  env: { UNREAD: 'x' }\n`,
  })
  const after = await keys()
  expect(Object.keys(after).filter((id) => after[id] !== before[id])).toEqual(['base/words'])
  expect((await stat(join(folder, 'kept/disk.img'))).ino).toBe(made.ino)
})
