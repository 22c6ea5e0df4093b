import { execFileSync } from 'node:child_process'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { findNewer, type Checked } from '../../../src/fetch/versions/newer.ts'
import { listSources } from '../../../src/fetch/versions/list-sources.ts'
import type { VersionPlaces } from '../../../src/fetch/versions/lists.ts'
import { DEFAULT_LIMITS } from '../../../src/fetch/ports.ts'
import { toyRecipe } from '../../support/toy.ts'
import { source, useRig } from './rig.ts'

const rig = useRig()

/** From the index of Debian 13; the second stanza of openssl is one of a security update. */
const STABLE = `Package: zlib
Binary: zlib1g, zlib1g-dev, lib32z1, zlib1g-udeb
Version: 1:1.3.dfsg+really1.3.1-1
Maintainer: Mark Brown <broonie@debian.org>
Build-Depends: debhelper (>= 13), gcc-multilib [amd64 i386] <!nobiarch>
Package-List:
 lib32z1 deb libs optional arch=amd64,ppc64 profile=!nobiarch
Architecture: any
Format: 3.0 (quilt)
Files:
 3b5a0e4d4ba2e4b8ca1f3b8b6f1aeb5f 2569 zlib_1.3.dfsg+really1.3.1-1.dsc
 6f2a3a4f0a5b7b8c9d0e1f2a3b4c5d6e 1511 zlib_1.3.dfsg+really1.3.1.orig.tar.gz
Checksums-Sha256:
 aa 2569 zlib_1.3.dfsg+really1.3.1-1.dsc
 bb 1511 zlib_1.3.dfsg+really1.3.1.orig.tar.gz
Directory: pool/main/z/zlib

Package: openssl
Version: 3.5.1-1
Directory: pool/main/o/openssl

Package: openssl
Version: 3.5.4-1~deb13u1
Directory: pool/main/o/openssl

Package: base-files
Version: 13.8
Directory: pool/main/b/base-files
`

const UNSTABLE = `Package: openssl
Version: 3.6.0-2
Files:
 cc 7 openssl_3.6.0.orig.tar.gz
 dd 8 openssl_3.6.0.orig.tar.gz.asc
 ee 9 openssl_3.6.0-2.debian.tar.xz
Directory: pool/main/o/openssl

Package: zlib
Version: 1:1.3.dfsg+really1.3.1-1
Directory: pool/main/z/zlib
`

const xz = (text: string): Buffer => execFileSync('xz', ['-c'], { input: text })

/** What a package's document in its short form looks like. */
const document = (name: string, latest: string): string =>
  JSON.stringify({ name, 'dist-tags': { latest, next: '99.0.0-rc.1' }, versions: {} })

const FILES: Readonly<Record<string, string | Buffer>> = {
  '/debian/dists/stable/main/source/Sources.xz': xz(STABLE),
  '/debian/dists/unstable/main/source/Sources.xz': xz(UNSTABLE),
  '/debian/dists/torn/main/source/Sources.xz': xz(STABLE).subarray(0, 100),
  '/debian/dists/empty/main/source/Sources.xz': '',
  '/npm/yaml': document('yaml', '2.9.1'),
  '/npm/@scope%2fpart': document('@scope/part', '1.0.0'),
  '/npm/odd': '{"dist-tags": {"latest": 5}}',
}

async function places(change: Partial<VersionPlaces> = {}): Promise<VersionPlaces> {
  const { address } = await rig().serve(({ url = '' }, response: ServerResponse) => {
    const file = FILES[url]
    response.writeHead(file === undefined ? 404 : 200).end(file)
  })
  return {
    debian: [`${address}/debian-security`, `${address}/debian`],
    npm: `${address}/npm/`,
    suites: ['stable', 'unstable'],
    limits: { ...DEFAULT_LIMITS, delays: [] },
    signal: new AbortController().signal,
    ...change,
  }
}

const check = async (
  from: readonly (readonly string[])[],
  change: Partial<VersionPlaces> = {},
): Promise<Checked[]> =>
  findNewer(
    [toyRecipe('base/one', 'make', { sources: from.map((places) => source(places)) })],
    await places(change),
  )

test('a source of Debian has the newer versions of each suite, by upstream version', async () => {
  const checked = await check([
    ['debian:openssl/openssl_3.5.2.orig.tar.gz'],
    ['debian:openssl/openssl_3.5.4.orig.tar.gz'],
    ['debian:zlib/zlib_1.3.dfsg+really1.3.1.orig.tar.gz'],
    ['debian:base-files/base-files_13.7.tar.xz'],
    ['debian:openssl/openssl_3.6.0-1.debian.tar.xz'],
  ])
  expect(checked.map(({ newer }) => newer)).toEqual([
    [
      { version: '3.5.4', where: 'stable' },
      { version: '3.6.0', where: 'unstable' },
    ],
    [{ version: '3.6.0', where: 'unstable' }],
    [],
    [{ version: '13.8', where: 'stable' }],
    [{ version: '3.6.0-2', where: 'unstable' }],
  ])
  expect(checked.every((one) => one.unknown === undefined)).toBe(true)
})

test('a package of several files counts once', async () => {
  const checked = await check([
    ['debian:openssl/openssl_3.5.2.orig.tar.gz'],
    ['https://example.org/openssl-3.5.2.tar.gz', 'debian:openssl/openssl_3.5.2.orig-docs.tar.gz'],
  ])
  expect(checked).toMatchObject([
    { recipe: 'base/one', package: 'debian:openssl', version: '3.5.2' },
  ])
})

test('a package of npm has what its makers call the latest', async () => {
  const checked = await check([['npm:yaml@2.9.0'], ['npm:yaml@3.0.0-1'], ['npm:@scope/part@1.0.0']])
  expect(checked.map(({ newer }) => newer)).toEqual([
    [{ version: '2.9.1', where: 'latest' }],
    [],
    [],
  ])
})

test('the tarballs of a package are listed, each by suite', async () => {
  expect(await listSources('debian:zlib', await places())).toEqual([
    { where: 'stable', place: 'debian:zlib/zlib_1.3.dfsg+really1.3.1.orig.tar.gz', size: 1511 },
  ])
  const suites = ['unstable', 'stable']
  expect(await listSources('debian:openssl', await places({ suites }))).toEqual([
    { where: 'unstable', place: 'debian:openssl/openssl_3.6.0.orig.tar.gz', size: 7 },
    { where: 'unstable', place: 'debian:openssl/openssl_3.6.0-2.debian.tar.xz', size: 9 },
  ])
  expect(await listSources('npm:@scope/part', await places())).toEqual([
    { where: 'latest', place: 'npm:@scope/part@1.0.0', size: undefined },
  ])
})

test.each([
  ['debian:none', 'versions-unavailable', 'no suite has it: stable, unstable'],
  ['npm:none', 'versions-unavailable', 'HTTP status 404'],
  ['npm:odd', 'versions-unavailable', 'no document'],
  ['zlib', 'source-package', 'neither debian:PACKAGE nor npm:NAME'],
  ['debian:zlib/zlib.tar.xz', 'source-package', 'neither'],
  ['debian:../x', 'source-package', 'neither'],
  ['debian:UPPER', 'source-package', 'neither'],
  ['npm:../../x', 'source-package', 'neither'],
  ['npm:yaml/../x', 'source-package', 'neither'],
  ['npm:yaml?x=1', 'source-package', 'neither'],
  ['npm:@scope%2fpart', 'source-package', 'neither'],
  ['npm:yaml@1', 'source-package', 'neither'],
  ['https://example.org/a-1.tar', 'source-package', 'neither'],
])('the files of %s cannot be listed', async (word, code, message) => {
  await expect(listSources(word, await places())).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  })
})

test('what has no list of versions is named, and no failure', async () => {
  const address = 'https://example.org/a-1.0.tar.gz'
  const checked = await check([[address], ['file:/srv/b.tar'], ['debian:c/c.tar']])
  expect(checked.map((one) => [one.package, one.unknown?.kind])).toEqual([
    [address, 'mute'],
    ['file:/srv/b.tar', 'mute'],
    ['debian:c', 'mute'],
  ])
})

test.each([
  ['a suite that is not there', ['debian:openssl/openssl_1.orig.tar.gz'], { suites: ['none'] }],
  ['a damaged index', ['debian:openssl/openssl_1.orig.tar.gz'], { suites: ['torn'] }],
  ['an index of nothing', ['debian:openssl/openssl_1.orig.tar.gz'], { suites: ['empty'] }],
  ['a package that no suite has', ['debian:gone/gone_1.orig.tar.gz'], {}],
  ['a package that npm does not have', ['npm:gone@1.0.0'], {}],
  ['a document that is none', ['npm:odd@1.0.0'], {}],
  ['a server that is not there', ['npm:yaml@2.9.0'], { npm: 'http://127.0.0.1:1' }],
  ['a folder that is not there', ['debian:a/a_1.orig.tar.gz'], { debian: ['file:/no/such'] }],
] as const)('%s fails by name, and lets others be known', async (_, from, change) => {
  const checked = await check([from, ['https://example.org/a.tar']], change)
  expect(checked[0]).toMatchObject({ newer: [], unknown: { kind: 'failed' } })
  expect(checked[0]?.unknown?.reason).not.toBe('')
  expect(checked[1]?.unknown?.kind).toBe('mute')
})

test('an archive in a folder is read, too', async () => {
  const path = await rig().write('debian/dists/stable/main/source/Sources.xz', xz(STABLE))
  const debian = [`file:${path.slice(0, path.indexOf('/dists'))}`]
  const suites = ['stable']
  const checked = await check([['debian:openssl/openssl_3.5.2.orig.tar.gz']], { debian, suites })
  expect(checked[0]?.newer).toEqual([{ version: '3.5.4', where: 'stable' }])
})

test('an interruption ends it', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(check([['npm:yaml@2.9.0']], { signal })).rejects.toThrow('enough')
})
