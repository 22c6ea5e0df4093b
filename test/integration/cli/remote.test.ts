import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  commandLine,
  jsonLines,
  makes,
  onSmallDisk,
  ONE_TREE,
  WITHOUT_NAMESPACES,
  type Ended,
} from '../../support/cli.ts'
import { proxyTo, type Proxy } from '../../support/reapi-proxy.ts'
import { hasServer, hostRunner, reapiServer } from '../../support/reapi.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { configureIn } from '../../support/user-config.ts'

const newToy = commandLine()
const configure = configureIn('remote')

const BAD: readonly (readonly [string, readonly string[]])[] = [
  ['an address of another kind', ['address: http://127.0.0.1:1']],
  ['a password in the address', ["address: 'grpcs://me:word@127.0.0.1:1'"]],
  ['another machine without TLS', ["address: 'grpc://10.0.0.1:1'"]],
  ['a token without TLS', ["address: 'grpc://10.0.0.1:1'", 'insecure: true', 'token: t']],
  ['a certificate without its key', ["address: 'grpcs://127.0.0.1:1'", 'certificate: c']],
  ['a certificate without TLS', ["address: 'grpc://127.0.0.1:1'", 'ca: c']],
  ['no address', ['jobs: 3']],
  ['too many jobs', ["address: 'grpc://127.0.0.1:1'", 'jobs: 1001']],
]

test.each(BAD)('%s in the configuration is named with its line', async (_, lines) => {
  const toy = await newToy(ONE_TREE)
  await configure(toy, ...lines)
  const ended = await toy.run('build', 'one')
  expect(ended.code).toBe(2)
  expect(ended.stderr).toMatch(/config\.yaml:\d+/)
})

test('--remote-only without a server is refused', async () => {
  const toy = await newToy(ONE_TREE)
  const ended = await toy.run('build', '--remote-only', 'one')
  expect(ended.code).toBe(2)
  expect(ended.stderr).toContain('remote:')
})

test('a server that is not there: built here, with a warning; not with --remote-only', async () => {
  const toy = await newToy(ONE_TREE)
  await configure(toy, "address: 'grpc://127.0.0.1:1'")
  const refused = await toy.run('build', '--remote-only', 'one')
  expect(refused.code).toBe(6)
  expect(refused.stderr).toContain('remote "127.0.0.1:1" failed')
  expect(await toy.run('build', '--local', 'one')).toMatchObject({ code: 0 })
  const again = await newToy(ONE_TREE)
  await configure(again, "address: 'grpc://127.0.0.1:1'")
  const built = await again.run('build', 'one')
  expect(built.code).toBe(0)
  expect(built.stderr).toContain('warning: Remote "127.0.0.1:1" failed')
})

test('a server that is none of gRPC fails --remote-only, and nothing is left', async () => {
  const server = createServer((_, response) => response.writeHead(404).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const toy = await newToy(ONE_TREE)
  const { port } = server.address() as AddressInfo
  await configure(toy, `address: 'grpc://127.0.0.1:${port}'`)
  const refused = await toy.run('build', '--remote-only', 'one')
  expect(refused.stderr).toContain('does not speak HTTP/2')
  expect(refused.stderr).toContain('build product/one`')
  expect(refused.code).toBe(6)
  expect(await readdir(join(toy.store, 'work'))).toEqual([])
})

describe.skipIf(!hasServer)('with a server', () => {
  const server = reapiServer()
  const runner = hostRunner()

  const placeOf = ({ stdout }: Ended): unknown =>
    jsonLines(stdout).find(
      ({ type, recipe }) => type === 'action-end' && recipe === 'product/one',
    )?.['place']

  test('events, why, log and plan say where a result came from', async () => {
    const toy = await newToy(ONE_TREE)
    await configure(toy, `address: 'grpc://127.0.0.1:${server().port}'`, `runner: ${runner()}`)
    const built = await toy.run('--json', 'build', '--remote-only', 'one')
    const name = `127.0.0.1:${server().port}`
    expect(placeOf(built)).toBe(`remote ${name}`)
    expect((await toy.run('why', 'one')).stdout).toContain(`run by ${name}`)
    expect((await toy.run('build', '-n', 'one')).stdout).toContain(`stored, run by ${name}`)
    const log = await toy.run('log', 'one')
    expect(log.code).toBe(0)
    expect(log.stderr).toContain(`run by ${name}`)
    const here = await newToy(ONE_TREE)
    const local = await here.run('build', 'one')
    const target = jsonLines(built.stdout).find(({ type }) => type === 'target')
    expect(local.stdout).toContain(String(target?.['artifact']))
  })

  test('--remote-only needs no sandbox here, even if the server is busy', async () => {
    const names = ['one', 'two', 'three']
    const toy = await newToy(
      Object.fromEntries([
        ...Object.entries(ONE_TREE),
        ...names.map((name) => [
          `layers/product/${name}/recipe.yaml`,
          makes(name, `of ${name}`, 'inputs: [bootstrap/tools]'),
        ]),
      ]) as typeof ONE_TREE,
    )
    expect(await toy.run('build', 'bootstrap/tools')).toMatchObject({ code: 0 })
    const lines = [`address: 'grpc://127.0.0.1:${server().port}'`, `runner: ${runner()}`]
    await configure(toy, ...lines, 'jobs: 1')
    const wrap = WITHOUT_NAMESPACES
    const built = await toy.runWith({ wrap }, '--json', 'build', '--remote-only', ...names)
    expect(built.stderr).toBe('')
    expect(built.code).toBe(0)
  })

  test('a full disk here is an error of this machine', async () => {
    const toy = await newToy(ONE_TREE)
    await configure(toy, `address: 'grpc://127.0.0.1:${server().port}'`, `runner: ${runner()}`)
    await toy.write({
      'layers/product/one/recipe.yaml': makes('one', 'x', 'inputs: [bootstrap/tools]').replace(
        /echo .*/,
        'for n in 1 2 3 4 5 6 7 8; do for m in 1 2 3 4 5 6 7 8; do ' +
          'cat /usr/bin/cp /usr/bin/tar /usr/bin/ls /lib/*/libc.so.6 /lib64/* || :; ' +
          'done; done 2>/dev/null > "$OUT/big"',
      ),
    })
    execFileSync('mkdir', ['-p', toy.store])
    const wrap = onSmallDisk(toy.store, 96)
    const ended = await toy.runWith({ wrap }, 'build', '--remote-only', 'one')
    expect(ended.stderr).toMatch(/build product\/one on remote/)
    expect(ended.stderr).toContain('disk is full')
    expect(ended.code).toBe(6)
  })

  /** A proxy that talks TLS, and wants a certificate and a token. */
  const secured = async (): Promise<{ proxy: Proxy; folder: string; seen: Set<string> }> => {
    const folder = await temporaryFolder()
    const file = (name: string): string => join(folder, name)
    for (const name of ['server', 'client'])
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '36500', '-subj', '/CN=x'],
          ...['-addext', 'subjectAltName=IP:127.0.0.1'],
          ...['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
        ],
        { stdio: 'ignore' },
      )
    chmodSync(file('client.key'), 0o600)
    writeFileSync(file('token'), 'SECRET-1\n', { mode: 0o600 })
    const seen = new Set<string>()
    const proxy = await proxyTo(`http://127.0.0.1:${server().port}`, {
      key: readFileSync(file('server.key')),
      cert: readFileSync(file('server.pem')),
      ca: readFileSync(file('client.pem')),
      requestCert: true,
      rejectUnauthorized: true,
    })
    proxy.rule = (call) => {
      seen.add(String(call.headers['authorization']))
      if (call.headers['authorization'] === 'Bearer SECRET-1') call.pass()
      else call.status(16, 'wrong token')
    }
    return { proxy, folder, seen }
  }

  test('TLS, a certificate of the client and a token from a file', async () => {
    const { proxy, folder, seen } = await secured()
    const lines = [
      `address: 'grpcs://127.0.0.1:${proxy.port}'`,
      `runner: ${runner()}`,
      `ca: ${join(folder, 'server.pem')}`,
      `certificate: ${join(folder, 'client.pem')}`,
      `key: ${join(folder, 'client.key')}`,
      `token: ${join(folder, 'token')}`,
    ]
    const toy = await newToy(ONE_TREE)
    await configure(toy, ...lines)
    const built = await toy.run('--json', 'build', '--remote-only', 'one')
    expect(placeOf(built)).toBe(`remote 127.0.0.1:${proxy.port}`)
    expect([...seen]).toEqual(['Bearer SECRET-1'])
    expect(built.stdout + built.stderr).not.toContain('SECRET')

    // Nobody vouches for the server, or for the client: it is built here.
    for (const left of ['ca', 'certificate']) {
      const wrong = await newToy(ONE_TREE)
      const most = lines.filter(
        (line) => !line.startsWith(left) && !(left === 'certificate' && line.startsWith('key')),
      )
      await configure(wrong, ...most)
      const ended = await wrong.run('--json', 'build', 'one')
      expect(placeOf(ended)).toBe('local')
    }

    // A token that is not accepted is named, but not shown; one that others may read is refused.
    writeFileSync(join(folder, 'token'), 'SECRET-2\n')
    const stranger = await newToy(ONE_TREE)
    await configure(stranger, ...lines)
    const refused = await stranger.run('--json', 'build', '--remote-only', 'one')
    expect(refused.code).toBe(6)
    expect(refused.stderr).toContain('wrong token')
    expect(refused.stdout + refused.stderr).not.toContain('SECRET')
    chmodSync(join(folder, 'token'), 0o644)
    const open = await stranger.run('build', '--remote-only', 'one')
    expect(open.code).toBe(2)
    expect(open.stderr).toContain('other users may read')
  })
})
