import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { readAptBases } from '../../../src/fetch/apt.ts'
import { PlaceFailure } from '../../../src/fetch/failure.ts'
import { CONTENT, DIGEST, source, status, useRig, whole, WRONG } from './rig.ts'

const rig = useRig()

test('order: store, --from folders, mirror folders, mirror addresses, recipe', async () => {
  const { address, requests } = await rig().serve(status(404))
  const options = {
    from: [join(rig().folder, 'one')],
    mirrors: [`${address}/m`, `file:${join(rig().folder, 'two')}`],
  }
  const asked = source([`${address}/recipe/g.tar`, 'file:/no/such/g.tar'])
  const error: unknown = await rig()
    .fetcher(options)
    .fetch(asked)
    .catch((reason: unknown) => reason)
  const places = [...(error as Error).message.matchAll(/^ {2}(.*?):? (?:no such|HTTP)/gm)].map(
    ([, place]) => place,
  )
  expect(error).toMatchObject({ kind: 'fetch', code: 'source-unavailable' })
  expect(places).toEqual([
    `mirror folder "${join(rig().folder, 'one')}"`,
    `mirror folder "${join(rig().folder, 'two')}"`,
    `mirror (${address}/m/${DIGEST})`,
    `mirror (${address}/m/f.tar)`,
    `mirror (${address}/m/g.tar)`,
    `${address}/recipe/g.tar`,
    'file:/no/such/g.tar',
  ])
  expect(requests.map(({ url }) => url)).toEqual([
    `/m/${DIGEST}`,
    '/m/f.tar',
    '/m/g.tar',
    '/recipe/g.tar',
  ])
  await rig().write(join('store/blobs', DIGEST), CONTENT)
  rig().events.length = 0
  await rig().fetcher(options).fetch(asked)
  expect(rig().events).toEqual([])
})

test.each([DIGEST, 'f.tar', 'place-1.tar'])('a mirror folder has it as "%s"', async (name) => {
  const path = await rig().write(join('mirror', name), CONTENT)
  await rig()
    .fetcher({ mirrors: [dirname(path)] })
    .fetch(source(['http://127.0.0.1:1/place-1.tar']))
  expect((await rig().store.read(DIGEST)).equals(CONTENT)).toBe(true)
  expect(
    rig()
      .eventTypes()
      .filter((type) => type !== 'fetch-progress'),
  ).toEqual(['fetch-start', 'fetch-end'])
})

test('a mirror folder has it by its digest, and another source under its name', async () => {
  await rig().write(`mirror/${DIGEST}`, CONTENT)
  await rig().write('mirror/f.tar', WRONG)
  const sums = await rig().write(
    'mirror/SHA256SUMS',
    `${DIGEST}  ${DIGEST}\n${digestOf(WRONG)}  f.tar\n`,
  )
  await rig()
    .fetcher({ from: [dirname(sums)] })
    .fetch(source([]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
  expect(rig().eventTypes()).not.toContain('warning')
})

test('a mirror folder with a flipped byte is named, and the next place tried', async () => {
  const flipped = Buffer.from(CONTENT)
  flipped[1000] = (flipped[1000] ?? 0) ^ 1
  const path = await rig().write('mirror/f.tar', flipped)
  await rig().write('mirror/SHA256SUMS', `${DIGEST}  f.tar\n`)
  const { address } = await rig().serve(whole())
  await rig()
    .fetcher({ mirrors: [dirname(path)] })
    .fetch(source([`${address}/f.tar`]))
  expect((await rig().store.read(DIGEST)).equals(CONTENT)).toBe(true)
  expect(rig().events.find(({ type }) => type === 'warning')).toMatchObject({
    message: expect.stringContaining(path) as string,
  })
  expect(await rig().store.partials()).toEqual([])
  const alone = rig().fetcher({
    mirrors: [dirname(path)],
    store: { ...rig().store, blobs: { ...rig().store.blobs, has: () => false } },
  })
  await expect(alone.fetch(source([]))).rejects.toMatchObject({
    code: 'source-digest',
    message: expect.stringContaining(digestOf(flipped)) as string,
  })
})

test('mirror addresses: by digest, then by name', async () => {
  const { address, requests } = await rig().serve((request, response) => {
    const handler = request.url === '/m/f.tar' ? whole() : status(404)
    handler(request, response)
  })
  await rig()
    .fetcher({ mirrors: [`${address}/m/`] })
    .fetch(source([]))
  expect(requests.map(({ url }) => url)).toEqual([`/m/${DIGEST}`, '/m/f.tar'])
})

test('file: missing, a folder, then there', async () => {
  const path = await rig().write('there/f.tar', CONTENT)
  await rig()
    .fetcher()
    .fetch(source(['file:/no/such/file', `file:${dirname(path)}`, `file:${path}`]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
  const error = rig()
    .fetcher()
    .fetch(source(['file:/no/such/file', `file:${dirname(path)}`], { sha256: digestOf('') }))
  await expect(error).rejects.toMatchObject({
    code: 'source-unavailable',
    message: expect.stringMatching(/no such file[^]*is no file/) as string,
  })
})

test('debian: configured bases in order, http and file', async () => {
  const { address, requests } = await rig().serve(status(404))
  await rig().write('debian/pool/main/m/musl/musl_1.2+x.tar.gz', CONTENT)
  const fetcher = rig().fetcher({
    debian: [`${address}/debian`, `file:${join(rig().folder, 'debian')}`],
  })
  await fetcher.fetch(source(['debian:musl/musl_1.2+x.tar.gz']))
  expect(requests.map(({ url }) => url)).toEqual(['/debian/pool/main/m/musl/musl_1.2%2Bx.tar.gz'])
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test("debian: the host's bases when none is configured, asked once; none at all is said", async () => {
  const { address } = await rig().serve(whole())
  let asked = 0
  const host = {
    aptBases: () => {
      asked++
      return Promise.resolve([`${address}/debian`])
    },
  }
  const fetcher = rig().fetcher({ host })
  await fetcher.fetch(source(['debian:libx/f.tar']))
  await expect(
    fetcher.fetch(source(['debian:libx/f.tar'], { sha256: digestOf('') })),
  ).rejects.toMatchObject({
    code: 'source-digest',
  })
  expect(asked).toBe(1)
  const none = rig().fetcher({ host: { aptBases: () => Promise.resolve([]) } })
  await expect(
    none.fetch(source(['debian:libx/f.tar'], { sha256: digestOf('') })),
  ).rejects.toMatchObject({
    code: 'source-unavailable',
    message: expect.stringContaining('no archive known') as string,
  })
})

test('npm: configured registry, the host’s, and a host without npm', async () => {
  const { address, requests } = await rig().serve((request, response) => {
    const handler = request.url?.startsWith('/own/') === true ? whole() : status(404)
    handler(request, response)
  })
  const host = { npmRegistry: () => Promise.resolve(`${address}/host/`) }
  await expect(
    rig()
      .fetcher({ host })
      .fetch(source(['npm:zod@4.4.3'])),
  ).rejects.toMatchObject({ code: 'source-unavailable' })
  await rig()
    .fetcher({ npm: `${address}/own` })
    .fetch(source(['npm:@types/node@20.1.0']))
  expect(requests.map(({ url }) => url)).toEqual([
    '/host/zod/-/zod-4.4.3.tgz',
    '/own/@types/node/-/node-20.1.0.tgz',
  ])
  const without = rig().fetcher({
    host: { npmRegistry: () => Promise.reject(new PlaceFailure('npm is not there')) },
  })
  await expect(
    without.fetch(source(['npm:zod@4.4.3'], { sha256: digestOf('') })),
  ).rejects.toMatchObject({
    code: 'source-unavailable',
    message: expect.stringContaining('npm is not there') as string,
  })
})

test('offline: folders and file: places only, no server and no npm is asked', async () => {
  const { address, requests } = await rig().serve(whole())
  const fetcher = rig().fetcher({ offline: true, mirrors: [address], debian: [address] })
  const remote = ['npm:zod@4.4.3', `${address}/f.tar`, 'debian:x/y']
  await expect(fetcher.fetch(source(remote))).rejects.toMatchObject({
    kind: 'fetch',
    code: 'source-offline',
  })
  const path = await rig().write('there/f.tar', CONTENT)
  await fetcher.fetch(source([...remote, `file:${path}`]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
  expect(requests).toHaveLength(0)
})

test('a place of unknown kind is named', async () => {
  await expect(
    rig()
      .fetcher()
      .fetch(source(['gopher:x'])),
  ).rejects.toMatchObject({
    code: 'source-unavailable',
    message: expect.stringContaining('gopher:x: unknown kind') as string,
  })
})

test('apt set-up: both formats from a folder, each base once; none without apt', async () => {
  await rig().write('apt/sources.list', 'deb http://127.0.0.1/debian trixie main\n')
  await rig().write(
    'apt/sources.list.d/b.sources',
    'Types: deb\nURIs: http://127.0.0.1/debian/ http://127.0.0.1/debian-security\n' +
      'Suites: x\nComponents: main\n',
  )
  await rig().write('apt/sources.list.d/a.list', 'deb file:/srv/ubuntu noble main\n')
  await rig().write(
    'apt/sources.list.d/c.list.save',
    'deb http://127.0.0.1/old/debian trixie main\n',
  )
  const bases = ['http://127.0.0.1/debian', 'file:/srv/ubuntu', 'http://127.0.0.1/debian-security']
  expect(await readAptBases(join(rig().folder, 'apt'))).toEqual(bases)
  expect(await readAptBases(join(rig().folder, 'none'))).toEqual([])
})
