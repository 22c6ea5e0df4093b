import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { CONTENT, DIGEST, source, useRig, whole, type Handler } from './rig.ts'

const rig = useRig()

let before: NodeJS.ProcessEnv
beforeEach(() => {
  before = { ...process.env }
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'])
    for (const key of [name, name.toUpperCase()]) Reflect.deleteProperty(process.env, key)
  process.env['NETRC'] = join(rig().folder, 'netrc')
})
afterEach(() => {
  process.env = before
})

/** A proxy; `handler` answers what is asked of it for http: addresses. */
async function serveProxy(
  handler: Handler,
  tunnelTo?: number,
): Promise<{ port: number; requests: IncomingMessage[]; tunnels: IncomingMessage[] }> {
  const [requests, tunnels]: [IncomingMessage[], IncomingMessage[]] = [[], []]
  const server = createServer((request, response) => {
    requests.push(request)
    handler(request, response)
  })
  server.on('connect', (request: IncomingMessage, socket) => {
    tunnels.push(request)
    if (tunnelTo === undefined) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const onwards = connect(tunnelTo, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onwards.pipe(socket).pipe(onwards)
    })
    for (const end of [onwards, socket]) end.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests, tunnels }
}

test('a server of http: is asked by way of the proxy, with the names of both users', async () => {
  const proxy = await serveProxy(whole())
  process.env['http_proxy'] = `http://me:pass%20word@127.0.0.1:${proxy.port}`
  await rig().write('netrc', 'machine sources.example login you password there\n')
  await rig()
    .fetcher()
    .fetch(source(['http://sources.example/a/f.tar?b=c']))
  expect((await rig().store.read(DIGEST)).equals(CONTENT)).toBe(true)
  expect(proxy.requests.map(({ url }) => url)).toEqual(['http://sources.example/a/f.tar?b=c'])
  const [{ headers }] = proxy.requests as [IncomingMessage]
  expect(headers.host).toBe('sources.example')
  expect(headers['proxy-authorization']).toBe(basic('me:pass word'))
  expect(headers.authorization).toBe(basic('you:there'))
})

test('what no_proxy names, and this host, are asked themselves', async () => {
  const proxy = await serveProxy(whole())
  process.env['http_proxy'] = `127.0.0.1:${proxy.port}`
  const { address, requests } = await rig().serve(whole())
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect([requests.length, proxy.requests.length]).toEqual([1, 0])
  process.env['no_proxy'] = '.example'
  const error: unknown = await rig()
    .fetcher()
    .fetch(source(['http://there-is-none.example/g.tar'], { sha256: other(), name: 'g.tar' }))
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'source-unavailable' })
  expect(proxy.requests).toEqual([])
})

test('a proxy that wants a password is named, without the one that it was given', async () => {
  const proxy = await serveProxy(whole())
  process.env['https_proxy'] = `http://me:secret@127.0.0.1:${proxy.port}`
  const error: unknown = await rig()
    .fetcher()
    .fetch(source(['https://sources.example/f.tar']))
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({ kind: 'fetch', code: 'source-unavailable' })
  expect((error as Error).message).toMatch(/proxy.*127\.0\.0\.1.*407/)
  expect((error as Error).message).not.toContain('secret')
})

test('an address that is none', async () => {
  process.env['http_proxy'] = 'socks5://127.0.0.1:1'
  const error: unknown = await rig()
    .fetcher()
    .fetch(source(['http://sources.example/f.tar']))
    .catch((reason: unknown) => reason)
  expect((error as Error).message).toContain('the proxy that the environment names')
})

test('a server of https: is reached through a tunnel, and its certificate counts', async () => {
  const { key, cert } = certificate('sources.example')
  const server = createTlsServer({ key, cert }, (_, response) => {
    response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const proxy = await serveProxy(whole(), (server.address() as AddressInfo).port)
  process.env['https_proxy'] = `http://127.0.0.1:${proxy.port}`
  const npm = { npm: 'https://sources.example/' }
  const wanted = source(['npm:f@1.0.0'])
  const npmCertificates = (): Promise<readonly string[]> => Promise.resolve([cert])
  const untold = rig().fetcher({ ...npm, host: { npmCertificates: () => Promise.resolve([]) } })
  await expect(untold.fetch(wanted)).rejects.toMatchObject({ code: 'source-unavailable' })
  await rig()
    .fetcher({ ...npm, host: { npmCertificates } })
    .fetch(wanted)
  expect((await rig().store.read(DIGEST)).equals(CONTENT)).toBe(true)
  expect(proxy.tunnels.map(({ url }) => url)).toContain('sources.example:443')
  expect(proxy.requests).toEqual([])
})

function basic(plain: string): string {
  return `Basic ${Buffer.from(plain).toString('base64')}`
}

function other(): typeof DIGEST {
  return DIGEST.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) as typeof DIGEST
}

function certificate(host: string): { key: string; cert: string } {
  const [keyFile, certFile] = ['key.pem', 'cert.pem'].map((name) => join(rig().folder, name))
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
  const files = ['-keyout', keyFile!, '-out', certFile!]
  execFileSync('openssl', ['req', '-x509', ...curve, ...names, ...files], { stdio: 'ignore' })
  return { key: readFileSync(keyFile!, 'utf8'), cert: readFileSync(certFile!, 'utf8') }
}
