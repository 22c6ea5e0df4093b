import { execFileSync } from 'node:child_process'
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs'
import {
  link,
  mkdir,
  mkdtemp,
  readFile,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EPOCH } from '../../../src/base/constants.ts'
import { digestOfFile } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { byBytes } from '../../../src/base/order.ts'
import { composeUnion } from '../../../src/sandbox/sysroot.ts'
import { compareTree } from '../../../src/store/artifact/check-tree.ts'
import { packTree, type Packed } from '../../../src/store/artifact/pack.ts'
import { encodeEntry, type TarEntry } from '../../../src/store/artifact/tar-header.ts'
import { unpackArtifact } from '../../../src/store/artifact/unpack.ts'
import { tarOf } from '../../support/tars.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { describeTree, touchAll, writeTreeAt, type Tree } from '../../support/trees.ts'

const LONG = `usr/share/${'l'.repeat(60)}/${'m'.repeat(120)}`
const HUNDREDS = Array.from({ length: 6 }, (_, at) => String(at).repeat(100))
const VERY_LONG = `usr/${HUNDREDS.join('/')}/end`

/** All kinds of entries that an artifact may have. */
const RICH: Tree = {
  'usr/bin/tool': { mode: 0o755, data: '#!/bin/sh\n' },
  'usr/bin/other-name': { mode: 0o4755, data: 'setuid' },
  'usr/lib/empty': '',
  'usr/lib/large': Buffer.alloc(2 << 20, 'fixpoint'),
  'usr/lib/just-whole': Buffer.alloc(1 << 20, 'x'),
  'usr/lib/just-not-whole': Buffer.alloc((1 << 20) + 1, 'x'),
  'usr/lib.d/file': 'sorts between usr/lib and usr/lib/empty for some',
  'usr/lib0': 'and this one after',
  [LONG]: 'long name',
  [VERY_LONG]: 'very long name',
  'usr/share/ünï/日本': 'no ASCII',
  'usr/share/back\\slash and blank ': 'odd',
  'usr/share/new\nline': 'odder',
  'usr/share/link': { link: '../lib/empty' },
  'usr/share/folder-link': { link: '../lib' },
  'usr/share/long-link': { link: 'x/'.repeat(150) },
  'usr/share/ünï-link': { link: '日本' },
  bin: { link: 'usr/bin' },
  absolute: { link: '/etc/hostname' },
  dangling: { link: 'nowhere' },
  tmp: { mode: 0o1777 },
  empty: undefined,
  'locked/inside': 'in a folder without write permission',
  locked: { mode: 0o555 },
  'setgid/inside': { mode: 0o444, data: 'read-only' },
  setgid: { mode: 0o2775 },
}

async function pack(tree: Tree): Promise<Packed & { root: string; tar: string }> {
  const folder = await temporaryFolder()
  const [root, tar] = [join(folder, 'root'), join(folder, 'out.tar')]
  await writeTreeAt(root, tree)
  return { ...(await packTree(root, tar)), root, tar }
}

describe('packing', () => {
  it('depends neither on the order of creation nor on times', async () => {
    const first = await pack(RICH)
    const { root, tar } = await pack(Object.fromEntries(Object.entries(RICH).reverse()))
    await touchAll(root, 1_234_567_890)
    expect((await packTree(root, tar)).digest).toBe(first.digest)
  })

  it('depends on names, modes, contents and targets', async () => {
    const trees: Tree[] = [
      { a: 'x' },
      { b: 'x' },
      { a: 'y' },
      { a: '' },
      { a: { mode: 0o755, data: 'x' } },
      { a: { link: 'x' } },
      { a: { link: 'y' } },
      { a: undefined },
      { a: { mode: 0o700 } },
      { a: undefined, b: undefined },
    ]
    const digests = await Promise.all(trees.map(async (tree) => (await pack(tree)).digest))
    expect(new Set(digests).size).toBe(trees.length)
  })

  it('makes hard links into files of their own', async () => {
    const { root, tar } = await pack({ a: 'same' })
    await link(join(root, 'a'), join(root, 'b'))
    expect((await packTree(root, tar)).digest).toBe((await pack({ a: 'same', b: 'same' })).digest)
  })

  it('writes a tar that other tools read: sorted by bytes, owner 0:0, one time', async () => {
    const { tar, listing, digest } = await pack(RICH)
    const lines = execFileSync(
      'tar',
      ['-tvf', tar, '--numeric-owner', '--full-time', '--quoting-style=literal'],
      {
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C.UTF-8' },
      },
    )
    expect(
      lines
        .split('\n')
        .filter((line) => / 0\/0 /.test(line) && line.includes('2000-01-01 00:00:00')),
    ).toHaveLength(listing.length)
    const names = execFileSync('tar', ['-tf', tar, '--quoting-style=literal', '--null'], {
      encoding: 'utf8',
    })
    expect(names).toContain(VERY_LONG)
    expect(names).toContain('usr/share/ünï/日本')
    const paths = listing.map(({ path }) => path)
    expect(paths).toEqual([...paths].sort(byBytes))
    expect(await digestOfFile(tar)).toBe(digest)
  })

  it('writes a tar that GNU tar and Python unpack to the same tree', async () => {
    const { tar, root, listing } = await pack(RICH)
    const [gnu, python] = [await temporaryFolder(), await temporaryFolder()]
    execFileSync('tar', ['-xpf', tar, '-C', gnu])
    const script =
      'import sys, tarfile; t = tarfile.open(sys.argv[1]); print(len(t.getmembers())); ' +
      't.extractall(sys.argv[2])'
    const env = { ...process.env, PYTHONWARNINGS: 'ignore' }
    const count = execFileSync('python3', ['-c', script, tar, python], { encoding: 'utf8', env })
    expect(Number(count)).toBe(listing.length)
    for (const tree of [gnu, python])
      expect(await describeTree(tree)).toEqual(await describeTree(root))
  })

  it('gives the bytes it always gave', async () => {
    const { digest } = await pack({
      'usr/bin/a': { mode: 0o755, data: 'a\n' },
      'usr/share/é': 'é',
      bin: { link: 'usr/bin' },
    })
    expect(digest).toMatchInlineSnapshot(
      `"f24ad029f092ce6b87f1a9784514cbc721b81f809dcc3e7150ecb425476b94cb"`,
    )
  })

  it('says that the disk is full, wherever in the tree it gets to know that', async () => {
    for (const count of [1, 2, 5, 20, 60]) {
      const root = await temporaryFolder()
      const files = Array.from({ length: count }, (_, at) => [
        `file${String(at)}`,
        Buffer.alloc(100_000 + at),
      ])
      await writeTreeAt(root, Object.fromEntries(files) as Tree)
      await expect(packTree(root, '/dev/full')).rejects.toMatchObject({ code: 'ENOSPC' })
    }
  })

  it('refuses an empty tree', async () => {
    await expect(pack({})).rejects.toMatchObject({ code: 'artifact-empty', kind: 'buildFailed' })
  })

  it.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    [
      'a socket',
      (path: string) =>
        new Promise<void>((resolve) => createServer().unref().listen(path, resolve)),
    ],
  ])('refuses %s and leaves nothing open', async (_name, make) => {
    const { root, tar } = await pack({ 'usr/a': 'before', 'usr/z': 'after' })
    await make(join(root, 'usr/m'))
    await expect(packTree(root, tar)).rejects.toMatchObject({
      code: 'artifact-special-file',
      message: expect.stringContaining('"usr/m"') as string,
    })
  })

  it('of more than an artifact may have is refused before it is read', async () => {
    const root = await temporaryFolder()
    for (const name of ['a', 'b']) {
      await writeFile(join(root, name), '')
      await truncate(join(root, name), name === 'a' ? 4096 : 2 ** 40)
    }
    await expect(packTree(root, undefined)).rejects.toMatchObject({
      code: 'artifact-too-large',
      message: expect.stringContaining('"b"') as string,
    })
  })

  it.each([
    ['a file that its owner may not read', { 'usr/sbin/secret': { mode: 0o4111, data: 'x' } }],
    ['a folder that its owner may not enter', { 'usr/secret': { mode: 0o311 } }],
  ])('refuses %s, whoever runs it', async (_name, tree) => {
    await expect(pack(tree)).rejects.toMatchObject({
      code: 'artifact-unreadable',
      message: expect.stringContaining('secret') as string,
    })
  })

  it.each([
    ['a name', (root: string) => writeFile(Buffer.from(`${root}/caf\xe9`, 'latin1'), '')],
    [
      'a link target',
      (root: string) => symlink(Buffer.from('caf\xe9', 'latin1'), join(root, 'link')),
    ],
  ])('refuses %s that is not UTF-8 rather than changing it', async (_name, make) => {
    const { root, tar } = await pack({ a: '' })
    await make(root)
    await expect(packTree(root, tar)).rejects.toMatchObject({ code: 'artifact-name' })
  })

  it('takes a name and a target that hold the character which stands for what is not UTF-8', async () => {
    const { listing } = await pack({ 'a\ufffd': '', link: { link: 'a\ufffd' } })
    expect(listing).toMatchObject([{ path: 'a\ufffd' }, { path: 'link', target: 'a\ufffd' }])
  })

  it('refuses paths that some store could not unpack, and shows their beginning', async () => {
    const { root, tar } = await pack({ a: '' })
    execFileSync('sh', [
      '-c',
      `cd "$0" && for i in $(seq 30); do mkdir ${'d'.repeat(200)}; cd -P ${'d'.repeat(200)}; done`,
      root,
    ])
    const failure: unknown = await packTree(root, tar).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'artifact-name', kind: 'buildFailed' })
    expect((failure as Error).message).toMatch(
      /^Cannot pack "d{200}…": its path has 3215 bytes, at most 3072 /,
    )
  })
})

describe('unpacking', () => {
  it('gives the tree back, with one time for all of it', async () => {
    const { root, tar, listing, digest } = await pack(RICH)
    const target = join(await temporaryFolder(), 'tree')
    await mkdir(target)
    const unpacked = await unpackArtifact(tar, target)
    expect(unpacked).toEqual({ digest, listing })
    expect(await describeTree(target)).toEqual(await describeTree(root))
    expect(await compareTree(target, listing)).toBeUndefined()
    for (const { path } of listing) expect(lstatSync(join(target, path)).mtimeMs).toBe(EPOCH * 1000)
    await removeTree(target)
  })

  it('lists without writing', async () => {
    const { tar, listing, digest } = await pack(RICH)
    expect(await unpackArtifact(tar, undefined)).toEqual({ digest, listing })
  })

  it('round trip of any names and contents', async () => {
    const name = fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .filter(
        (text) =>
          !/[/\0\ufffd]/.test(text) &&
          text !== '.' &&
          text !== '..' &&
          Buffer.byteLength(text) < 256,
      )
    const entry = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.record({
        mode: fc.constantFrom(0o600, 0o644, 0o755, 0o6755, 0o444),
        data: fc.uint8Array({ maxLength: 600 }),
      }),
      fc.record({ mode: fc.constantFrom(0o700, 0o1777, 0o555, 0o2755) }),
      fc.record({ link: name }),
    )
    const tree = fc
      .dictionary(
        fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
        entry,
        { minKeys: 1, maxKeys: 8 },
      )
      .filter((paths) => {
        const all = Object.keys(paths)
        return !all.some((path) => all.some((other) => other.startsWith(`${path}/`)))
      })
    await fc.assert(
      fc.asyncProperty(tree, async (entries) => {
        const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-'))
        try {
          await writeTreeAt(join(folder, 'root'), entries)
          const packed = await packTree(join(folder, 'root'), join(folder, 'out.tar'))
          await mkdir(join(folder, 'again'))
          const { listing } = await unpackArtifact(join(folder, 'out.tar'), join(folder, 'again'))
          expect(await describeTree(join(folder, 'again'))).toEqual(
            await describeTree(join(folder, 'root')),
          )
          expect(listing).toEqual(packed.listing)
          expect((await packTree(join(folder, 'again'), join(folder, 'again.tar'))).digest).toBe(
            packed.digest,
          )
        } finally {
          await removeTree(folder)
        }
      }),
      { numRuns: 40 },
    )
  })

  it.each([['../outside'], ['/tmp/outside'], ['a/../../outside']])(
    'refuses the path %s',
    async (path) => {
      const folder = await temporaryFolder()
      const tar = await handMadeTar(folder, [
        { path, type: 'file', mode: 0o644, size: 1, data: 'x' },
      ])
      await mkdir(join(folder, 'tree'))
      await expect(unpackArtifact(tar, join(folder, 'tree'))).rejects.toMatchObject({
        code: 'artifact-path',
      })
      await expect(stat(join(folder, 'outside'))).rejects.toThrow('ENOENT')
    },
  )

  it('does not write through a link', async () => {
    const folder = await temporaryFolder()
    const tar = await handMadeTar(folder, [
      { path: 'way', type: 'link', target: '..' },
      { path: 'way/outside', type: 'file', mode: 0o644, size: 1, data: 'x' },
    ])
    await mkdir(join(folder, 'tree'))
    await expect(unpackArtifact(tar, join(folder, 'tree'))).rejects.toMatchObject({
      code: 'artifact-path',
    })
    await expect(stat(join(folder, 'outside'))).rejects.toThrow('ENOENT')
  })

  it('refuses what packing never writes', async () => {
    const path = join(await temporaryFolder(), 'fifo.tar')
    await writeFile(path, tarOf([{ path: 'pipe', type: 'FIFO' }]))
    await expect(unpackArtifact(path, undefined)).rejects.toMatchObject({
      code: 'artifact-format',
      kind: 'fetch',
    })
  })

  it('refuses a tar that ends early, or goes on behind its end', async () => {
    const { tar } = await pack(RICH)
    const data = await readFile(tar)
    const cuts = [
      0,
      100,
      512 * 3,
      600_000,
      data.length - 1_400_000,
      data.length - 1024,
      data.length - 512,
    ]
    for (const changed of [
      ...cuts.map((length) => data.subarray(0, length)),
      Buffer.concat([data, Buffer.alloc(512)]),
    ]) {
      await writeFile(tar, changed)
      await expect(unpackArtifact(tar, undefined)).rejects.toMatchObject({
        code: 'artifact-format',
      })
    }
  })

  it.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdir(path)],
    ['a link', (path: string) => symlink('/dev/zero', path)],
  ])('refuses %s in place of a tar', async (_name, make) => {
    const path = join(await temporaryFolder(), 'tar')
    await make(path)
    await expect(unpackArtifact(path, undefined)).rejects.toMatchObject({ code: 'not-a-file' })
  })

  it('replaces nothing that is there already', async () => {
    const { tar } = await pack({ a: 'artifact' })
    const target = await temporaryFolder()
    await writeTreeAt(target, { outside: 'kept', 'tree/a': { link: '../outside' } })
    await expect(unpackArtifact(tar, join(target, 'tree'))).rejects.toMatchObject({
      code: 'EEXIST',
    })
    expect(await readFile(join(target, 'outside'), 'utf8')).toBe('kept')
  })
})

describe('holes', () => {
  const SIZE = 200 << 20

  it('take no room, neither in the tar nor in the tree', async () => {
    const folder = await temporaryFolder()
    const [root, tar, tree] = ['root', 'tar', 'tree'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeTreeAt(root, { between: 'x', tree: undefined })
    await writeFile(join(root, 'disk'), 'begins')
    await truncate(join(root, 'disk'), SIZE)
    await mkdir(tree)
    const { size, listing, digest } = await packTree(root, tar)
    expect(size).toBeGreaterThan(SIZE)
    expect(await unpackArtifact(tar, tree)).toEqual({ digest, listing })
    for (const path of [tar, join(tree, 'disk')])
      expect((await stat(path)).blocks * 512).toBeLessThan(1 << 20)
    expect(await compareTree(tree, listing)).toBeUndefined()
    expect(await digestOfFile(tar)).toBe(digest)
  })

  it('may be anywhere in a file, and end it', async () => {
    const sizes = [65_535, 65_536, 65_537, 1 << 17, (1 << 20) - 1, 1 << 20, (1 << 20) + 65_536]
    const files = sizes.flatMap((size) => [
      [`zeros-${size}`, Buffer.alloc(size)],
      [`first-${size}`, Buffer.concat([Buffer.from('x'), Buffer.alloc(size)])],
      [`last-${size}`, Buffer.concat([Buffer.alloc(size), Buffer.from('x')])],
      [`both-${size}`, Buffer.concat([Buffer.from('x'), Buffer.alloc(size), Buffer.from('x')])],
    ])
    const { root, tar, digest } = await pack(Object.fromEntries(files) as Tree)
    expect(await digestOfFile(tar)).toBe(digest)
    const target = await temporaryFolder()
    await unpackArtifact(tar, target)
    execFileSync('diff', ['-r', root, target])
  })
})

describe('a tree that is changed while it is packed', () => {
  /** What becomes of packing when `change` comes in the middle of the first file. */
  async function packWhile(change: (root: string) => void): Promise<unknown> {
    const root = await temporaryFolder()
    const target = join(await temporaryFolder(), 'tar')
    await writeTreeAt(root, { large: Buffer.alloc(2 << 20, 'begins'), later: '', 'z/file': 'z' })
    await truncate(join(root, 'large'), LARGE)
    const outcome = packTree(root, target).catch((error: unknown) => error)
    const look = (): void => {
      if ((statSync(target, { throwIfNoEntry: false })?.size ?? 0) > 0) change(root)
      else setImmediate(look)
    }
    setImmediate(look)
    return outcome
  }
  const LARGE = 400 << 20

  it.each([
    ['large', 'grows', (root: string) => truncateSync(join(root, 'large'), LARGE + 1)],
    ['large', 'shrinks', (root: string) => truncateSync(join(root, 'large'), LARGE - 1)],
    ['later', 'goes away', (root: string) => rmSync(join(root, 'later'))],
    ['z', 'goes away', (root: string) => rmSync(join(root, 'z'), { recursive: true })],
    ['z/file', 'goes away', (root: string) => rmSync(join(root, 'z/file'))],
  ])('is refused when "%s" %s', async (path, _how, change) => {
    expect(await packWhile(change)).toMatchObject({
      code: 'artifact-changed',
      kind: 'buildFailed',
      message: expect.stringContaining(`"${path}"`) as string,
    })
  })

  it('never leads outside, whatever becomes a link', async () => {
    const outside = await temporaryFolder()
    await writeTreeAt(outside, { file: 'secret' })
    const failure = await packWhile((root) => {
      rmSync(join(root, 'z'), { recursive: true })
      symlinkSync(outside, join(root, 'z'))
    })
    expect(failure).toMatchObject({
      code: 'artifact-changed',
      message: expect.stringContaining('"z/file"') as string,
    })
  })
})

describe('an interruption', () => {
  async function manyFiles(): Promise<string> {
    const root = join(await temporaryFolder(), 'root')
    mkdirSync(root)
    for (let at = 0; at < 30_000; at++) closeSync(openSync(join(root, String(at)), 'w'))
    return root
  }

  /** Milliseconds from the abort, which comes once `work` has begun, to its end. */
  async function timeToEnd(work: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
    const interrupt = new AbortController()
    const outcome = work(interrupt.signal)
    outcome.catch(() => undefined)
    let at = 0
    setTimeout(() => {
      at = performance.now()
      interrupt.abort()
    }, 50)
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' })
    return performance.now() - at
  }

  it('is heard within a second, whatever is done with many files', async () => {
    const root = await manyFiles()
    const tar = join(await temporaryFolder(), 'tar')
    const tree = await temporaryFolder()
    const { listing } = await packTree(root, tar)
    expect(await timeToEnd((signal) => packTree(root, undefined, signal))).toBeLessThan(1000)
    expect(await timeToEnd((signal) => unpackArtifact(tar, tree, signal))).toBeLessThan(1000)
    expect(await timeToEnd((signal) => compareTree(root, listing, signal))).toBeLessThan(1000)
    const part = { recipe: 'base/many' as RecipeId, tree: root, listing }
    const union = await temporaryFolder()
    expect(await timeToEnd((signal) => composeUnion([part], union, { signal }))).toBeLessThan(1000)
  }, 60_000)

  it('is heard within a second while a large file is hashed', async () => {
    const large = join(await temporaryFolder(), 'large')
    await writeFile(large, '')
    await truncate(large, 20 * 2 ** 30)
    expect(await timeToEnd((signal) => digestOfFile(large, signal))).toBeLessThan(1000)
  })
})

async function handMadeTar(
  folder: string,
  entries: readonly (TarEntry & { readonly data?: string })[],
): Promise<string> {
  const blocks = entries.flatMap(({ data = '', ...entry }) => [
    encodeEntry(entry),
    Buffer.from(data),
    Buffer.alloc((512 - (data.length % 512)) % 512),
  ])
  const path = join(folder, 'hand-made.tar')
  await writeFile(path, Buffer.concat([...blocks, Buffer.alloc(1024)]))
  return path
}
