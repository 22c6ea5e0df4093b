import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
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

function redirect(location: string): Handler {
  return status(302, { Location: location })
}

test('wrong at the first place, right at the second: warned about, and nothing wrong is kept', async () => {
  const bad = await rig().serve(whole(WRONG))
  const good = await rig().serve(whole())
  await rig()
    .fetcher()
    .fetch(source([`${bad.address}/f.tar`, `${good.address}/f.tar`]))
  expect((await rig().store.read(DIGEST)).equals(CONTENT)).toBe(true)
  expect(bad.requests).toHaveLength(1)
  const warning = rig().events.find(({ type }) => type === 'warning')
  expect(warning).toMatchObject({ message: expect.stringContaining(digestOf(WRONG)) as string })
  expect(warning).toMatchObject({ message: expect.stringContaining(bad.address) as string })
})

test('all places wrong', async () => {
  const { address } = await rig().serve(whole(WRONG))
  const error: unknown = await rig()
    .fetcher()
    .fetch(source([`${address}/a`, `${address}/b`]))
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ kind: 'fetch', code: 'source-digest' })
  for (const part of ['f.tar', DIGEST, digestOf(WRONG), `${address}/a`, `${address}/b`])
    expect((error as Error).message).toContain(part)
  expect(rig().store.blobs.has(DIGEST)).toBe(false)
  expect(await rig().store.partials()).toEqual([])
})

test('404 is not asked again, the next place is', async () => {
  const missing = await rig().serve(status(404))
  const good = await rig().serve(whole())
  await rig()
    .fetcher()
    .fetch(source([`${missing.address}/f.tar`, `${good.address}/f.tar`]))
  expect(missing.requests).toHaveLength(1)
  expect(rig().waits).toEqual([])
})

test('5xx and 429 are asked again after growing waits; Retry-After is honoured up to a limit', async () => {
  const { address, requests } = await rig().serve(
    inTurn(
      status(503),
      status(429, { 'Retry-After': '5' }),
      status(500, { 'Retry-After': '86400' }),
      whole(),
    ),
  )
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests).toHaveLength(4)
  expect(rig().waits).toEqual([1000, 5000, 60_000])
})

test('a place that never recovers is given up', async () => {
  const { address, requests } = await rig().serve(status(500))
  await expect(
    rig()
      .fetcher()
      .fetch(source([`${address}/f.tar`])),
  ).rejects.toMatchObject({ kind: 'fetch', code: 'source-unavailable' })
  expect(requests).toHaveLength(4)
})

test('a refused connection is tried again', async () => {
  const { address, end } = await rig().serve(whole())
  await end()
  await expect(
    rig()
      .fetcher()
      .fetch(source([`${address}/f.tar`])),
  ).rejects.toMatchObject({ code: 'source-unavailable' })
  expect(rig().waits).toEqual([1000, 3000, 9000])
})

test('redirects are followed, relative ones too', async () => {
  const { address } = await rig().serve((request, response) => {
    const handler =
      request.url === '/f.tar'
        ? redirect('/moved/x')
        : request.url === '/moved/x'
          ? redirect('y')
          : whole()
    handler(request, response)
  })
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test.each([
  [
    'UTF-8',
    '/gr\u00f6\u00dfe/\u6587\ud83d\udca9.tar',
    'utf8',
    '/gr%C3%B6%C3%9Fe/%E6%96%87%F0%9F%92%A9.tar',
  ],
  ['Latin-1', '/gr\u00f6\u00dfe.tar', 'latin1', '/gr%F6%DFe.tar'],
  [
    'blank, percent signs and query',
    '/a b%20c%2Fd?\u00e4=\u00f6',
    'utf8',
    '/a%20b%20c%2Fd?%C3%A4=%C3%B6',
  ],
] as const)(
  'a redirect to raw bytes, %s: the same bytes are asked for',
  async (_, location, encoding, asked) => {
    const raw = Buffer.from(location, encoding).toString('latin1')
    const { address, requests } = await rig().serve((request, response) => {
      const handler =
        request.url === '/f.tar' ? redirect(raw) : request.url === asked ? whole() : status(404)
      handler(request, response)
    })
    await rig()
      .fetcher()
      .fetch(source([`${address}/f.tar`]))
    expect(requests.map(({ url }) => url)).toEqual(['/f.tar', asked])
  },
)

test('what a server says is shown, not acted on', async () => {
  const location = Buffer.from('ftp://127.0.0.1/\u009b31m\u202e').toString('latin1')
  const { address } = await rig().serve(redirect(location))
  const error: unknown = await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'source-unavailable' })
  expect((error as Error).message).toContain('ftp://127.0.0.1/\\x9b31m\\u{202e}')
})

test('a redirect loop ends, and so does a redirect to what is no HTTP address', async () => {
  const loop = await rig().serve(redirect('/f.tar'))
  await expect(
    rig()
      .fetcher()
      .fetch(source([`${loop.address}/f.tar`])),
  ).rejects.toMatchObject({ code: 'source-unavailable' })
  expect(loop.requests).toHaveLength(6)
  const odd = await rig().serve(redirect('file:///etc/passwd'))
  await expect(
    rig()
      .fetcher()
      .fetch(source([`${odd.address}/f.tar`])),
  ).rejects.toMatchObject({ code: 'source-unavailable' })
})

test('a server that stalls in the body', async () => {
  const { address } = await rig().serve(
    inTurn(
      (_, response) => {
        response.writeHead(200, { 'Content-Length': CONTENT.length, ETag: '"a"' })
        response.write(CONTENT.subarray(0, 1000))
      },
      ranged(CONTENT, '"a"'),
    ),
  )
  await rig()
    .fetcher({ limits: { idleMs: 100 } })
    .fetch(source([`${address}/f.tar`]))
  expect(rig().events.find(({ type }) => type === 'fetch-retry')).toMatchObject({
    reason: expect.stringContaining('stalled') as string,
  })
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('a server that never answers', async () => {
  const { address } = await rig().serve(() => undefined)
  const fetcher = rig().fetcher({ limits: { idleMs: 40, delays: [] } })
  await expect(fetcher.fetch(source([`${address}/f.tar`]))).rejects.toMatchObject({
    code: 'source-unavailable',
  })
})

test('a server that accepts and never ends the TLS handshake: no connection', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const fetcher = rig().fetcher({ limits: { connectMs: 40, delays: [] } })
  const attempt = fetcher.fetch(
    source([`https://127.0.0.1:${String((server.address() as AddressInfo).port)}/f.tar`]),
  )
  await expect(attempt).rejects.toMatchObject({
    code: 'source-unavailable',
    message: expect.stringContaining('no connection') as string,
  })
  server.close()
})

test('a body that is compressed on the way by label only is taken as it is', async () => {
  const { address } = await rig().serve(whole(CONTENT, { 'Content-Encoding': 'x-gzip' }))
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('progress: bytes grow, the size is known', async () => {
  const { address } = await rig().serve(whole())
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  const bytes = rig().events.flatMap((event) =>
    event.type === 'fetch-progress' ? [event.bytes] : [],
  )
  expect(bytes.length).toBeGreaterThan(0)
  expect(bytes).toEqual([...bytes].sort((a, b) => a - b))
  expect(bytes.at(-1)).toBe(CONTENT.length)
  expect(rig().events[0]).toMatchObject({ type: 'fetch-start', size: CONTENT.length })
})

test('user and password are sent, but neither shown nor kept', async () => {
  const { address, requests } = await rig().serve(inTurn(cut(1000, { ETag: '"a"' }), status(404)))
  const place = `${address.replace('//', '//user:secret@')}/f.tar`
  const error: unknown = await rig()
    .fetcher()
    .fetch(source([place]))
    .catch((reason: unknown) => reason)
  expect(requests[0]?.headers.authorization).toBe(
    `Basic ${Buffer.from('user:secret').toString('base64')}`,
  )
  expect((error as Error).message).not.toContain('secret')
  expect(JSON.stringify(rig().events)).not.toContain('secret')
})
