import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../../src/remote/execution/connection.ts'
import { LIMITS } from '../../../src/remote/execution/limits.ts'
import type { RemoteSettings } from '../../../src/remote/execution/settings.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])

/** What a server does with each connection that is to speak HTTP/2. */
const SERVERS: readonly (readonly [string, () => Server])[] = [
  ['speaks HTTP/1', () => createHttpServer((_, response) => response.writeHead(404).end())],
  ['greets as SSH does', () => talking((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'))],
  [
    'sends zeros',
    () => talking((socket) => socket.once('data', () => socket.write(Buffer.alloc(4_000)))),
  ],
  [
    'begins well and sends junk then',
    () =>
      talking((socket) =>
        socket.once('data', () =>
          socket.write(SETTINGS, () => socket.write(Buffer.alloc(300, 255))),
        ),
      ),
  ],
  ['ends each connection', () => talking((socket) => socket.end())],
  ['resets each connection', () => talking((socket) => socket.resetAndDestroy())],
]

function talking(talk: (socket: Socket) => unknown): Server {
  return createServer((socket) => {
    socket.on('error', () => undefined)
    talk(socket)
  })
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

function settingsOf(address: string, change: Partial<RemoteSettings> = {}): RemoteSettings {
  return {
    ...{ address, instance: 'main', jobs: 1, platform: {}, runner: undefined },
    ...{ ca: undefined, certificate: undefined, key: undefined, token: undefined },
    ...change,
  }
}

/** How asking a server fails. The connection closes at once, as when a build ends by that. */
async function failureAt(address: string): Promise<unknown> {
  const limits = { ...LIMITS, callMs: 2_000, delays: [1] }
  const connection = await connect(settingsOf(address), limits, 'test')
  return connection.examine(new AbortController().signal).then(
    () => undefined,
    (error: unknown) => {
      connection.close()
      return error
    },
  )
}

test.each(SERVERS)(
  'a server that %s is a fault of it, and nothing comes later',
  async (_, make) => {
    const port = await portOf(make())
    const failure = await failureAt(`http://127.0.0.1:${port}`)
    expect(failure).toMatchObject({ name: 'RemoteFault', kind: 'lost' })
    // An error that nobody listens to ends the run of the tests.
    for (let turn = 0; turn < 20; turn += 1) await setImmediate()
  },
)

test('a server without TLS is named as such', async () => {
  const port = await portOf(createHttpServer((_, response) => response.writeHead(404).end()))
  const failure = await failureAt(`https://127.0.0.1:${port}`)
  expect(failure).toMatchObject({ kind: 'lost' })
  expect(String(failure)).toMatch(/the server does not speak TLS$/)
})

describe('files that a connection cannot use', () => {
  /** Two certificates and their keys, a pipe, a folder, and a file that is none of these. */
  async function files(): Promise<(name: string) => string> {
    const folder = await temporaryFolder()
    const words = ['-nodes', '-days', '36500', '-subj', '/CN=x']
    for (const name of ['one', 'two'])
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'ed25519', ...words, '-keyout', `${name}.key`, '-out', name],
        { cwd: folder, stdio: 'ignore' },
      )
    execFileSync('mkfifo', ['-m', '600', 'pipe'], { cwd: folder })
    execFileSync('mkdir', ['folder'], { cwd: folder })
    writeFileSync(join(folder, 'text'), 'text', { mode: 0o600 })
    return (name) => join(folder, name)
  }

  const GOOD = { ca: 'one', certificate: 'one', key: 'one.key' }
  test.each<[Partial<typeof GOOD>, string, RegExp]>([
    [{ ca: 'pipe' }, 'pipe', /no regular file/],
    [{ ca: 'none' }, 'none', /there is no such file/],
    [{ ca: 'folder' }, 'folder', /no regular file/],
    [{ ca: 'text' }, 'text', /no certificate in PEM/],
    [{ certificate: 'pipe' }, 'pipe', /no regular file/],
    [{ certificate: 'text' }, 'text', /no certificate in PEM/],
    [{ key: 'pipe' }, 'pipe', /no regular file/],
    [{ key: 'text' }, 'text', /no "PRIVATE KEY" in PEM/],
    [{ key: 'two.key' }, 'two.key', /the key of another certificate than ".*one"$/],
  ])('such as %j are named before anything is asked', async (change, name, reason) => {
    const file = await files()
    const { ca, certificate, key } = { ...GOOD, ...change }
    const named = { ca: file(ca), certificate: file(certificate), key: file(key) }
    const opened = connect(settingsOf('https://127.0.0.1:1', named), LIMITS, 'test')
    const error: unknown = await opened.catch((failure: unknown) => failure)
    expect(error).toMatchObject({ code: 'remote-certificate', facts: { file: file(name) } })
    expect((error as Error).message).toMatch(reason)
  })
})
