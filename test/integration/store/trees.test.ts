import { execFileSync } from 'node:child_process'
import {
  chmod,
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
import { type Digest } from '../../../src/base/digest.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { formatListing } from '../../../src/store/artifact/listing.ts'
import { packTree } from '../../../src/store/artifact/pack.ts'
import { blobPath, treePath } from '../../../src/store/local/layout.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { eventsOf, nextSession, sharedStore } from '../../support/rig.ts'
import { NO_FILES, replace } from './no-files.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { flipByte, writeTreeAt } from '../../support/trees.ts'

const TREE = {
  'usr/bin/tool': { mode: 0o755, data: 'a tool\n' },
  'usr/share/text': 'a text\n',
  bin: { link: 'usr/bin' },
  locked: { mode: 0o555 },
}

describe('trees', () => {
  const shared = sharedStore()

  async function packed(): Promise<{ folder: string; digest: Digest; tree: string; blob: string }> {
    const { store, folder } = shared()
    const root = join(await temporaryFolder(), 'root')
    await writeTreeAt(root, TREE)
    const { digest } = await store.trees.pack(root)
    await (await nextSession(folder)).store.trees.unpack(digest)
    return {
      folder,
      digest,
      tree: treePath(store.root, digest),
      blob: blobPath(store.root, digest),
    }
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
    await expect(
      Promise.all([store.trees.unpack(digest), store.trees.unpack(digest)]),
    ).rejects.toMatchObject({
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
        const { folder: own, listing } = await store.trees.unpack(digest)
        for (const { path } of listing) await stat(join(own, path === 'bin' ? 'usr' : path))
      }),
    )
    expect(engines.flatMap(({ events }) => eventsOf(events, 'store-repair'))).toHaveLength(1)
  })
})
