import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { link, lstat, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { readAptBases } from '../../../src/fetch/apt.ts'
import { CONTENT, DIGEST, ranged, source, useRig, whole } from './rig.ts'

const rig = useRig()

/** What may lie where a file is looked for. None of it may be read, or waited for. */
const ODD: Readonly<Record<string, (path: string) => Promise<void>>> = {
  fifo: (path) => {
    execFileSync('mkfifo', [path])
    return Promise.resolve()
  },
  device: (path) => symlink('/dev/zero', path),
  folder: async (path) => {
    await mkdir(path)
  },
  loop: (path) => symlink(path, path),
}

async function makeOdd(kind: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await ODD[kind]?.(path)
}

test.each(Object.keys(ODD))(
  '%s as the list of a mirror folder: named, and the files are found by name',
  async (kind) => {
    const path = await rig().write('mirror/f.tar', CONTENT)
    await makeOdd(kind, join(dirname(path), 'SHA256SUMS'))
    const fetcher = rig().fetcher({ mirrors: [dirname(path)] })
    await expect(
      fetcher.fetch(source([], { sha256: digestOf(''), name: 'other' })),
    ).rejects.toMatchObject({
      code: 'source-unavailable',
      message: expect.stringContaining('its SHA256SUMS') as string,
    })
    await fetcher.fetch(source([]))
    expect(rig().store.blobs.has(DIGEST)).toBe(true)
  },
)

test('a list of gigabytes, and one of no text: not read, and read without harm', async () => {
  const path = await rig().write('mirror/f.tar', CONTENT)
  const list = await rig().write('mirror/SHA256SUMS', CONTENT)
  await rig()
    .fetcher({ mirrors: [dirname(path)] })
    .fetch(source([]))
  await truncate(list, 2 ** 36)
  const fetcher = rig().fetcher({ mirrors: [dirname(path)] })
  await expect(
    fetcher.fetch(source([], { sha256: digestOf(''), name: 'other' })),
  ).rejects.toMatchObject({
    message: expect.stringContaining('its SHA256SUMS') as string,
  })
})

test.each(Object.keys(ODD))(
  '%s in a mirror folder, and as a place: named, and the next one is tried',
  async (kind) => {
    const odd = join(rig().folder, 'mirror', 'f.tar')
    await makeOdd(kind, odd)
    const options = { mirrors: [dirname(odd)] }
    await expect(
      rig()
        .fetcher(options)
        .fetch(source([`file:${odd}`])),
    ).rejects.toMatchObject({
      code: 'source-unavailable',
      message: expect.stringMatching(
        /f\.tar"?: (is no file|cannot be read)[^]*f\.tar: (is no file|cannot be read)/,
      ) as string,
    })
    const good = await rig().write('good/f.tar', CONTENT)
    await rig()
      .fetcher(options)
      .fetch(source([`file:${odd}`, `file:${good}`]))
    expect(rig().store.blobs.has(DIGEST)).toBe(true)
  },
)

test('a file of the system that has no end to speak of, or has nothing to read yet', async () => {
  const places = ['file:/proc/kcore', 'file:/proc/kmsg', 'file:/proc/self/mem']
  await expect(
    rig()
      .fetcher({ limits: { bytes: 1 << 20 } })
      .fetch(source(places)),
  ).rejects.toMatchObject({ kind: 'fetch' })
})

test('a mirror folder of links to files elsewhere is one', async () => {
  const path = await rig().write('elsewhere/x', CONTENT)
  await mkdir(join(rig().folder, 'mirror'))
  await symlink(path, join(rig().folder, 'mirror', 'f.tar'))
  await rig()
    .fetcher({ mirrors: [join(rig().folder, 'mirror')] })
    .fetch(source([]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('names in the list of a mirror are shown, not acted on', async () => {
  await rig().write('mirror/\u009b31m\u202e', 'wrong')
  await rig().write('mirror/SHA256SUMS', `${DIGEST}  \u009b31m\u202e\n`)
  await expect(
    rig()
      .fetcher({ mirrors: [join(rig().folder, 'mirror')] })
      .fetch(source([])),
  ).rejects.toMatchObject({
    code: 'source-unavailable',
    message: expect.not.stringMatching(/[\u009b\u202e]/) as string,
  })
  expect(JSON.stringify(rig().events)).not.toContain('\u009b')
})

const PARTS = ['', '.json', '.local']

test.each(PARTS)('a link as the part "%s" in the store is not followed', async (suffix) => {
  const victim = await rig().write('victim', 'precious')
  const { address } = await rig().serve(ranged(CONTENT, '"a"'))
  const path = rig().store.partialPath(DIGEST)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.json`, JSON.stringify({ address: `${address}/f.tar`, etag: '"a"' }))
  if (suffix === '.json') execFileSync('rm', [`${path}.json`])
  await symlink(victim, `${path}${suffix}`)
  const copy = await rig().write('copy/f.tar', CONTENT)
  await rig()
    .fetcher()
    .fetch(source([suffix === '.local' ? `file:${copy}` : `${address}/f.tar`]))
  expect(await readFile(victim, 'utf8')).toBe('precious')
  expect((await lstat(join(rig().store.folder, 'blobs', DIGEST))).isFile()).toBe(true)
  expect((await rig().store.read(DIGEST)).equals(CONTENT)).toBe(true)
  expect(await rig().store.partials()).toEqual([])
})

test('a part with a second name elsewhere is not gone on with', async () => {
  const victim = await rig().write('victim', CONTENT.subarray(0, 1000))
  const { address } = await rig().serve(ranged(CONTENT, '"a"'))
  const path = rig().store.partialPath(DIGEST)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.json`, JSON.stringify({ address: `${address}/f.tar`, etag: '"a"' }))
  await link(victim, path)
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(await readFile(victim)).toEqual(CONTENT.subarray(0, 1000))
})

test.each(PARTS)('a fifo as the part "%s" in the store is not waited for', async (suffix) => {
  const { address } = await rig().serve(whole())
  const path = `${rig().store.partialPath(DIGEST)}${suffix}`
  await makeOdd('fifo', path)
  const copy = await rig().write('copy/f.tar', CONTENT)
  await rig()
    .fetcher()
    .fetch(source([suffix === '.local' ? `file:${copy}` : `${address}/f.tar`]))
  expect(existsSync(join(rig().store.folder, 'blobs', DIGEST))).toBe(true)
})

test('an address that Node takes for none, as a place and behind a redirect: the next is tried', async () => {
  const odd = 'http://user:%ff@127.0.0.1/f.tar'
  const to = await rig().serve((_, response) => response.writeHead(302, { location: odd }).end())
  const { address } = await rig().serve(whole())
  await rig()
    .fetcher()
    .fetch(source([odd, `${to.address}/f.tar`, `${address}/f.tar`]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
  expect(JSON.stringify(rig().events)).not.toContain('%ff')
})

test.each([...Object.keys(ODD), 'huge'])(
  '%s among the lists of apt: names no archive',
  async (kind) => {
    const folder = join(rig().folder, 'apt')
    await rig().write('apt/sources.list.d/b.list', 'deb http://127.0.0.1/debian trixie main\n')
    for (const name of ['sources.list', 'sources.list.d/a.list', 'sources.list.d/c.sources']) {
      if (kind === 'huge') await truncate(await rig().write(`apt/${name}`, '#'), 2 ** 36)
      else await makeOdd(kind, join(folder, name))
    }
    expect(await readAptBases(folder)).toEqual(['http://127.0.0.1/debian'])
  },
)

test('a note whose values are none of a header is not sent', async () => {
  const { address, requests } = await rig().serve(ranged(CONTENT, '"a"'))
  const path = rig().store.partialPath(DIGEST)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, CONTENT.subarray(0, 1000))
  await writeFile(
    `${path}.json`,
    JSON.stringify({ address: `${address}/f.tar`, etag: '"a"\r\nX-Y: z' }),
  )
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests.map(({ headers }) => headers.range)).toEqual([undefined])
})
