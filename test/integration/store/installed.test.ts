import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { Installed } from '../../../src/store/local/installed.ts'
import { Store } from '../../../src/store/store.ts'
import { freshStore, id } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { flipByte, touchAll, writeTreeAt, type Tree } from '../../support/trees.ts'

const TOOL: Tree = {
  'usr/bin/tool': { data: 'tool', mode: 0o755 },
  'usr/bin/alias': { link: 'tool' },
}
const DATA: Tree = { 'usr/share/data': 'data', 'var/tmp': { mode: 0o1777 } }

/** Two artifacts installed into one root, and an empty store that knows of them. */
async function installedSystem() {
  const { store } = await freshStore()
  const root = join(await temporaryFolder(), 'root')
  const artifacts = []
  for (const [name, tree] of Object.entries({ tool: TOOL, data: DATA })) {
    const own = join(await temporaryFolder(), name)
    await writeTreeAt(own, tree)
    const { digest, listing } = await store.trees.pack(own)
    artifacts.push({ recipe: id(`base/${name}`), key: digestOf(name), artifact: digest, listing })
    await writeTreeAt(root, tree)
  }
  // Neither what lies beside nor times are the artifact's.
  await writeTreeAt(root, { 'usr/bin/other': 'other' })
  await touchAll(root, 1234567890)
  const folder = join(await temporaryFolder(), 'store')
  const options = { emit: () => undefined, now: () => 0, installed: new Installed(root, artifacts) }
  return { root, folder, artifacts, open: () => Store.open(folder, options) }
}

const digests = (artifacts: readonly { artifact: Digest }[]) =>
  artifacts.map(({ artifact }) => artifact)

describe('what is installed', () => {
  it('has its listing without being packed: that of its artifact, with the sizes of files', async () => {
    const { artifacts, folder, root, open } = await installedSystem()
    // A manifest has no sizes.
    const unsized = artifacts.map((one) => ({
      ...one,
      listing: one.listing.map((entry) => (entry.type === 'file' ? { ...entry, size: 0 } : entry)),
    }))
    const installed = new Installed(root, unsized)
    for (const { artifact, listing } of artifacts)
      expect(installed.listing(artifact)).toEqual(listing)
    expect(installed.listing(digestOf('other'))).toBeUndefined()
    const store = await open()
    expect(store.installed?.listing(artifacts[0]!.artifact)).toEqual(artifacts[0]!.listing)
    expect(await readdir(join(folder, 'blobs'))).toEqual([])
    await rm(join(root, 'usr/bin/tool'))
    expect(installed.listing(artifacts[0]!.artifact)).toMatchObject(
      artifacts[0]!.listing.map(({ path }) =>
        path === 'usr/bin/tool' ? { path, size: 0 } : { path },
      ),
    )
    await store.session.close()
  })

  it('counts as stored, and is packed when it is first used', async () => {
    const { artifacts, folder, open } = await installedSystem()
    const store = await open()
    expect(['tool', 'data', 'other'].map((name) => store.index.artifactOf(digestOf(name)))).toEqual(
      [...digests(artifacts), undefined],
    )
    expect(digests(artifacts).map((digest) => store.blobs.has(digest))).toEqual([true, true])
    expect(await readdir(join(folder, 'blobs'))).toEqual([])
    const [tool, data] = digests(artifacts)
    const unpacked = await store.trees.unpack(tool!)
    expect(unpacked.listing.map(({ path }) => path)).toEqual([
      'usr',
      'usr/bin',
      'usr/bin/alias',
      'usr/bin/tool',
    ])
    expect(await readdir(unpacked.folder)).toEqual(['usr'])
    await store.blobs.file(data!)
    expect(await store.trees.listing(data!)).toHaveLength(5)
    await store.session.close()
  })

  it.each([
    ['another content', 'usr/bin/tool', (root: string) => flipByte(join(root, 'usr/bin/tool'), 1)],
    [
      'another type',
      'usr/bin/alias',
      async (root: string) => {
        await rm(join(root, 'usr/bin/alias'))
        await writeTreeAt(root, { 'usr/bin/alias/x': '' })
      },
    ],
  ])(
    'is refused with %s, by package and path, and nothing is left in the store',
    async (_, path, change) => {
      const { root, artifacts, folder, open } = await installedSystem()
      await change(root)
      const store = await open()
      await expect(store.trees.unpack(artifacts[0]!.artifact)).rejects.toMatchObject({
        code: 'installed-damaged',
        kind: 'fetch',
        message: expect.stringMatching(new RegExp(`base/tool.*${path}`)) as string,
      })
      expect(await readdir(join(folder, 'blobs'))).toEqual([])
      await store.trees.unpack(artifacts[1]!.artifact)
      await store.session.close()
    },
  )
})
