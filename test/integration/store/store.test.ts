import { execFileSync } from 'node:child_process'
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EPOCH } from '../../../src/base/constants.ts'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { exists, removeTree } from '../../../src/base/files.ts'
import { adoptFile } from '../../../src/store/adopt-file.ts'
import { formatListing } from '../../../src/store/artifact/listing.ts'
import { packTree } from '../../../src/store/artifact/pack.ts'
import { blobPath, treePath } from '../../../src/store/local/layout.ts'
import type { IndexEntry } from '../../../src/store/rooms.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { eventsOf, freshStore, id, nextSession, putBlob, sharedStore } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyStore } from '../../support/toy.ts'
import { flipByte, writeTreeAt } from '../../support/trees.ts'

const TREE = {
  'usr/bin/tool': { mode: 0o755, data: 'a tool\n' },
  'usr/share/text': 'a text\n',
  bin: { link: 'usr/bin' },
  locked: { mode: 0o555 },
}

/** Everything that lies in a store, but locks and sessions. */
async function contentsOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true }))
    .filter((path) => !/^(locks|work|trees\/[^/]+\/)/.test(path))
    .sort()
}

/** What may be in a file's place, and must neither be read nor waited for. */
const NO_FILES: Readonly<Record<string, (path: string) => unknown>> = {
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a folder': (path) => mkdir(join(path, 'inside'), { recursive: true }),
  'a link to a file': (path) => symlink('/etc/hostname', path),
  'a link to nothing': (path) => symlink('/nowhere', path),
}

async function replace(path: string, make: (path: string) => unknown): Promise<void> {
  await removeTree(path)
  await make(path)
}

describe('opening a store', () => {
  it.each(Object.entries(NO_FILES))('refuses one whose LAYOUT is %s', async (_what, make) => {
    const { folder } = await freshStore()
    await replace(join(folder, 'LAYOUT'), make)
    await expect(toyStore(folder)).rejects.toMatchObject({
      code: 'store-unreadable',
      kind: 'hostUnfit',
      message: expect.stringContaining(join(folder, 'LAYOUT')) as string,
    })
  })

  it.each(['logs', 'trees'])('refuses one whose folder %s is none', async (name) => {
    const { folder } = await freshStore()
    const { 'a folder': _, ...others } = NO_FILES
    for (const make of Object.values(others)) {
      await replace(join(folder, name), make)
      await expect(toyStore(folder)).rejects.toMatchObject({
        code: 'store-unreadable',
        kind: 'hostUnfit',
        message: expect.stringContaining(join(folder, name)) as string,
      })
    }
  })

  it.each(Object.entries(NO_FILES))('names a log, or a lock, that is %s', async (_what, make) => {
    const { store, folder } = await freshStore()
    const log = await store.logs.path(id('base/a'), digestOf('key'))
    await make(log)
    const named = { code: 'store-unreadable', message: expect.stringContaining(log) as string }
    await expect(store.logs.path(id('base/a'), digestOf('key'))).rejects.toMatchObject(named)
    await expect(store.logs.newest(id('base/a'))).rejects.toMatchObject(named)
    await make(join(folder, 'locks/x'))
    await expect(store.session.lock('x')).rejects.toMatchObject({ code: 'store-unreadable' })
  })

  it('makes one in a new or empty folder and finds it again', async () => {
    const folder = join(await temporaryFolder(), 'deep/store')
    await toyStore(folder)
    expect(await readFile(join(folder, 'LAYOUT'), 'utf8')).toBe('fixpoint store 1\n')
    await toyStore(folder)
    expect((await readdir(folder)).filter((name) => name.startsWith('LAYOUT'))).toEqual(['LAYOUT'])
  })

  it.each(['fixpoint store 2\n', '', 'fixpoint store 1'])(
    'refuses another layout: %j',
    async (text) => {
      const folder = await temporaryFolder()
      await writeFile(join(folder, 'LAYOUT'), text)
      await expect(toyStore(folder)).rejects.toMatchObject({
        code: 'store-layout',
        kind: 'hostUnfit',
      })
      expect(await readdir(folder)).toEqual(['LAYOUT'])
    },
  )

  it('refuses a folder that holds something else and puts nothing there', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'letters.txt'), 'dear')
    await expect(toyStore(folder)).rejects.toMatchObject({
      code: 'store-layout',
      message: expect.stringContaining('letters.txt') as string,
    })
    expect(await readdir(folder)).toEqual(['letters.txt'])
    await chmod(folder, 0o755)
    await expect(toyStore(folder)).rejects.toThrow()
    expect((await stat(folder)).mode & 0o777).toBe(0o755)
  })

  it.each(['a new one', 'one that was wider'])('lets only its owner in: %s', async (name) => {
    const folder = join(await temporaryFolder(), 'above/store')
    await toyStore(folder)
    if (name === 'one that was wider') {
      await chmod(folder, 0o755)
      await toyStore(folder)
    }
    expect((await stat(folder)).mode & 0o7777).toBe(0o700)
    const usual = join(folder, '../../usual')
    await mkdir(usual)
    expect((await stat(join(folder, '..'))).mode).toBe((await stat(usual)).mode)
  })

  it.runIf(process.getuid?.() === 0)("leaves another user's as it is", async () => {
    const { folder } = await freshStore()
    await chown(folder, 54_321, 54_321)
    await chmod(folder, 0o750)
    await toyStore(folder)
    expect((await stat(folder)).mode & 0o7777).toBe(0o750)
  })

  it('names a marker that is no file', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'LAYOUT'))
    await expect(toyStore(folder)).rejects.toMatchObject({
      code: 'store-unreadable',
      kind: 'hostUnfit',
      message: expect.stringContaining(join(folder, 'LAYOUT')) as string,
    })
  })
})

describe('blobs', () => {
  it('adopts a file under its digest, and refuses one under another', async () => {
    const { store, folder } = await freshStore()
    const path = await store.session.temporaryPath('download')
    await writeFile(path, 'text')
    const before = await contentsOf(folder)
    await expect(adoptFile(store.blobs, path, digestOf('other'))).rejects.toMatchObject({
      code: 'blob-digest',
      kind: 'fetch',
      message: expect.stringMatching(
        new RegExp(`${digestOf('text')}.*${digestOf('other')}`),
      ) as string,
    })
    expect(await contentsOf(folder)).toEqual(before)
    await adoptFile(store.blobs, path, digestOf('text'))
    expect(store.blobs.has(digestOf('text'))).toBe(true)
    expect(await readFile(blobPath(store.root, digestOf('text')), 'utf8')).toBe('text')
    expect(await exists(path)).toBe(false)
  })

  it.each(Object.entries(NO_FILES))(
    'takes %s for no blob, and sets it aside for the blob',
    async (_what, make) => {
      const { store, events } = await freshStore()
      const digest = await putBlob(store, 'precious')
      await replace(blobPath(store.root, digest), make)
      expect(store.blobs.has(digest)).toBe(false)
      expect(await verifyStore(store)).toMatchObject([{ what: 'blob', digest }])
      await putBlob(store, 'precious')
      expect(eventsOf(events, 'store-repair')).toMatchObject([{ what: 'blob', name: digest }])
      expect(await readFile(blobPath(store.root, digest), 'utf8')).toBe('precious')
      // Again, with something set aside already.
      await replace(blobPath(store.root, digest), make)
      await expect(store.blobs.file(digest)).rejects.toMatchObject({ code: 'blob-damaged' })
      expect(await verifyStore(store)).toEqual([])
    },
  )

  it('says of a blob that is none when it is wanted as an artifact, and leaves it', async () => {
    const { store, events } = await freshStore()
    const digest = await putBlob(store, 'a source')
    for (const use of [() => store.trees.unpack(digest), () => store.trees.listing(digest)])
      await expect(use()).rejects.toMatchObject({ code: 'not-an-artifact', kind: 'fetch' })
    await store.blobs.file(digest)
    expect(events).toEqual([])
  })

  it('sets a damaged blob aside and names it', async () => {
    const { store, events } = await freshStore()
    const digest = await putBlob(store, 'precious')
    const blob = await store.blobs.file(digest)
    const next = await nextSession(store.root)
    await flipByte(blob, 3)
    await expect(next.store.blobs.file(digest)).rejects.toMatchObject({
      code: 'blob-damaged',
      message: expect.stringContaining(digest) as string,
    })
    expect(eventsOf(next.events, 'store-repair')).toMatchObject([{ what: 'blob', name: digest }])
    expect(store.blobs.has(digest)).toBe(false)
    expect(await exists(join(store.root, 'damaged', digest))).toBe(true)
    // The next to ask gets an answer that it can act on as well.
    await expect(next.store.blobs.file(digest)).rejects.toMatchObject({ code: 'blob-missing' })
    await putBlob(store, 'precious')
    await next.store.blobs.file(digest)
    expect(eventsOf(events, 'store-repair')).toEqual([])
  })
})

describe('trees', () => {
  const shared = sharedStore()

  async function packed(): Promise<{ folder: string; digest: Digest; tree: string; blob: string }> {
    const { store, folder } = shared()
    const root = join(await temporaryFolder(), 'root')
    await writeTreeAt(root, TREE)
    const { digest } = await store.trees.pack(root)
    await (await nextSession(folder)).store.trees.unpack(digest)
    return { folder, digest, tree: treePath(store.root, digest), blob: blobPath(store.root, digest) }
  }

  it('are found whole by the next session, links to folders and out of the tree included', async () => {
    const { folder, digest, blob } = await packed()
    const { store, events } = await nextSession(folder)
    await rename(blob, `${blob}.away`) // whoever unpacks again fails
    await store.trees.unpack(digest)
    await rename(`${blob}.away`, blob)
    expect(eventsOf(events, 'store-repair')).toEqual([])
  })

  const damages: [name: string, what: string, damage: (tree: string) => Promise<unknown>][] = [
    [
      'a flipped byte',
      'usr/bin/tool: other content',
      (tree) =>
        flipByte(join(tree, 'usr/bin/tool'), 2).then(() =>
          utimes(join(tree, 'usr/bin/tool'), 946_684_800, 946_684_800),
        ),
    ],
    ['a missing file', 'usr/share/text: missing', (tree) => rm(join(tree, 'usr/share/text'))],
    [
      'an extra file',
      'usr/share/more: not listed',
      (tree) => writeFile(join(tree, 'usr/share/more'), ''),
    ],
    [
      'an extra folder with something in it',
      'extra: not listed',
      (tree) => mkdir(join(tree, 'extra/in'), { recursive: true }),
    ],
    [
      'another mode',
      'usr/bin/tool: other mode',
      (tree) => chmod(join(tree, 'usr/bin/tool'), 0o700),
    ],
    [
      'another mode of a folder',
      'locked: other mode',
      (tree) => chmod(join(tree, 'locked'), 0o755),
    ],
    [
      'another time',
      'usr/share/text: other time',
      (tree) => utimes(join(tree, 'usr/share/text'), 1e9, 1e9),
    ],
    [
      'another size',
      'usr/share/text: other size',
      (tree) => writeFile(join(tree, 'usr/share/text'), 'a'),
    ],
    [
      'another link',
      'bin: other target',
      (tree) => rm(join(tree, 'bin')).then(() => symlink('usr/sbin', join(tree, 'bin'))),
    ],
    [
      'a file for a link',
      'bin: other type',
      (tree) => rm(join(tree, 'bin')).then(() => writeFile(join(tree, 'bin'), '')),
    ],
    [
      'a listing cut short',
      'its listing is damaged',
      (tree) => writeFile(`${tree}.json`, '[{"type":'),
    ],
    [
      'a listing that is none',
      'its listing is damaged',
      (tree) => writeFile(`${tree}.json`, 'null'),
    ],
    [
      'a listing of nothing',
      'its listing is damaged',
      (tree) => writeFile(`${tree}.json`, '[null]'),
    ],
    [
      'a listing of something else',
      'its listing is damaged',
      (tree) => writeFile(`${tree}.json`, '[{"type":"file","path":"bin"}]'),
    ],
    [
      'a listing that lies',
      'its listing is damaged',
      (tree) =>
        readFile(`${tree}.json`, 'utf8').then((text) =>
          writeFile(`${tree}.json`, text.replace('"bin"', '"bim"')),
        ),
    ],
  ]
  for (const [what, make] of Object.entries(NO_FILES)) {
    damages.push([
      `${what} for its listing`,
      'its listing is damaged',
      (tree) => replace(`${tree}.json`, make),
    ])
    if (what === 'a folder') continue
    damages.push([`${what} in its place`, 'other type', (tree) => replace(tree, make)])
    damages.push([
      `${what} for a file`,
      'usr/share/text: other type',
      (tree) => replace(join(tree, 'usr/share/text'), make),
    ])
  }
  it.each(damages)('with %s are made again from the blob', async (_name, what, damage) => {
    const { folder, digest, tree, blob } = await packed()
    const before = await stat(blob)
    await damage(tree)
    const { store, events } = await nextSession(folder)
    await store.trees.unpack(digest)
    expect(eventsOf(events, 'store-repair')).toMatchObject([
      { what: 'tree', name: digest, reason: what },
    ])
    expect(await readFile(join(tree, 'usr/bin/tool'), 'utf8')).toBe('a tool\n')
    expect((await stat(blob)).mtimeMs).toBe(before.mtimeMs)
    const after = await nextSession(folder)
    await after.store.trees.unpack(digest)
    expect(eventsOf(after.events, 'store-repair')).toEqual([])
    expect(await readdir(join(await store.session.folder(), 'tmp'))).toEqual([])
  })

  it.each(['', '.json'])(
    'are not taken for others, when one%s is in the place of another',
    async (end) => {
      const { folder, digest, tree } = await packed()
      const { store, events } = await nextSession(folder)
      const root = join(await temporaryFolder(), 'root')
      await writeTreeAt(root, { ...TREE, 'usr/share/text': 'another text\n' })
      const other = (await store.trees.pack(root)).digest
      await store.trees.unpack(other)
      // Together with its listing, and only the listing.
      for (const part of end === '' ? ['', '.json'] : ['.json']) {
        await removeTree(`${tree}${part}`)
        execFileSync('cp', ['-a', `${treePath(store.root, other)}${part}`, `${tree}${part}`])
      }
      expect((await verifyStore(store)).map(({ what, digest: name }) => `${what} ${name}`)).toEqual(
        [`tree ${digest}`],
      )
      await store.trees.unpack(digest)
      expect(eventsOf(events, 'store-repair')).toMatchObject([
        { name: digest, reason: 'its listing is damaged' },
      ])
      expect(await readFile(join(tree, 'usr/share/text'), 'utf8')).toBe('a text\n')
    },
  )

  it('that were made up together with their listing are found by a check of the whole store', async () => {
    const { folder, digest, tree } = await packed()
    const { store } = await nextSession(folder)
    await flipByte(join(tree, 'usr/share/text'), 0)
    await utimes(join(tree, 'usr/share/text'), EPOCH, EPOCH)
    const { listing } = await packTree(tree, undefined)
    await writeFile(`${tree}.json`, formatListing(digest, listing))
    expect(await verifyStore(store)).toMatchObject([{ what: 'tree', digest }])
    await removeTree(tree)
    expect(await verifyStore(store)).toMatchObject([{ what: 'tree', digest }])
  })

  it('damaged like their blob lead to the blob', async () => {
    const { folder, digest, tree, blob } = await packed()
    await rm(join(tree, 'usr/share/text'))
    await flipByte(blob, 600)
    const { store, events } = await nextSession(folder)
    await expect(Promise.all([store.trees.unpack(digest), store.trees.unpack(digest)])).rejects.toMatchObject({
      code: 'blob-damaged',
    })
    expect(eventsOf(events, 'store-repair').map(({ what }) => what)).toEqual(['tree', 'blob'])
    await expect(store.trees.unpack(digest)).rejects.toMatchObject({ code: 'blob-missing' })
  })

  it('wanted by two engines at once are whole at every moment', async () => {
    const { folder, digest, tree } = await packed()
    await rm(join(tree, 'usr/share/text'))
    const engines = await Promise.all([1, 2, 3].map(() => nextSession(folder)))
    // As an action does: once its engine says the tree is there, its files are linked one after the
    // other.
    await Promise.all(
      engines.map(async ({ store }) => {
        for (const entry of await store.trees.unpack(digest))
          await stat(join(treePath(store.root, digest), entry.path === 'bin' ? 'usr' : entry.path))
      }),
    )
    expect(engines.flatMap(({ events }) => eventsOf(events, 'store-repair'))).toHaveLength(1)
  })
})

describe('the index', () => {
  const entry: IndexEntry = {
    recipe: id('base/a'),
    key: digestOf('key'),
    artifact: digestOf('artifact'),
    document: { a: 1 },
    size: 1,
    durationMs: 2,
    cpuMs: 3,
    peakMemory: 4,
  }

  it('finds what was recorded, in the next session too', async () => {
    const { store, folder } = await freshStore()
    expect(store.index.find(entry.key)).toBeUndefined()
    await store.index.record(entry.key, entry)
    expect((await nextSession(folder)).store.index.find(entry.key)).toEqual(entry)
  })

  it('takes an entry with any one byte flipped for missing, or reads it as it was', async () => {
    const { store, folder, events } = await freshStore()
    await store.index.record(entry.key, entry)
    const path = join(folder, 'index', entry.key)
    const { length } = await readFile(path)
    for (let at = 0; at < length; at++) {
      await flipByte(path, at)
      const found = store.index.find(entry.key)
      if (found !== undefined) expect({ ...found, check: undefined }).toMatchObject(entry)
      await flipByte(path, at)
    }
    expect(store.index.find(entry.key)).toEqual(entry)
    // Said once, not at every look.
    expect(eventsOf(events, 'store-repair')).toMatchObject([{ what: 'index', name: path }])
  })

  it.each(Object.entries(NO_FILES))(
    'takes an entry that is %s for missing, and replaces it',
    async (_what, make) => {
      const { store, folder, events } = await freshStore()
      const path = join(folder, 'index', entry.key)
      await make(path)
      expect(store.index.find(entry.key)).toBeUndefined()
      expect(eventsOf(events, 'store-repair')).toMatchObject([{ what: 'index', name: path }])
      await store.index.record(entry.key, entry)
      expect(store.index.find(entry.key)).toEqual(entry)
    },
  )

  it('takes an entry in the place of another for missing, and one without a check', async () => {
    const { store, folder, events } = await freshStore()
    const [own, host] = [entry.key, digestOf('key and fingerprint')]
    const paths = [own, host].map((name) => join(folder, 'index', name)) as [string, string]
    await store.index.record(own, entry)
    await store.index.record(host, entry)
    expect(store.index.find(host)).toEqual(entry)
    await copyFile(paths[1], paths[0])
    expect(store.index.find(own)).toBeUndefined()
    const { check, ...unchecked } = JSON.parse(await readFile(paths[1], 'utf8')) as Record<
      string,
      unknown
    >
    expect(check).toBeDefined()
    await writeFile(paths[1], JSON.stringify(unchecked))
    expect(store.index.find(host)).toBeUndefined()
    expect(eventsOf(events, 'store-repair').map(({ name }) => name)).toEqual(paths)
  })

  it.each(Object.entries(NO_FILES))(
    'does without a history that is %s, and replaces it',
    async (_what, make) => {
      const { store, folder } = await freshStore()
      await make(join(folder, 'index', 'base@a.history'))
      expect(store.index.history(entry.recipe)).toEqual([])
      await store.index.record(entry.key, entry)
      expect(store.index.history(entry.recipe)).toHaveLength(1)
    },
  )

  it('remembers the last five durations of a recipe, and does without when they are damaged', async () => {
    const { store, folder } = await freshStore()
    for (let run = 0; run < 7; run++)
      await store.index.record(digestOf(String(run)), { ...entry, durationMs: run })
    expect(store.index.history(entry.recipe).map(({ durationMs }) => durationMs)).toEqual([
      2, 3, 4, 5, 6,
    ])
    for (const text of ['null', '{"a":1}', '[{', '[null]', '[1]', '[{"name":1}]']) {
      await writeFile(join(folder, 'index', 'base@a.history'), text)
      expect(store.index.history(entry.recipe)).toEqual([])
    }
    await store.index.record(entry.key, entry)
    expect(store.index.history(entry.recipe)).toHaveLength(1)
  })
})
