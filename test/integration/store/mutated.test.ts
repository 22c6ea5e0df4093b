import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { FixpointError } from '../../../src/base/error.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { packTree } from '../../../src/store/artifact/pack.ts'
import { encodeEntry, type TarEntry } from '../../../src/store/artifact/tar-header.ts'
import type { IndexEntry } from '../../../src/store/rooms.ts'
import { unpackArtifact } from '../../../src/store/artifact/unpack.ts'
import { blobPath, listingPath, treePath } from '../../../src/store/local/layout.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { freshStore, id } from '../../support/rig.ts'
import type { ToyStore } from '../../support/toy.ts'
import { describeTree, writeTreeAt, type Tree } from '../../support/trees.ts'

/** The same inputs on every run. */
const SEED = 20000101

/** Everything that a test makes is in `world`; `outside` is next to what it may write to. */
let world: string
let outside: string

beforeEach(async () => {
  world = mkdtempSync(join(tmpdir(), 'fixpoint-mutated-'))
  outside = join(world, 'outside')
  await writeTreeAt(outside, {
    file: 'precious',
    'folder/file': 'precious',
    script: { mode: 0o600, data: 'x' },
  })
})

afterEach(async () => {
  await removeTree(world)
})

/**
 * Fails unless `work` ends within ten seconds, well or with an error of ours, and leaves alone what
 * is outside.
 */
async function endsWell(work: () => unknown): Promise<void> {
  const before = await describeTree(outside)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('it takes too long'))
    }, 10_000)
  })
  try {
    await Promise.race([work(), late])
  } catch (error) {
    if (!(error instanceof FixpointError)) throw error
    expect(error.kind).not.toBe('bug')
  } finally {
    clearTimeout(timer)
  }
  expect(await describeTree(outside)).toEqual(before)
}

type Change = (data: Buffer) => Buffer

const share = fc.double({ min: 0, max: 1, noNaN: true })
const placeOf = (data: Buffer, at: number): number =>
  Math.min(data.length - 1, Math.floor(at * data.length))

/** What may become of a file's bytes. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc
    .array(fc.tuple(share, fc.nat(7)), { minLength: 1, maxLength: 4 })
    .map((flips) => (data: Buffer) => {
      const changed = Buffer.from(data)
      for (const [at, bit] of flips) changed[placeOf(data, at)]! ^= 1 << bit
      return changed
    }),
  share.map((at) => (data: Buffer) => data.subarray(0, placeOf(data, at))),
  fc
    .tuple(share, fc.uint8Array({ minLength: 1, maxLength: 600 }))
    .map(([at, more]) => (data: Buffer) => {
      const place = placeOf(data, at)
      return Buffer.concat([data.subarray(0, place), more, data.subarray(place)])
    }),
  fc.tuple(share, share).map(([from, to]) => (data: Buffer) => {
    const [first, last] = [placeOf(data, Math.min(from, to)), placeOf(data, Math.max(from, to))]
    return Buffer.concat([data.subarray(0, first), data.subarray(last)])
  }),
  // Some number becomes a huge one, a negative one or none.
  fc
    .tuple(fc.nat(), fc.constantFrom('99999999999999999999', '-1', '1e999', '0777', '{}', 'null'))
    .map(([pick, number]) => (data: Buffer) => {
      const text = data.toString('latin1')
      const found = [...text.matchAll(/\d+/g)]
      const old = found[pick % Math.max(1, found.length)]
      const [begin, end] = [old?.index ?? 0, (old?.index ?? 0) + (old?.[0].length ?? 0)]
      return Buffer.from(`${text.slice(0, begin)}${number}${text.slice(end)}`, 'latin1')
    }),
)

/** What may take a file's place; given the path, and that of another file of its kind. */
const replacement: fc.Arbitrary<(path: string, other: string) => void> = fc.oneof(
  { weight: 4, arbitrary: change.map((to) => (path: string) => put(path, to(readFileSync(path)))) },
  fc.constantFrom(
    (path: string) => {
      remove(path)
      execFileSync('mkfifo', [path])
    },
    (path: string) => {
      remove(path)
      mkdirSync(join(path, 'inside'), { recursive: true })
    },
    (path: string) => {
      remove(path)
      symlinkSync(join(outside, 'file'), path)
    },
    (path: string) => {
      remove(path)
      symlinkSync('/dev/zero', path)
    },
    (path: string) => {
      remove(path)
      symlinkSync(path, path)
    },
    (path: string, other: string) => {
      put(path, readFileSync(other))
    },
    remove,
  ),
)

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

function put(path: string, data: Buffer): void {
  remove(path)
  writeFileSync(path, data)
}

const TREE: Tree = {
  'usr/bin/tool': { mode: 0o755, data: 'a tool\n' },
  [`usr/share/${'ü'.repeat(60)}`]: 'long name',
  'usr/share/large': Buffer.alloc(3000, 'large'),
  'usr/share/link': { link: `../${'x'.repeat(120)}` },
  way: { link: '../outside' },
}

it('of 400 changed tars of artifacts none does harm', async () => {
  const [root, tar, tree] = ['root', 'tar', 'tree'].map((name) => join(world, name)) as [
    string,
    string,
    string,
  ]
  await writeTreeAt(root, TREE)
  await packTree(root, tar)
  const data = readFileSync(tar)
  const changes = fc.array(change, { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      writeFileSync(
        tar,
        list.reduce<Buffer>((changed, to) => to(changed.length > 0 ? changed : data), data),
      )
      remove(tree)
      mkdirSync(tree)
      await endsWell(() => unpackArtifact(tar, tree))
    }),
    { numRuns: 400, seed: SEED },
  )
}, 120_000)

it('of 250 well-formed tars of hostile entries none does harm', async () => {
  const [tar, tree] = [join(world, 'tar'), join(world, 'tree')]
  const name = fc.constantFrom(
    'a',
    'b',
    '..',
    '.',
    '',
    'way',
    'outside',
    'file',
    'x'.repeat(300),
    'n\0',
    'ü',
    '~',
  )
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
  const mode = fc.constantFrom(0, 0o644, 0o7777)
  const size = fc.constantFrom(0, 1, 511, 513, 8 * 2 ** 30, Number.MAX_SAFE_INTEGER)
  const target = fc.constantFrom(
    '../outside',
    '../outside/file',
    '/',
    '.',
    'a',
    'y'.repeat(5000),
    'n\0',
  )
  const entry: fc.Arbitrary<TarEntry> = fc.oneof(
    fc.record({ type: fc.constant('folder' as const), path, mode }),
    fc.record({ type: fc.constant('file' as const), path, mode, size }),
    fc.record({ type: fc.constant('link' as const), path, target }),
  )
  const order = fc.boolean()
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 5 }),
      order,
      async (entries, sorted) => {
        if (sorted) entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
        const blocks = entries.map((fields) => {
          const content =
            fields.type === 'file' && fields.size < 1000 ? Math.ceil(fields.size / 512) * 512 : 0
          const text = Buffer.alloc(content)
          text.fill('x', 0, content === 0 || fields.type !== 'file' ? 0 : fields.size)
          return Buffer.concat([encodeEntry(fields), text])
        })
        writeFileSync(tar, Buffer.concat([...blocks, Buffer.alloc(1024)]))
        remove(tree)
        mkdirSync(tree)
        await endsWell(() => unpackArtifact(tar, tree))
      },
    ),
    { numRuns: 250, seed: SEED },
  )
}, 120_000)

it('of 290 changed index entries and histories none does harm, nor is taken for what it is not', async () => {
  const { store, folder } = await freshStore()
  const entryOf = (name: string): IndexEntry => ({
    recipe: id(`base/${name}`),
    key: digestOf(name),
    artifact: digestOf(`artifact of ${name}`),
    document: { numbers: [1, 2.5], name },
    size: 1000,
    durationMs: 2,
    cpuMs: 3,
    peakMemory: 4,
  })
  const [own, other] = [entryOf('own'), entryOf('other')]
  for (const entry of [own, other]) await store.index.record(entry.key, entry)
  const paths = [
    [join(folder, 'index', own.key), join(folder, 'index', other.key)],
    [join(folder, 'index/base@own.history'), join(folder, 'index/base@other.history')],
  ] as const
  const pristine = paths.map(([path]) => readFileSync(path))
  await fc.assert(
    fc.asyncProperty(fc.nat(1), replacement, async (which, replace) => {
      const [path, second] = paths[which] ?? paths[0]
      put(path, pristine[which] ?? Buffer.alloc(0))
      replace(path, second)
      await endsWell(() => {
        const found = store.index.find(own.key)
        if (found !== undefined) expect(found).toEqual(own)
        for (const past of store.index.history(own.recipe))
          expect(past.durationMs).toBeTypeOf('number')
      })
      put(path, pristine[which] ?? Buffer.alloc(0))
    }),
    { numRuns: 290, seed: SEED },
  )
}, 120_000)

it('of 60 artifacts whose blob, tree or listing is changed none does harm, nor is used as it is', async () => {
  const toy = await freshStore()
  let serial = 0
  const other = await stored(toy, 'other')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('blob', 'tree', 'file', 'listing'),
      replacement,
      async (part, replace) => {
        const { store } = toy
        serial += 1
        const digest = await stored(toy, String(serial))
        const pathOf = (name: Digest): string =>
          ({
            blob: blobPath(store.root, name),
            tree: treePath(store.root, name),
            file: join(treePath(store.root, name), 'usr/share/text'),
            listing: listingPath(store.root, name),
          })[part]
        // A folder has no bytes to change.
        if (part === 'tree') put(pathOf(digest), Buffer.from('no folder'))
        replace(pathOf(digest), part === 'tree' ? pathOf(other).concat('.json') : pathOf(other))
        await endsWell(async () => {
          const noted = await store.trees.listing(digest)
          expect((await store.trees.unpack(digest)).listing).toEqual(noted)
          expect(readFileSync(join(treePath(store.root, digest), 'usr/share/text'), 'utf8')).toBe(
            String(serial),
          )
        })
        await endsWell(() => verifyStore(store))
        for (const path of [
          blobPath(store.root, digest),
          treePath(store.root, digest),
          listingPath(store.root, digest),
        ])
          remove(path)
      },
    ),
    { numRuns: 60, seed: SEED },
  )
}, 120_000)

/** An artifact that is packed and unpacked, as by an earlier session. */
async function stored({ store }: ToyStore, text: string): Promise<Digest> {
  const root = join(world, 'root')
  await removeTree(root)
  await writeTreeAt(root, { ...TREE, 'usr/share/text': text })
  const { digest } = await store.trees.pack(root)
  mkdirSync(treePath(store.root, digest))
  await unpackArtifact(blobPath(store.root, digest), treePath(store.root, digest))
  return digest
}
