import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { TLSSocket } from 'node:tls'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cacheServer, on, status } from '../../support/cache-server.ts'
import { commandLine, jsonLines, makes, ranIn, ONE_TREE, type Toy } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { configureIn } from '../../support/user-config.ts'

const newToy = commandLine()
const TREE = {
  ...ONE_TREE,
  'layers/product/two/recipe.yaml': makes('two', '2', 'inputs: [bootstrap/tools, product/one]'),
}
const configure = configureIn('cache')

/** A user who built `two`, and wrote it to `place`. */
async function writer(place: string, ...lines: readonly string[]): Promise<string> {
  const toy = await newToy(TREE)
  const made = await toy.run('cache', 'keygen', 'ci-1.key')
  await configure(toy, `write: ${place}`, `key: ${join(toy.folder, 'ci-1.key')}`, ...lines)
  expect(await toy.run('build', 'two')).toMatchObject({ code: 0 })
  const pushed = await toy.run('--json', 'cache', 'push', 'two')
  expect(jsonLines(pushed.stdout)).toMatchObject([{ type: 'pushed', results: 2, added: 0 }])
  return made.stdout.trim()
}

async function reader(place: string, key: string, ...lines: readonly string[]): Promise<Toy> {
  const toy = await newToy(TREE)
  await configure(toy, `read: ['${place}']`, `keys: ['${key}']`, ...lines)
  return toy
}

test('a cache in a folder: push, build, pull, check, why, log and plan', async () => {
  const folder = await temporaryFolder()
  const key = await writer(folder)
  expect(await readdir(join(folder, 'cas'))).toHaveLength(2)

  const other = await reader(folder, key)
  const built = await other.run('--json', 'build', 'two')
  expect(ranIn(jsonLines(built.stdout))).toEqual([])
  expect(jsonLines(built.stdout)).toContainEqual(
    expect.objectContaining({ type: 'action-shared', recipe: 'product/two', signers: ['ci-1'] }),
  )
  expect((await other.run('build', '-n', 'two')).stdout).toContain('stored, signed by ci-1')
  expect((await other.run('why', 'two')).stdout).toContain('ci-1')
  const log = await other.run('log', 'two')
  expect(log.code).toBe(2)
  expect(log.stderr).toContain('ci-1')
  expect(await other.run('cache', 'check', 'two')).toMatchObject({ code: 0 })
  expect((await other.run('cache', 'push', 'two')).code).toBe(2)

  const third = await reader(folder, key)
  const pulled = await third.run('--json', 'cache', 'pull', 'two')
  expect(jsonLines(pulled.stdout)).toContainEqual(
    expect.objectContaining({ type: 'pulled', recipe: 'product/two' }),
  )
  const alone = await newToy(TREE)
  await configure(alone, `read: ['${folder}']`, `keys: ['${key}']`)
  await rm(join(folder, 'ac'), { recursive: true })
  const none = await alone.run('cache', 'pull', 'two')
  expect(none.code).toBe(4)
  expect(none.stderr).toContain('product/one')
})

test('--no-cache asks nobody', async () => {
  const server = await cacheServer()
  const key = await writer(server.address)
  server.requests.length = 0
  const other = await reader(server.address, key)
  const built = await other.run('--json', 'build', '--no-cache', 'two')
  expect(ranIn(jsonLines(built.stdout))).toEqual(['bootstrap/tools', 'product/one', 'product/two'])
  expect(server.requests).toEqual([])
  expect((await other.run('cache', 'check', 'two')).stdout).toContain('the same: ci-1')
})

test('a token and a password are nowhere but in requests of their server', async () => {
  const [server, thief] = [await cacheServer(), await cacheServer()]
  const key = await writer(server.address)
  const other = await newToy(TREE)
  await other.write({ token: 'SECRET-token\n' })
  execFileSync('chmod', ['600', join(other.folder, 'token')])
  await configure(
    other,
    `read: ['${server.address.replace('//', '//user:SECRET-word@')}', '${server.address}']`,
    `keys: ['${key}']`,
    `token: ${join(other.folder, 'token')}`,
  )
  server.fault = on('GET /ac', status(302, { Location: `${thief.address}/ac/x` }))
  const built = await other.run('--json', 'build', 'two')
  expect(built.code).toBe(0)
  expect(built.stdout + built.stderr).not.toContain('SECRET')
  const found = execFileSync('grep', ['-rlI', 'SECRET', other.folder], { encoding: 'utf8' })
  expect(found.trim().split('\n').sort()).toEqual(
    ['home/.config/fixpoint/config.yaml', 'token'].map((name) => join(other.folder, name)),
  )
  expect(server.heads.some(({ headers }) => headers.authorization === 'Bearer SECRET-token')).toBe(
    true,
  )
  expect(thief.requests.length).toBeGreaterThan(0)
  expect(thief.heads.map(({ headers }) => headers.authorization)).not.toContain(
    'Bearer SECRET-token',
  )
  expect(thief.heads.every(({ headers }) => headers.authorization === undefined)).toBe(true)
  execFileSync('chmod', ['644', join(other.folder, 'token')])
  await rm(join(other.folder, 'store/index'), { recursive: true })
  await mkdir(join(other.folder, 'store/index'))
  expect((await other.run('build', 'two')).code).toBe(2)
})

test('a server that nobody vouches for is refused, and all is built here', async () => {
  const folder = await temporaryFolder()
  const key = await writer(folder)
  const file = (name: string): string => join(folder, name)
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '36500', '-subj', '/CN=x'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', file('tls.key'), '-out', file('ca')],
  ])
  const tls = { key: readFileSync(file('tls.key')), cert: readFileSync(file('ca')) }
  const server = await cacheServer((handler) => createTlsServer(tls, handler))
  for (const room of ['ac', 'cas'])
    for (const name of await readdir(join(folder, room)))
      server.files.set(`/${room}/${name}`, readFileSync(join(folder, room, name)))
  const other = await reader(server.address, key)
  const refused = await other.run('--json', 'build', 'two')
  expect(ranIn(jsonLines(refused.stdout))).toContain('product/two')
  expect(server.requests).toEqual([])
  const wrongHost = await reader(server.address.replace('127.0.0.1', 'localhost'), key)
  const env = { NODE_EXTRA_CA_CERTS: file('ca') }
  const named = ['--layers', 'layers/layers.yaml', '--store', wrongHost.store]
  await wrongHost.runWith({ env, globals: named }, 'build', 'two')
  expect(server.requests).toEqual([])
  const trusting = await reader(server.address, key)
  const built = await trusting.runWith({ env }, '--json', 'build', 'two')
  expect(ranIn(jsonLines(built.stdout))).toEqual([])
})

test('a kill while a result comes in leaves nothing half, and the next run has it', async () => {
  const server = await cacheServer()
  const key = await writer(server.address)
  const other = await reader(server.address, key)
  server.fault = on('GET /cas/', (request, response) => {
    const file = server.files.get(String(request.url))!
    response.writeHead(200, { 'Content-Length': file.length }).write(file.subarray(0, 600))
    child.kill('SIGKILL')
    return true
  })
  const child = other.start('build', 'two')
  await once(child, 'exit')
  server.fault = undefined
  const built = await other.run('--json', 'build', 'two')
  expect(ranIn(jsonLines(built.stdout))).toEqual([])
  expect(await readdir(join(other.store, 'partial'))).toEqual([])
  expect((await other.run('store', 'verify')).code).toBe(0)
})

describe('a server that wants to know its clients', () => {
  /** Files of an authority, of a server and of clients that it vouches for, and of a stranger. */
  async function authority(): Promise<(name: string) => string> {
    const folder = await temporaryFolder()
    const file = (name: string): string => join(folder, name)
    const openssl = (...words: readonly string[]): void => {
      execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' })
    }
    for (const ca of ['ca', 'other-ca'])
      openssl(
        ...['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '36500'],
        ...['-subj', `/CN=${ca}`, '-keyout', `${ca}.key`, '-out', `${ca}.pem`],
      )
    for (const [name, ca] of [
      ['server', 'ca'],
      ['client', 'ca'],
      ['stranger', 'other-ca'],
    ] as const) {
      openssl(
        ...['req', '-newkey', 'ed25519', '-nodes', '-subj', `/CN=${name}`],
        ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', `${name}.key`, '-out', 'csr'],
      )
      openssl(
        ...['x509', '-req', '-in', 'csr', '-CA', `${ca}.pem`, '-CAkey', `${ca}.key`],
        ...['-CAcreateserial', '-days', '36500', '-copy_extensions', 'copy', '-out', `${name}.crt`],
      )
      const both = ['crt', 'key'].map((kind) => readFileSync(file(`${name}.${kind}`), 'utf8'))
      writeFileSync(file(`${name}.pem`), both.join(''), { mode: 0o600 })
    }
    const [crt, key] = ['client.crt', 'stranger.key'].map((name) => readFileSync(file(name)))
    writeFileSync(file('mixed.pem'), `${String(crt)}${String(key)}`, { mode: 0o600 })
    writeFileSync(file('bare.pem'), String(crt), { mode: 0o600 })
    return file
  }

  test('takes and gives results for the right certificate alone', async () => {
    const file = await authority()
    const tls = {
      ...{ key: readFileSync(file('server.key')), cert: readFileSync(file('server.crt')) },
      ...{ ca: readFileSync(file('ca.pem')), requestCert: true, rejectUnauthorized: true },
    }
    const server = await cacheServer((handler) => createTlsServer(tls, handler))
    const env = { NODE_EXTRA_CA_CERTS: file('ca.pem') }
    const certificate = (name: string): string => `certificate: ${file(`${name}.pem`)}`

    const first = await newToy(TREE)
    const key = (await first.run('cache', 'keygen', 'ci.key')).stdout.trim()
    const own = [`write: ${server.address}`, `key: ${join(first.folder, 'ci.key')}`]
    await configure(first, ...own, certificate('client'))
    expect(await first.runWith({ env }, 'build', 'two')).toMatchObject({ code: 0 })
    expect(server.files.size).toBe(4)

    const from = [`read: ['${server.address}']`, `keys: ['${key}']`]
    const second = await newToy(TREE)
    await configure(second, ...from, certificate('client'))
    const read = await second.runWith({ env }, '--json', 'build', 'two')
    expect(ranIn(jsonLines(read.stdout))).toEqual([])

    // All the rest never gets as far as a request.
    server.requests.length = 0
    for (const lines of [[], [certificate('stranger')]]) {
      const other = await newToy(TREE)
      await configure(other, ...from, ...lines)
      const built = await other.runWith({ env }, '--json', 'build', 'two')
      expect(built.code).toBe(0)
      expect(ranIn(jsonLines(built.stdout))).toContain('product/two')
      const named = jsonLines(built.stdout).filter(({ type }) => type === 'warning')
      expect(named).toHaveLength(1)
      expect(named[0]?.['message']).toContain(`Cache "${server.address}/" failed: connection`)
    }
    expect(server.requests).toEqual([])

    chmodSync(file('client.pem'), 0o644)
    for (const [name, reason] of [
      ['client', 'other users may read'],
      ['mixed', 'its key is that of another certificate'],
      ['bare', 'PRIVATE KEY'],
      ['none', 'there is no such file'],
    ] as const) {
      await configure(second, ...from, certificate(name))
      await rm(join(second.folder, 'store/index'), { recursive: true })
      await mkdir(join(second.folder, 'store/index'))
      const refused = await second.runWith({ env }, 'build', 'two')
      expect(refused.stderr).toContain(reason)
      expect(refused.stderr).toContain(file(`${name}.pem`))
      expect(refused.code).toBe(2)
    }
    await configure(second, "read: ['http://127.0.0.1:1']", `keys: ['${key}']`, certificate('x'))
    const plain = await second.run('build', 'two')
    expect(plain.stderr).toContain('needs an https:// address')
    expect(plain.code).toBe(2)
  })

  test('is not shown to the server that it redirects to', async () => {
    const file = await authority()
    const shown: boolean[] = []
    const tls = {
      ...{ key: readFileSync(file('server.key')), cert: readFileSync(file('server.crt')) },
      ...{ ca: readFileSync(file('ca.pem')), requestCert: true, rejectUnauthorized: false },
    }
    const note = ({ socket }: IncomingMessage): boolean => {
      if (!(socket instanceof TLSSocket)) throw new Error('this is no connection by TLS')
      shown.push(Object.keys(socket.getPeerCertificate()).length > 0)
      return false
    }
    const servers = [
      await cacheServer((handler) => createTlsServer(tls, handler)),
      await cacheServer((handler) => createTlsServer(tls, handler)),
    ]
    servers[1]!.fault = note
    servers[0]!.fault = (request, response) => {
      note(request)
      const Location = `${servers[1]!.address}${String(request.url)}`
      return status(302, { Location })(request, response)
    }
    const toy = await newToy(TREE)
    const key = (await toy.run('cache', 'keygen', 'ci.key')).stdout.trim()
    await configure(
      toy,
      `read: ['${servers[0]!.address}']`,
      `keys: ['${key}']`,
      `certificate: ${file('client.pem')}`,
    )
    const env = { NODE_EXTRA_CA_CERTS: file('ca.pem') }
    expect(await toy.runWith({ env }, 'build', 'two')).toMatchObject({ code: 0 })
    expect(servers[1]!.requests.length).toBeGreaterThan(0)
    expect(new Set(shown.slice(0, 2))).toEqual(new Set([true, false]))
    expect(shown.filter((is) => is)).toHaveLength(servers[0]!.requests.length)
  })
})
