import { once } from 'node:events'
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { MirrorFault } from '../../../src/fetch/mirror/faults.ts'
import { serveMirror } from '../../../src/fetch/mirror/serve.ts'
import { makeMirror, sumsOf } from '../../support/mirrors.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

const LARGE = Buffer.from(Array.from({ length: 1 << 20 }, (_, at) => (at * 31 + (at >> 8)) & 0xff))
const FILES = { 'a.tar': 'first file', 'large.tar': LARGE, 'o+d d%.tar': 'odd', empty: '' }
const TAG = `"${digestOf(LARGE)}"`

interface Served {
  readonly mirror: string
  readonly address: string
  readonly faults: MirrorFault[]
}

/** Serves a mirror, by default of {@link FILES}, until the test ends. */
async function serve(given?: string): Promise<Served> {
  const mirror = given ?? (await makeMirror(FILES))
  const end = new AbortController()
  const faults: MirrorFault[] = []
  const onFault = (fault: MirrorFault): void => void faults.push(fault)
  const where = { host: '127.0.0.1', port: 0 }
  const { address, ended } = await serveMirror(mirror, where, onFault, end.signal)
  onTestFinished(async () => {
    end.abort()
    await ended
  })
  return { mirror, address, faults }
}

/** What a server answers to these bytes, until it closes the connection. */
async function answerTo(address: string, ...lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined) // a reset after the answer
  socket.write(lines.map((line) => `${line}\r\n`).join(''))
  return text(socket)
}

/** Answer to a GET of a target that is sent as it is. */
async function rawGet(address: string, target: string): Promise<string> {
  return answerTo(address, `GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', '')
}

test('files and list are there, with length and digest', async () => {
  const { address } = await serve()
  const response = await fetch(`${address}/large.tar`)
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'accept-ranges': 'bytes',
    'content-length': String(LARGE.length),
    'content-type': 'application/octet-stream',
    etag: TAG,
  })
  expect(Buffer.from(await response.arrayBuffer()).equals(LARGE)).toBe(true)
  const list = await fetch(`${address}/SHA256SUMS`)
  expect(list.headers.get('etag')).toBe(`"${digestOf(sumsOf(FILES))}"`)
  expect(await list.text()).toBe(sumsOf(FILES))
  for (const [name, content] of Object.entries(FILES)) {
    const answer = await fetch(`${address}/${encodeURIComponent(name)}`)
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(content))).toBe(true)
  }
})

test('HEAD has the same head and no body', async () => {
  const { address } = await serve()
  const head = await fetch(`${address}/large.tar`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
    200,
    String(LARGE.length),
    TAG,
  ])
  expect(await head.text()).toBe('')
  expect((await fetch(`${address}/nothing`, { method: 'HEAD' })).status).toBe(404)
})

test.each([
  ['bytes=0-9', 0, 10],
  ['bytes=1000000-', 1_000_000, LARGE.length - 1_000_000],
  ['bytes=-5', LARGE.length - 5, 5],
  ['bytes=300000-900000', 300_000, 600_001],
])('the range %s', async (range, start, length) => {
  const { address } = await serve()
  const headers = { Range: range, 'If-Range': TAG }
  const response = await fetch(`${address}/large.tar`, { headers })
  expect(response.status).toBe(206)
  expect(response.headers.get('content-range')).toBe(
    `bytes ${start}-${start + length - 1}/${LARGE.length}`,
  )
  const body = Buffer.from(await response.arrayBuffer())
  expect(body.equals(LARGE.subarray(start, start + length))).toBe(true)
})

test('ranges that cannot be, and those of another file', async () => {
  const { address } = await serve()
  const get = (headers: Record<string, string>) => fetch(`${address}/large.tar`, { headers })
  const beyond = await get({ Range: `bytes=${LARGE.length}-` })
  expect([beyond.status, beyond.headers.get('content-range')]).toEqual([
    416,
    `bytes */${LARGE.length}`,
  ])
  expect((await get({ Range: 'bytes=0-9', 'If-Range': '"other"' })).status).toBe(200)
  expect((await get({ Range: 'bytes=0-1,5-6' })).status).toBe(200)
  expect((await fetch(`${address}/empty`, { headers: { Range: 'bytes=0-' } })).status).toBe(416)
})

test('who has the file already gets nothing, until the mirror has another of that name', async () => {
  const { address, mirror } = await serve()
  const get = async (tag: string): Promise<[number, string]> => {
    const response = await fetch(`${address}/large.tar`, { headers: { 'If-None-Match': tag } })
    return [response.status, response.headers.get('etag') ?? '']
  }
  expect(await get(TAG)).toEqual([304, TAG])
  expect(await get(`W/"x", ${TAG}`)).toEqual([304, TAG])
  expect(await get('"x"')).toEqual([200, TAG])
  const other = await fetch(`${address}/large.tar`, { headers: { 'If-Match': '"x"' } })
  expect([other.status, other.headers.get('etag')]).toEqual([412, TAG])
  await makeMirror({ 'large.tar': 'small now' }, mirror)
  expect(await get(TAG)).toEqual([200, `"${digestOf('small now')}"`])
})

test.each([
  '/',
  '//',
  '/.',
  '/..',
  '/../victim',
  '/..%2fvictim',
  '/..%2Fvictim',
  '/%2e%2e/victim',
  '/%2e%2e%2fvictim',
  '/..%5cvictim',
  '/..%252fvictim',
  '/%00',
  '/a.tar%00',
  '/a.tar/',
  '/./a.tar',
  '/%2fetc%2fpasswd',
  '//etc/passwd',
  '/etc/passwd',
  'http://x/../victim',
  '/%',
  '/%ff',
  '/link.tar',
  '/fifo.tar',
  '/folder.tar',
  '/folder.tar/inner',
  '/not-listed',
  '/.SHA256SUMS.part',
  '/__proto__',
  '/a.tar?x',
  `/${'a'.repeat(8000)}`,
])('%s is not there', async (target) => {
  const parent = await temporaryFolder()
  await writeFile(join(parent, 'victim'), 'precious')
  const mirror = join(parent, 'mirror')
  await mkdir(mirror)
  await makeMirror(
    { 'a.tar': 'a', 'link.tar': 'precious', 'fifo.tar': '', 'folder.tar': '' },
    mirror,
  )
  for (const name of ['link.tar', 'fifo.tar', 'folder.tar']) await rm(join(mirror, name))
  await symlink('../victim', join(mirror, 'link.tar'))
  makeFifo(join(mirror, 'fifo.tar'))
  await mkdir(join(mirror, 'folder.tar'))
  await writeFile(join(mirror, 'folder.tar', 'inner'), 'precious')
  await writeFile(join(mirror, 'not-listed'), 'precious')
  const list = await readFile(join(mirror, 'SHA256SUMS'), 'utf8')
  await writeFile(join(mirror, 'SHA256SUMS'), `${list}${digestOf('precious')}  ../victim\n`)
  const { address } = await serve(mirror)
  const answer = await rawGet(address, target)
  expect(answer).toMatch(/^HTTP\/1\.1 404 /)
  expect(answer).not.toMatch(/precious|root:/)
  // It serves on.
  expect(await (await fetch(`${address}/a.tar`)).text()).toBe('a')
})

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
  '%s is refused',
  async (method) => {
    const { address, mirror } = await serve()
    const body = ['POST', 'PUT', 'PATCH'].includes(method) ? Buffer.alloc(5 << 20) : null
    // Whoever sends on after the answer may see the connection end first.
    const response = await fetch(`${address}/a.tar`, { method, body: null })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    if (body !== null) await fetch(`${address}/a.tar`, { method, body }).catch(() => undefined)
    expect(await readFile(join(mirror, 'a.tar'), 'utf8')).toBe('first file')
  },
)

test.each([
  ['no HTTP at all', ['\u0016\u0003\u0001 hello'], 400],
  ['a head without end', [`GET / HTTP/1.1`, `X: ${'x'.repeat(1 << 20)}`], 431],
  ['a very long target', [`GET /${'a'.repeat(1 << 20)} HTTP/1.1`, '', ''], 431],
  ['two lengths', ['POST / HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2', '', ''], 400],
])('%s gets a clean answer', async (_, lines, status) => {
  const { address } = await serve()
  expect(await answerTo(address, ...lines)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect((await fetch(`${address}/a.tar`)).status).toBe(200)
})

test('who sends a head too slowly is answered and left; others are served meanwhile', async () => {
  const { address } = await serve()
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write('GET /a.tar HTTP/1.1\r\n')
  const drip = setInterval(() => socket.write('X: y\r\n'), 500)
  const answer = text(socket)
  expect((await fetch(`${address}/a.tar`)).status).toBe(200)
  expect(await answer).toMatch(/^HTTP\/1\.1 408 /)
  clearInterval(drip)
}, 30_000)

test('who leaves in the middle, and comes again, disturbs nobody', async () => {
  const { address } = await serve()
  for (let times = 0; times < 20; times++) {
    const asked = request(`${address}/large.tar`).end()
    const [response] = (await once(asked, 'response')) as [{ destroy: () => void }]
    response.destroy()
  }
  expect((await (await fetch(`${address}/large.tar`)).arrayBuffer()).byteLength).toBe(LARGE.length)
})

test('a damaged file is not sent, and is named once; mended, it is sent again', async () => {
  const { address, mirror, faults } = await serve()
  await writeFile(join(mirror, 'a.tar'), 'First file')
  for (const time of [1, 2, 3])
    expect([time, (await fetch(`${address}/a.tar`)).status]).toEqual([time, 404])
  expect(faults).toEqual([
    { kind: 'bad', path: 'a.tar', wanted: digestOf('first file'), found: digestOf('First file') },
  ])
  await writeFile(join(mirror, 'other'), 'first file')
  await rename(join(mirror, 'other'), join(mirror, 'a.tar'))
  expect(await (await fetch(`${address}/a.tar`)).text()).toBe('first file')
})

test('files and lists that come later are served; without the disk the answer says so', async () => {
  const { address, mirror } = await serve()
  await writeFile(join(mirror, 'new.tar'), 'new')
  expect((await fetch(`${address}/new.tar`)).status).toBe(404)
  await writeFile(join(mirror, 'SHA256SUMS'), sumsOf({ ...FILES, 'new.tar': 'new' }))
  expect(await (await fetch(`${address}/new.tar`)).text()).toBe('new')
  await rename(mirror, `${mirror}-unplugged`)
  expect((await fetch(`${address}/new.tar`)).status).toBe(503)
  await rename(`${mirror}-unplugged`, mirror)
  expect((await fetch(`${address}/new.tar`)).status).toBe(200)
})

test('many at once get the whole file', async () => {
  const { address } = await serve()
  const bodies = await Promise.all(
    Array.from({ length: 50 }, async () => (await fetch(`${address}/large.tar`)).arrayBuffer()),
  )
  for (const body of bodies) expect(digestOf(Buffer.from(body))).toBe(digestOf(LARGE))
})

test('what cannot be served, or where, is said before', async () => {
  const { address, mirror } = await serve()
  const nowhere = await temporaryFolder()
  const start = (folder: string, host: string, port: number) =>
    serveMirror(folder, { host, port }, () => undefined, new AbortController().signal)
  await expect(start(nowhere, '127.0.0.1', 0)).rejects.toMatchObject({ code: 'no-mirror-list' })
  for (const [host, port] of [
    ['127.0.0.1', Number(new URL(address).port)],
    ['192.0.2.1', 0],
    ['no such host', 0],
  ] as const)
    await expect(start(mirror, host, port)).rejects.toMatchObject({ code: 'mirror-listen' })
})
