import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { lstatSync } from 'node:fs'
import { link, mkdir, mkdtemp, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import tarStream from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { EPOCH } from '../../../src/base/constants.ts'
import { digestOf, digestOfFile } from '../../../src/base/digest.ts'
import { removeTree } from '../../../src/base/files.ts'
import { byBytes } from '../../../src/base/order.ts'
import { compareTree } from '../../../src/store/check-tree.ts'
import { packTree, type Packed } from '../../../src/store/pack.ts'
import { unpackArtifact } from '../../../src/store/unpack.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { describeTree, touchAll, writeTreeAt, type Tree } from '../../support/trees.ts'

const LONG = `usr/share/${'l'.repeat(60)}/${'m'.repeat(120)}`
const VERY_LONG = `usr/${Array.from({ length: 6 }, (_, at) => String(at).repeat(100)).join('/')}/end`

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
    const lines = execFileSync('tar', ['-tvf', tar, '--numeric-owner', '--full-time', '--quoting-style=literal'], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    })
    expect(
      lines.split('\n').filter((line) => / 0\/0 /.test(line) && line.includes('2000-01-01 00:00:00')),
    ).toHaveLength(listing.length)
    const names = execFileSync('tar', ['-tf', tar, '--quoting-style=literal', '--null'], { encoding: 'utf8' })
    expect(names).toContain(VERY_LONG)
    expect(names).toContain('usr/share/ünï/日本')
    const paths = listing.map(({ path }) => path)
    expect(paths).toEqual([...paths].sort(byBytes))
    expect(await digestOfFile(tar)).toBe(digest)
  })

  it('gives the bytes it always gave', async () => {
    const { digest } = await pack({
      'usr/bin/a': { mode: 0o755, data: 'a\n' },
      'usr/share/é': 'é',
      bin: { link: 'usr/bin' },
    })
    expect(digest).toMatchInlineSnapshot(`"3ea4891416e3d2fe36276b87a781c89362d2572318a741840b22c54f65d124c6"`)
  })

  it('says that the disk is full, wherever in the tree it gets to know that', async () => {
    for (const count of [1, 2, 5, 20, 60]) {
      const root = await temporaryFolder()
      const files = Array.from({ length: count }, (_, at) => [`file${String(at)}`, Buffer.alloc(100_000 + at)])
      await writeTreeAt(root, Object.fromEntries(files) as Tree)
      await expect(packTree(root, '/dev/full')).rejects.toMatchObject({ code: 'ENOSPC' })
    }
  })

  it('packs an empty tree', async () => {
    const { digest, listing } = await pack({})
    expect(listing).toEqual([])
    expect(digest).toBe(digestOf(Buffer.alloc(1024)))
  })

  it.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a socket', (path: string) => new Promise<void>((resolve) => createServer().unref().listen(path, resolve))],
  ])('refuses %s and leaves nothing open', async (_name, make) => {
    const { root, tar } = await pack({ 'usr/a': 'before', 'usr/z': 'after' })
    await make(join(root, 'usr/m'))
    await expect(packTree(root, tar)).rejects.toMatchObject({
      code: 'artifact-special-file',
      message: expect.stringContaining('"usr/m"') as string,
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
    ['a link target', (root: string) => symlink(Buffer.from('caf\xe9', 'latin1'), join(root, 'link'))],
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
    expect((failure as Error).message).toMatch(/^Cannot pack "d{200}…": its path has 3215 bytes, at most 3072 /)
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
      .filter((text) => !/[/\0\ufffd]/.test(text) && text !== '.' && text !== '..' && Buffer.byteLength(text) < 256)
    const entry = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.record({ mode: fc.constantFrom(0o600, 0o644, 0o755, 0o6755, 0o444), data: fc.uint8Array({ maxLength: 600 }) }),
      fc.record({ mode: fc.constantFrom(0o700, 0o1777, 0o555, 0o2755) }),
      fc.record({ link: name }),
    )
    const tree = fc
      .dictionary(
        fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
        entry,
        { maxKeys: 8 },
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
          expect(await describeTree(join(folder, 'again'))).toEqual(await describeTree(join(folder, 'root')))
          expect(listing).toEqual(packed.listing)
          expect((await packTree(join(folder, 'again'), join(folder, 'again.tar'))).digest).toBe(packed.digest)
        } finally {
          await removeTree(folder)
        }
      }),
      { numRuns: 40 },
    )
  })

  it.each([['../outside'], ['/tmp/outside'], ['a/../../outside']])('refuses the path %s', async (path) => {
    const folder = await temporaryFolder()
    const tar = await handMadeTar(folder, [{ name: path, type: 'file', data: 'x' }])
    await mkdir(join(folder, 'tree'))
    await expect(unpackArtifact(tar, join(folder, 'tree'))).rejects.toMatchObject({ code: 'artifact-path' })
    await expect(stat(join(folder, 'outside'))).rejects.toThrow('ENOENT')
  })

  it('does not write through a link', async () => {
    const folder = await temporaryFolder()
    const tar = await handMadeTar(folder, [
      { name: 'way', type: 'symlink', linkname: '..' },
      { name: 'way/outside', type: 'file', data: 'x' },
    ])
    await mkdir(join(folder, 'tree'))
    await expect(unpackArtifact(tar, join(folder, 'tree'))).rejects.toMatchObject({ code: 'artifact-path' })
    await expect(stat(join(folder, 'outside'))).rejects.toThrow('ENOENT')
  })

  it('refuses what packing never writes', async () => {
    const folder = await temporaryFolder()
    const tar = await handMadeTar(folder, [{ name: 'pipe', type: 'fifo' }])
    await expect(unpackArtifact(tar, undefined)).rejects.toThrow('fifo')
  })

  it('does not wait for ever on a tar that ends early', async () => {
    const { tar } = await pack(RICH)
    const data = await readFile(tar)
    for (const length of [100, 512 * 3, 600_000, data.length - 1_400_000]) {
      await writeFile(tar, data.subarray(0, length))
      // At the end of an entry nothing is amiss but the digest; anywhere else it is an error.
      const outcome = await unpackArtifact(tar, undefined).then(
        ({ digest }) => digest,
        () => 'error',
      )
      expect(outcome).not.toBe(digestOf(data))
    }
  })
})

interface HandMade {
  readonly name: string
  readonly type: 'file' | 'symlink' | 'fifo'
  readonly data?: string
  readonly linkname?: string
}

async function handMadeTar(folder: string, entries: readonly HandMade[]): Promise<string> {
  const archive = tarStream.pack()
  for (const { data, ...header } of entries) archive.entry({ ...header, mode: 0o644 }, data ?? '')
  archive.finalize()
  const path = join(folder, 'hand-made.tar')
  await writeFile(path, await buffer(archive))
  return path
}
