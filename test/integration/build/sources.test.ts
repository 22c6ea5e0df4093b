import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import type { FileSource, LocalFile } from '../../../src/metadata/model.ts'
import { blobPath } from '../../../src/store/local/layout.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import {
  artifactOf,
  failureOf,
  freshStore,
  nextSession,
  putBlob,
  readArtifact,
} from '../../support/rig.ts'
import { tarOf, type HandMade } from '../../support/tars.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyBuild, toyMetadata, toyRecipe } from '../../support/toy.ts'
import { flipByte } from '../../support/trees.ts'

async function sourceOf(
  store: Store,
  data: Buffer,
  to: string | undefined = '.',
): Promise<FileSource> {
  const sha256 = await putBlob(store, data)
  return { kind: 'file', name: 'source.tar', sha256, from: ['https://example.org/source.tar'], to }
}

async function localFile(name: string, text: string, executable = false): Promise<LocalFile> {
  const path = join(await temporaryFolder(), 'file')
  await writeFile(path, text)
  return { name, path, digest: digestOf(text), executable }
}

describe('sources', () => {
  it('are unpacked without their outermost folder, patched in order, and carry one time', async () => {
    const toy = await freshStore()
    const source = await sourceOf(
      toy.store,
      tarOf([{ path: 'top/a.txt', data: 'one\n', mtime: new Date('2030-01-01') }]),
    )
    const packed: FileSource = { ...source, name: 'packed.tar', to: undefined }
    const tree = {
      kind: 'tree' as const,
      name: 'tree',
      digest: digestOf('tree'),
      files: [await localFile('deep/er/tool', '#!/bin/sh\n', true)],
      to: 'tree',
    }
    const patches = await Promise.all(
      ['one two', 'two three'].map((change, at) =>
        localFile(
          `${String(at)}.patch`,
          `--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-${change.split(' ')[0] ?? ''}\n` +
            `+${change.split(' ')[1] ?? ''}\n`,
        ),
      ),
    )
    const files = [await localFile('etc/deep/conf', 'conf\n')]
    const script =
      'cat a.txt $FILES/etc/deep/conf > $OUT/text; find . $SOURCES $FILES $PATCHES -printf ' +
      '"%p %m %TY-%Tm-%Td %TT\\n" | sort > $OUT/found'
    const metadata = toyMetadata(
      toyRecipe('host/a', script, { sources: [source, packed, tree], patches, files }),
    )
    const result = await toyBuild(toy, metadata, ['host/a'])
    expect(await readArtifact(toy, result, 'host/a', 'text')).toBe('three\nconf\n')
    const found = (await readArtifact(toy, result, 'host/a', 'found')).trim().split('\n')
    expect(found.find((line) => line.startsWith('./tree/deep/er/tool '))).toContain(' 755 ')
    expect(found.filter((line) => !line.includes(' 2000-01-01 00:00:00'))).toEqual([])
  })

  it('that changed while the build ran are refused', async () => {
    const toy = await freshStore()
    const file = await localFile('conf', 'as loaded')
    await writeFile(file.path, 'changed since')
    const result = await toyBuild(toy, toyMetadata(toyRecipe('host/a', ':', { files: [file] })), [
      'host/a',
    ])
    expect(failureOf(result, 'host/a')).toMatchObject({
      code: 'file-changed',
      kind: 'metadata',
      message: expect.stringContaining(file.path) as string,
    })
  })

  it('damaged in the store are set aside, fetched again and used', async () => {
    const toy = await freshStore()
    const data = tarOf([{ path: 'top/a', data: 'a' }])
    const source = await sourceOf(toy.store, data)
    await flipByte(blobPath(toy.store.root, source.sha256), 515)
    const next = await nextSession(toy.folder)
    const fetched: Digest[] = []
    const fetcher = {
      fetch: async ({ sha256 }: FileSource): Promise<void> => {
        if (next.store.blobs.has(sha256)) return
        fetched.push(sha256)
        await putBlob(next.store, data)
      },
    }
    const result = await toyBuild(
      next,
      toyMetadata(toyRecipe('host/a', 'cp a $OUT/a', { sources: [source] })),
      ['host/a'],
      {},
      { fetcher },
    )
    expect(await readArtifact(next, result, 'host/a', 'a')).toBe('a')
    expect(fetched).toEqual([source.sha256])
  })
})

describe('a hostile tarball', () => {
  // Named before any test runs, made and removed by each.
  const outside = `/tmp/fixpoint-hostile-${String(process.pid)}`
  const tarballs: [name: string, entries: readonly HandMade[]][] = [
    ['with an absolute path', [{ path: `${outside}/pwned`, data: 'x' }]],
    ['that climbs out', [{ path: `top/../../../../../../..${outside}/pwned`, data: 'x' }]],
    [
      'that writes through a link',
      [
        { path: 'top/way', type: 'SymbolicLink', linkpath: outside },
        { path: 'top/way/pwned', data: 'x' },
      ],
    ],
    [
      'that writes through links to the engine',
      [
        { path: 'top/way', type: 'SymbolicLink', linkpath: '/steps' },
        { path: 'top/way/run', data: 'exit 0' },
        { path: 'top/s', type: 'SymbolicLink', linkpath: '/sources' },
        { path: 'top/s/source.tar', data: 'x' },
      ],
    ],
    [
      'that links to its own blob and writes to it',
      [
        { path: 'top/hard', type: 'Link', linkpath: '/sources/source.tar' },
        { path: 'top/hard', data: 'x' },
      ],
    ],
    ['with a device', [{ path: 'top/null', type: 'CharacterDevice', devmaj: 1, devmin: 3 }]],
    ['with a setuid file', [{ path: 'top/su', mode: 0o4755, uid: 0, gid: 0, data: 'x' }]],
  ]
  it.each(tarballs)('%s changes nothing outside its work', async (_name, entries) => {
    const toy = await freshStore()
    await mkdir(outside)
    onTestFinished(() => removeTree(outside))
    const source = await sourceOf(toy.store, tarOf(entries))
    const result = await toyBuild(
      toy,
      toyMetadata(toyRecipe('host/a', 'ls -lR > $OUT/found', { sources: [source] })),
      ['host/a'],
    )
    // Whether tar refuses it or leaves the bad part out is tar's choice; that it harms nothing is
    // ours.
    for (const failure of result.failures.values())
      expect(failure).toMatchObject({ code: 'step-failed', facts: { step: 'unpack' } })
    expect(await readdir(outside)).toEqual([])
    expect(await verifyStore((await nextSession(toy.folder)).store)).toEqual([])
    if (result.failures.size === 0) artifactOf(result, 'host/a')
  })
})
