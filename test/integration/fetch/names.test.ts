import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { collectGarbage } from '../../../src/store/collect-garbage.ts'
import { Store } from '../../../src/store/store.ts'
import {
  CONTENT,
  cut,
  DIGEST,
  inTurn,
  ranged,
  source,
  status,
  useRig,
  whole,
  WRONG,
  type Handler,
} from './rig.ts'

const rig = useRig()

/** A server of a project whose version 1 is CONTENT and whose version 2 is another file. */
const project: Handler = (request, response) => {
  const files: Readonly<Record<string, Handler>> = {
    '/a-1.tar': whole(),
    '/a-2.tar': whole(WRONG),
    '/moved/b-1.tar': whole(),
    '/v1/src.tar': whole(),
    '/v2/src.tar': whole(WRONG),
  }
  const handler = files[request.url ?? ''] ?? status(404)
  handler(request, response)
}

test.each([
  ['the name at the place', '/a-1.tar', '/a-2.tar'],
  ['a folder of the address', '/v1/src.tar', '/v2/src.tar'],
])(
  'the version is in %s, it changed, and the digest did not: told by the new file',
  async (_, before, after) => {
    const { address, requests } = await rig().serve(project)
    // As recipes do whose steps name the file.
    const name = 'a.tar'
    await rig()
      .fetcher()
      .fetch(source([`${address}${before}`], { name }))
    const error: unknown = await rig()
      .fetcher()
      .fetch(source([`${address}${after}`], { name }))
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'fetch', code: 'source-digest' })
    for (const part of [DIGEST, digestOf(WRONG), before.slice(1)])
      expect((error as Error).message).toContain(part)
    expect(requests.map(({ url }) => url)).toEqual([before, after])
    // The stored one is none the worse.
    await rig()
      .fetcher({ offline: true })
      .fetch(source([`${address}${before}`], { name }))
    expect(await rig().store.partials()).toEqual([])
  },
)

test.each([true, false])(
  'nobody has the file under its new name (offline: %s): both names are named',
  async (offline) => {
    const { address } = await rig().serve(project)
    await rig()
      .fetcher()
      .fetch(source([`${address}/a-1.tar`]))
    const fetching = rig()
      .fetcher({ offline })
      .fetch(source([`${address}/a-3.tar`], { name: 'a-3.tar' }))
    await expect(fetching).rejects.toMatchObject({
      kind: 'fetch',
      code: 'source-renamed',
      message: expect.stringMatching(/"a-3\.tar".*"a-1\.tar"/) as string,
    })
  },
)

test('the same file under another name: asked for once, offline from then on', async () => {
  const { address, requests } = await rig().serve(project)
  const first = source([`${address}/a-1.tar`], { name: 'a-1.tar' })
  const second = source([`${address}/moved/b-1.tar`], { name: 'b-1.tar' })
  await rig().fetcher().fetch(first)
  await expect(rig().fetcher({ offline: true }).fetch(second)).rejects.toMatchObject({
    code: 'source-renamed',
  })
  // Two recipes of one run that name it differently.
  const both = rig().fetcher()
  await Promise.all([both.fetch(second), both.fetch(first)])
  await rig().fetcher({ offline: true }).fetch(second)
  await rig().fetcher({ offline: true }).fetch(first)
  expect(requests.map(({ url }) => url)).toEqual(['/a-1.tar', '/moved/b-1.tar'])
  expect(await rig().store.partials()).toEqual([])
})

test('the old place stays beside the new one: nothing is asked', async () => {
  const { address } = await rig().serve(project)
  await rig()
    .fetcher()
    .fetch(source([`${address}/a-1.tar`]))
  await rig()
    .fetcher({ offline: true })
    .fetch(source(['debian:b/b-1.tar', `${address}/a-1.tar`], { name: 'b-1.tar' }))
})

test('a mirror folder knows the new name, offline: right, wrong, and by the digest alone', async () => {
  const { address } = await rig().serve(project)
  await rig()
    .fetcher()
    .fetch(source([`${address}/a-1.tar`]))
  const renamed = source([`${address}/b-1.tar`], { name: 'b-1.tar' })
  const path = await rig().write(`mirror/${DIGEST}`, CONTENT)
  const options = { offline: true, mirrors: [dirname(path)] }
  await expect(rig().fetcher(options).fetch(renamed)).rejects.toMatchObject({
    code: 'source-renamed',
  })
  await rig().write('mirror/b-1.tar', WRONG)
  await rig().write('mirror/SHA256SUMS', `${digestOf(WRONG)}  b-1.tar\n`)
  await expect(rig().fetcher(options).fetch(renamed)).rejects.toMatchObject({
    code: 'source-digest',
  })
  await rig().write('mirror/b-1.tar', CONTENT)
  await rig().fetcher(options).fetch(renamed)
  expect([...rig().store.sources.names(DIGEST)].sort()).toEqual(['a-1.tar', 'b-1.tar'])
})

test('an empty store: a mirror has the digest under an old name only', async () => {
  await rig().write('mirror/a-1.tar', CONTENT)
  const sums = await rig().write('mirror/SHA256SUMS', `${DIGEST}  a-1.tar\n`)
  const options = { offline: true, from: [dirname(sums)] }
  const second = source(['http://127.0.0.1:1/a-2.tar'], { name: 'a-2.tar' })
  await expect(rig().fetcher(options).fetch(second)).rejects.toMatchObject({
    code: 'source-renamed',
  })
  // A list may have a name and the file two of them.
  await symlink('a-1.tar', join(rig().folder, 'mirror', 'a-2.tar'))
  await rig().fetcher(options).fetch(second)
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('a store without names, as an earlier engine left it, is believed once', async () => {
  await rig().write(join('store/blobs', DIGEST), CONTENT)
  const offline = rig().fetcher({ offline: true })
  await offline.fetch(source(['http://127.0.0.1:1/a-1.tar']))
  await offline.fetch(source(['http://127.0.0.1:1/a-1.tar']))
  expect(rig().events).toEqual([])
  await expect(offline.fetch(source(['http://127.0.0.1:1/a-2.tar']))).rejects.toMatchObject({
    code: 'source-renamed',
  })
})

test('a download that only confirms a name goes on after a break, and leaves nothing', async () => {
  const { address, requests } = await rig().serve(
    inTurn(whole(), cut(CONTENT.length / 2, { ETag: '"a"' }), ranged(CONTENT, '"a"')),
  )
  await rig()
    .fetcher()
    .fetch(source([`${address}/a-1.tar`]))
  await rig()
    .fetcher()
    .fetch(source([`${address}/b-1.tar`]))
  expect(requests[2]?.headers.range).toMatch(/^bytes=/)
  expect(await rig().store.partials()).toEqual([])
})

test('with the real store: names go with their blob, and odd ones of any kind are kept', async () => {
  const root = join(rig().folder, 'real')
  const store = await Store.open(root, { emit: () => undefined, now: () => 0 })
  const path = await rig().write('there/f.tar', CONTENT)
  await rig()
    .fetcher({ store })
    .fetch(source([`file:${path}`]))
  store.sources.noteNames(DIGEST, ['a'.repeat(300), '../x', 'v1/a%2f b', '\u0007'])
  expect([...store.sources.names(DIGEST)].sort()).toEqual(['\u0007', '../x', 'f.tar', 'v1/a%2f b'])
  await store.session.close()
  await collectGarbage(store, new Set([DIGEST]), false)
  expect(store.sources.names(DIGEST)).toContain('f.tar')
  await collectGarbage(store, new Set(), true)
  expect(store.sources.names(DIGEST)).toContain('f.tar')
  await collectGarbage(store, new Set(), false)
  expect(await readdir(join(root, 'names'))).toEqual([])
})

test('names that are no folder, a link or unreadable: nothing is followed, and the check alone is lost', async () => {
  const { folder, sources } = rig().store
  const elsewhere = join(rig().folder, 'elsewhere')
  await mkdir(elsewhere)
  await mkdir(join(folder, 'names'), { recursive: true })
  await symlink(elsewhere, join(folder, 'names', DIGEST))
  sources.noteNames(DIGEST, ['a'])
  expect(await readdir(elsewhere)).toEqual([])
  expect(sources.names(DIGEST)).toEqual([])
  await rm(join(folder, 'names'), { recursive: true })
  await writeFile(join(folder, 'names'), '')
  sources.noteNames(DIGEST, ['a'])
  expect(sources.names(DIGEST)).toEqual([])
  await rig().write(join('store/blobs', DIGEST), CONTENT)
  await rig().fetcher({ offline: true }).fetch(source([]))
})
