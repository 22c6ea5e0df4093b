import { on, once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { takeLock } from '../../../src/store/local/lock.ts'
import {
  commandLine,
  diskStyle,
  jsonLines,
  makes,
  onSmallDisk,
  recipe,
  step,
  TOOLS_RECIPE,
  type Toy,
} from '../../support/cli.ts'
import { digestsIn, makeMirror, sumsOf } from '../../support/mirrors.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import type { Tree } from '../../support/trees.ts'

const makeToy = commandLine()

const SOURCES = { 'one-1.0.txt': 'the first source\n', 'two-2.0.txt': 'the second source\n' }

/** A recipe that installs its source, which only a mirror has. */
function sourced(name: string, file: keyof typeof SOURCES): string {
  const from = `http://127.0.0.1:1/${file}`
  return recipe(
    name,
    `sources: [{ sha256: ${digestOf(SOURCES[file])}, from: ['${from}'], unpack: false }]`,
    'inputs: [bootstrap/tools]',
    'style: plain',
    step('mkdir -p "$OUT/usr/share"', `cat "$SOURCES/${file}" > "$OUT/usr/share/${name}"`),
  )
}

/** Both recipes, in two layers; an image of the first one. */
const LAYERS: Tree = {
  'layers/layers.yaml':
    'machine: toy\nhost-layers: [bootstrap]\nlayers: [bootstrap, product, top]\n',
  'layers/styles/disk.yaml': diskStyle('cat "$CONTENTS"/usr/share/* > "$OUT/{{name}}.img"'),
  'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
  'layers/product/one/recipe.yaml': sourced('one', 'one-1.0.txt'),
  'layers/top/two/recipe.yaml': sourced('two', 'two-2.0.txt'),
  'layers/top/disk/recipe.yaml': recipe(
    'disk',
    'inputs: [bootstrap/tools]',
    'style: disk',
    'contents: [product/one]',
  ),
}

/** A toy and a folder `sources` beside its layers, which no configuration names. */
async function newToy(): Promise<Toy> {
  const files = Object.entries(SOURCES).map(([name, text]) => [`sources/${name}`, text])
  return makeToy({ ...LAYERS, ...(Object.fromEntries(files) as Tree) })
}

/** Starts `mirror serve`. Resolves to its address, once it listens. */
async function serve(toy: Toy, folder: string): Promise<{ address: string; child: ChildProcess }> {
  const child = toy.start('--json', 'mirror', 'serve', folder, '--port', '0')
  let said = ''
  for await (const [chunk] of on(child.stdout!, 'data') as AsyncIterable<[Buffer]>) {
    said += chunk.toString()
    if (said.includes('\n')) break
  }
  const [line] = jsonLines(said)
  expect(line).toMatchObject({ type: 'mirror-served', folder })
  return { address: String(line?.['address']), child }
}

test('a mirror of all layers is made, checked, copied, damaged, and mended', async () => {
  const { folder, run } = await newToy()
  const mirror = join(folder, 'mirror')
  const made = await run('mirror', 'create', mirror, '--from', join(folder, 'sources'))
  expect(made).toMatchObject({
    code: 0,
    stdout: `${mirror}: 2 of 2 source files, 2 copied now\n`,
  })
  expect(await digestsIn(mirror)).toEqual(await digestsIn(await makeMirror(SOURCES)))
  expect((await run('mirror', 'check', mirror)).stdout).toBe(`${mirror}: 2 whole files, 0 faults\n`)

  const copy = join(folder, 'copy')
  expect(await run('mirror', 'copy', mirror, copy)).toMatchObject({
    code: 0,
    stdout: `${copy}: 2 of 2 files right, 2 copied now\n`,
  })
  await writeFile(join(mirror, 'one-1.0.txt'), 'The first source\n')
  await writeFile(join(mirror, 'letter'), 'dear')
  const damaged = await run('--json', 'mirror', 'check', mirror)
  expect(damaged.code).toBe(8)
  expect(jsonLines(damaged.stdout).map(({ type, kind, path }) => [type, kind, path])).toEqual([
    ['fault', 'bad', 'one-1.0.txt'],
    ['fault', 'unlisted', 'letter'],
    ['mirror-checked', undefined, undefined],
  ])
  expect(damaged.stderr).toMatch(/^error: Mirror .* has 2 faults\nhint: .*mirror copy OTHER /)
  expect((await run('mirror', 'copy', mirror, join(folder, 'third'))).code).toBe(8)

  await rm(join(mirror, 'letter'))
  expect((await run('mirror', 'copy', copy, mirror)).code).toBe(0)
  expect((await run('mirror', 'check', mirror)).code).toBe(0)
})

test('update adds what is missing only, also where no place and no store has the rest', async () => {
  const { folder, run, store } = await newToy()
  const mirror = join(folder, 'mirror')
  const from = ['--from', join(folder, 'sources')]
  expect((await run('mirror', 'create', mirror, 'one', ...from)).code).toBe(0)
  expect(await readdir(mirror)).not.toContain('two-2.0.txt')
  await rm(join(folder, 'sources/one-1.0.txt'))
  await rm(join(store, 'blobs'), { recursive: true })
  expect(await run('mirror', 'update', mirror, ...from)).toMatchObject({
    code: 0,
    stdout: `${mirror}: 2 of 2 source files, 1 copied now\n`,
  })
  // Nothing is left to ask for, so nothing has to be there.
  await rm(join(folder, 'sources'), { recursive: true })
  await rm(join(store, 'blobs'), { recursive: true })
  expect((await run('mirror', 'update', mirror, '--offline')).code).toBe(0)
})

test('what cannot be had is named, the rest is there, and the next run adds it', async () => {
  const { folder, run, write } = await newToy()
  const mirror = join(folder, 'mirror')
  const from = ['--from', join(folder, 'sources'), '--offline']
  await rm(join(folder, 'sources/two-2.0.txt'))
  const { code, stdout, stderr } = await run('mirror', 'create', mirror, ...from)
  expect([code, stdout]).toEqual([4, `${mirror}: 1 of 2 source files, 1 copied now\n`])
  expect(stderr).toContain('two-2.0.txt')
  await write({ 'sources/two-2.0.txt': SOURCES['two-2.0.txt'] })
  expect((await run('mirror', 'create', mirror, ...from)).stdout).toContain(', 1 copied now')
  expect((await run('mirror', 'check', mirror)).code).toBe(0)
})

test('a host with an empty store builds from a served mirror alone', async () => {
  const maker = await newToy()
  const mirror = join(maker.folder, 'mirror')
  const from = ['--from', join(maker.folder, 'sources')]
  expect((await maker.run('mirror', 'create', mirror, ...from)).code).toBe(0)
  const { address, child } = await serve(maker, mirror)
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)

  const other = await makeToy(LAYERS)
  expect((await other.run('build', 'one', 'two')).code).toBe(4)
  await other.write({ 'home/.config/fixpoint/config.yaml': `mirrors: ['${address}']\n` })
  const built = await other.run('build', 'one', 'two')
  expect(built.code, built.stderr).toBe(0)
  const [line = ''] = built.stdout.split('\n')
  expect(line).toMatch(/^product\/one [0-9a-f]{64}$/)
  // The same as where the sources came from.
  expect((await maker.run('build', 'one')).stdout.split('\n')[0]).toBe(line)

  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  await expect(fetch(`${address}/SHA256SUMS`)).rejects.toThrow()
})

test('a served file that is damaged meanwhile is named by the server, and never built from', async () => {
  const maker = await newToy()
  const mirror = await makeMirror(SOURCES)
  const { address, child } = await serve(maker, mirror)
  await writeFile(join(mirror, 'one-1.0.txt'), 'another source\n')
  const said = once(child.stdout!, 'data')
  const other = await makeToy(LAYERS)
  await other.write({ 'home/.config/fixpoint/config.yaml': `mirrors: ['${address}']\n` })
  expect((await other.run('build', 'one')).code).toBe(4)
  const [line] = jsonLines(String(await said))
  expect(line).toMatchObject({ type: 'fault', kind: 'bad', path: 'one-1.0.txt' })
})

test('prune keeps what a record, a layers.yaml or both name; it refuses without any', async () => {
  const { folder, run } = await newToy()
  const old = { 'old-0.9.txt': 'an old source\n' }
  const mirror = await makeMirror({ ...SOURCES, ...old })
  const before = await digestsIn(mirror)
  expect((await run('mirror', 'prune', mirror)).code).toBe(2)
  expect((await run('mirror', 'prune', mirror, '--keep')).code).toBe(2)
  expect((await run('mirror', 'prune', mirror, '--keep', join(folder, 'nothing.json'))).code).toBe(
    2,
  )
  expect(await digestsIn(mirror)).toEqual(before)

  const layers = join(folder, 'layers/layers.yaml')
  const dry = await run('mirror', 'prune', mirror, '-n', '--keep', layers)
  expect(dry).toMatchObject({
    code: 0,
    stdout: `would remove old-0.9.txt\n${mirror}: would remove 1 file (14 B), kept 2\n`,
  })
  expect(await digestsIn(mirror)).toEqual(before)

  const built = await run('build', 'disk', '-o', join(folder, 'out'), '--mirror', mirror)
  expect(built.code, built.stderr).toBe(0)
  const record = join(folder, 'out/disk.json')
  expect((await run('mirror', 'prune', mirror, '--keep', record, layers)).stdout).toContain(
    'removed 1 file',
  )
  expect(await digestsIn(mirror)).toEqual(await digestsIn(await makeMirror(SOURCES)))
  // The image is of the first source only.
  expect((await run('mirror', 'prune', mirror, '--keep', record)).code).toBe(0)
  expect((await readdir(mirror)).sort()).toEqual(['SHA256SUMS', 'one-1.0.txt'])
})

test('while one command writes to a mirror another one is refused; two at once spoil nothing', async () => {
  const { folder, run } = await newToy()
  const mirror = join(folder, 'mirror')
  const create = () => run('mirror', 'create', mirror, '--from', join(folder, 'sources'))
  const codes = (await Promise.all([create(), create()])).map(({ code }) => code)
  expect(codes).toContain(0)
  for (const code of codes) expect([0, 2]).toContain(code)
  expect((await run('mirror', 'check', mirror)).code).toBe(0)

  const lock = await takeLock(mirror)
  onTestFinished(() => lock?.release())
  for (const words of [
    ['create', mirror],
    ['update', mirror],
    ['copy', await makeMirror(SOURCES), mirror],
    ['prune', mirror, '--keep', join(folder, 'layers/layers.yaml')],
  ]) {
    const { code, stderr } = await run('mirror', ...words)
    expect([code, stderr]).toEqual([2, expect.stringContaining('another command does so now')])
  }
  // Reading needs no turn.
  expect((await run('mirror', 'check', mirror)).code).toBe(0)
})

test('a read-only disk: reading works, and writing says why it does not', async () => {
  const { folder, run, runWith } = await newToy()
  const mirror = await makeMirror({ 'one-1.0.txt': SOURCES['one-1.0.txt'] })
  const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
  const wrap = ['unshare', '-Urm', 'sh', '-c', script, mirror]
  const before = await digestsIn(mirror)
  expect((await runWith({ wrap }, 'mirror', 'check', mirror)).code).toBe(0)
  const from = ['--from', join(folder, 'sources')]
  const update = await runWith({ wrap }, 'mirror', 'update', mirror, ...from)
  expect(update.stderr).toMatch(
    /^error: Cannot write to mirror ".*": the file system is read-only$/m,
  )
  expect(update.code).toBe(6)
  expect(await digestsIn(mirror)).toEqual(before)
  expect((await run('mirror', 'update', mirror, ...from)).code).toBe(0)
})

test('a file that may not be read is named; the others are read', async () => {
  const { runWith } = await newToy()
  const mirror = await makeMirror(SOURCES)
  await chmod(join(mirror, 'one-1.0.txt'), 0)
  // Root may read everything, unless it gives that up.
  const drop = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search']
  const wrap = process.getuid?.() === 0 ? drop : []
  const { code, stdout } = await runWith({ wrap }, 'mirror', 'check', mirror)
  expect({ code, stdout }).toEqual({
    code: 8,
    stdout: 'unreadable   one-1.0.txt: permission denied\n' + `${mirror}: 1 whole file, 1 fault\n`,
  })
})

test('a full disk: what fits is there, and the list names nothing else', async () => {
  const { runWith } = await newToy()
  const large = { 'a.tar': Buffer.alloc(5 << 20, 'a'), 'b.tar': Buffer.alloc(5 << 20, 'b') }
  const [from, to] = [await makeMirror(large), await temporaryFolder()]
  const look = '"$@"; code=$?; cd "$0" && ls -A && sha256sum -c SHA256SUMS; exit "$code"'
  const wrap = [...onSmallDisk(to, 8), 'sh', '-c', look, to]
  const { code, stdout, stderr } = await runWith({ wrap }, 'mirror', 'copy', from, to)
  expect(stderr).toContain('the disk is full')
  expect({ code, stdout }).toEqual({ code: 6, stdout: 'SHA256SUMS\na.tar\na.tar: OK\n' })
})

test('a source that shares its name with another one, or is renamed, spoils nothing', async () => {
  const { folder, run, write } = await newToy()
  const mirror = await makeMirror({ 'one-1.0.txt': 'of an earlier version\n' })
  const from = ['--from', join(folder, 'sources')]
  expect((await run('mirror', 'update', mirror, ...from)).code).toBe(0)
  const digest = digestOf(SOURCES['one-1.0.txt'])
  expect(await readFile(join(mirror, 'SHA256SUMS'), 'utf8')).toBe(
    sumsOf({ 'one-1.0.txt': 'of an earlier version\n' }) +
      `${digest}  ${digest}\n` +
      sumsOf({ 'two-2.0.txt': SOURCES['two-2.0.txt'] }),
  )
  // Metadata refuse the name of the list; so it never gets near a mirror.
  await write({
    'layers/product/one/recipe.yaml': makes(
      'one',
      'one',
      `sources: [{ sha256: ${digest}, name: SHA256SUMS, from: ['file:x'], unpack: false }]`,
      'inputs: [bootstrap/tools]',
    ),
  })
  const before = await digestsIn(mirror)
  expect((await run('mirror', 'update', mirror, ...from)).code).toBe(3)
  expect(await digestsIn(mirror)).toEqual(before)
  const { stdout } = await run('mirror', 'check', await temporaryFolder())
  expect(stdout).toBe('')
})
