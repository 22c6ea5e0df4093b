import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Digest } from '../../../src/base/digest.ts'
import type { BuildResult } from '../../../src/build/build.ts'
import type { SigningKey } from '../../../src/remote/keys.ts'
import { formatRecord, recordName, type ResultRecord } from '../../../src/remote/record.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import {
  cacheServer,
  on,
  sends,
  status,
  type CacheServer,
  type Fault,
} from '../../support/cache-server.ts'
import {
  artifactOf,
  eventsOf,
  failureOf,
  freshStore,
  id,
  storesWithTools,
} from '../../support/rig.ts'
import { type ToyStore } from '../../support/toy.ts'
import { buildWith, newKey, reading, SHORT, toy, toys, writing, type TestKey } from './rig.ts'

const withTools = storesWithTools()
const METADATA = toys(toy('a', 'a'), toy('b', 'b', ['a']))

/** A result of `base/b` as a cache has it. */
interface Filled {
  readonly server: CacheServer
  readonly ci: TestKey
  readonly artifact: Digest
  readonly key: Digest
  readonly record: ResultRecord
  /** Replaces the record of `base/b`. */
  readonly put: (record: object, signer?: SigningKey) => void
}

/** What someone wrote to a cache, once for all tests. */
let written: Omit<Filled, 'server' | 'put'> & { readonly files: ReadonlyMap<string, Buffer> }

test('a cache is filled', async () => {
  const [server, ci] = [await cacheServer(), await newKey('ci')]
  const toyStore = await withTools()
  const built = await buildWith(toyStore, METADATA, ['base/b'], writing(server.address, ci))
  const { key, artifact } = built.plan.get(id('base/b')) as { key: Digest; artifact: Digest }
  const { size } = toyStore.store.index.find(key)!
  const numbers = { durationMs: 1, cpuMs: 1, peakMemory: 1 }
  const record = {
    recipe: id('base/b'),
    ...{ key, artifact, size, builder: 'ci', engine: 'x' },
    ...numbers,
  }
  written = { ci, artifact, key, record, files: new Map(server.files) }
  expect(server.files.size).toBe(4)
})

/** A server that has that. */
async function filled(): Promise<Filled> {
  const server = await cacheServer()
  const { ci, key, record, files } = written
  for (const [path, bytes] of files) server.files.set(path, bytes)
  const put = (changed: object, signer: SigningKey | undefined = ci.key): void => {
    const name = `/ac/${recordName(key, ci.key)}`
    server.files.set(name, formatRecord({ ...record, ...changed }, signer))
  }
  return { ...written, server, put }
}

let cache: Filled

/** Builds `base/b` on a fresh store that reads the cache. */
async function read(toyStore: ToyStore): Promise<BuildResult> {
  const from = reading([cache.server.address], [cache.ci])
  return buildWith(toyStore, METADATA, ['base/b'], from, {}, SHORT)
}

/** What every fault has to come to: the right artifact, a sound store, nothing left over. */
async function expectRight(toyStore: ToyStore, result: BuildResult): Promise<void> {
  expect(artifactOf(result, 'base/b')).toBe(cache.artifact)
  expect(toyStore.store.blobs.has(cache.artifact)).toBe(true)
  expect(await verifyStore(toyStore.store)).toEqual([])
  expect(await readdir(join(toyStore.folder, 'partial'))).toEqual([])
}

const warnings = ({ events }: ToyStore): string[] =>
  eventsOf(events, 'warning').map(({ message }) => message)

describe('a server that fails', () => {
  const hangs: Fault = () => true
  const drops: Fault = (request) => {
    request.socket.destroy()
    return true
  }
  test.each<[string, Fault]>([
    ['answers 500', status(500)],
    ['answers 503 and asks for patience', status(503, { 'Retry-After': '0' })],
    ['answers 429', status(429)],
    ['answers 401', status(401)],
    ['never answers', hangs],
    ['cuts each connection', drops],
    ['redirects for ever', status(302, { Location: '/ac/again' })],
    ['sends records of 64 kB and a byte', sends(Buffer.alloc((64 << 10) + 1, 'x'))],
    ['sends a mebibyte of zeros', sends(Buffer.alloc(1 << 20))],
  ])('and %s: all is built here, with one warning', async (_, fault) => {
    cache = await filled()
    cache.server.fault = fault
    const toyStore = await withTools()
    const result = await read(toyStore)
    expect(result.ran).toEqual(['base/a', 'base/b'])
    await expectRight(toyStore, result)
    expect(warnings(toyStore)).toHaveLength(1)
  })

  test('and is not there', async () => {
    cache = await filled()
    await cache.server.end()
    const toyStore = await withTools()
    const result = await read(toyStore)
    expect(result.ran).toEqual(['base/a', 'base/b'])
    await expectRight(toyStore, result)
    expect(warnings(toyStore)).toHaveLength(1)
  })

  test('some times is asked again', async () => {
    cache = await filled()
    let first = true
    cache.server.fault = (request, response) => {
      if (!first) return false
      first = false
      return status(503)(request, response)
    }
    const toyStore = await withTools()
    expect((await read(toyStore)).ran).toEqual([])
    expect(warnings(toyStore)).toEqual([])
  })

  test('again and again is left alone for the rest of the build', async () => {
    cache = await filled()
    cache.server.fault = status(403)
    const toyStore = await withTools()
    const many = toys(...Array.from({ length: 24 }, (_, n) => toy(`m${String(n)}`, String(n))), {
      ...toy(
        'all',
        'all',
        Array.from({ length: 24 }, (_, n) => `m${String(n)}`),
      ),
    })
    const from = reading([cache.server.address], [cache.ci])
    await buildWith(toyStore, many, ['base/all'], from)
    // Sixteen are asked at once.
    expect(cache.server.requests.length).toBeLessThanOrEqual(18)
    expect(warnings(toyStore)).toHaveLength(1)
  })
})

describe('a blob that', () => {
  const blob = (change: (bytes: Buffer) => Buffer | undefined) => (): void => {
    const path = `/cas/${cache.artifact}`
    const changed = change(cache.server.files.get(path)!)
    if (changed === undefined) cache.server.files.delete(path)
    else cache.server.files.set(path, changed)
  }
  test.each<[string, () => void]>([
    ['was forgotten', blob(() => undefined)],
    ['is cut', blob((bytes) => bytes.subarray(0, 700))],
    ['is doubled', blob((bytes) => Buffer.concat([bytes, bytes]))],
    ['is a mebibyte of zeros', blob(() => Buffer.alloc(1 << 20))],
    ['is empty', blob(() => Buffer.alloc(0))],
    [
      'has a flipped bit',
      blob((bytes) => {
        const other = Buffer.from(bytes)
        other[600]! ^= 1
        return other
      }),
    ],
    [
      'ends in the middle',
      () => {
        const bytes = cache.server.files.get(`/cas/${cache.artifact}`)!
        cache.server.fault = on(`GET /cas/${cache.artifact}`, (_, response) => {
          response.writeHead(200, { 'Content-Length': bytes.length })
          response.write(bytes.subarray(0, 600), () => response.destroy())
          return true
        })
      },
    ],
    [
      'has no end',
      () => {
        cache.server.fault = on(`GET /cas/${cache.artifact}`, (_, response) => {
          response.writeHead(200)
          const more = (): void => {
            while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
          }
          response.on('drain', more).on('error', () => undefined)
          more()
          return true
        })
      },
    ],
  ])('%s is built here', async (_, spoil) => {
    cache = await filled()
    spoil()
    const toyStore = await withTools()
    const result = await read(toyStore)
    expect(result.ran).toEqual(['base/b'])
    await expectRight(toyStore, { ...result })
    expect(warnings(toyStore).join()).not.toContain('source')
  })
})

test('a blob that never comes is built here, and the cache is asked no more', async () => {
  cache = await filled()
  cache.server.fault = on(`GET /cas/${cache.artifact}`, () => true)
  const toyStore = await withTools()
  const result = await read(toyStore)
  expect(result.ran).toEqual(['base/a', 'base/b'])
  await expectRight(toyStore, result)
  expect(warnings(toyStore)).toHaveLength(1)
})

describe('a record', () => {
  test.each<[string, () => unknown]>([
    ['of an unknown signer', async () => cache.put({}, (await newKey('eve')).key)],
    [
      'that nobody signed',
      () =>
        cache.server.files.set(
          `/ac/${recordName(cache.key, cache.ci.key)}`,
          formatRecord(cache.record, undefined),
        ),
    ],
    ['of another action, replayed', () => cache.put({ key: cache.artifact })],
    ['with a negative size', () => cache.put({ size: -1 })],
    ['with a size of 2^53', () => cache.put({ size: 2 ** 53 })],
    ['with a broken size', () => cache.put({ size: 0.5 })],
    ['with a size as text', () => cache.put({ size: '3' })],
    ['with no digest', () => cache.put({ artifact: '../../etc/passwd' })],
    ['with a field more', () => cache.put({ more: 1 })],
    ['with a name that would move a cursor', () => cache.put({ recipe: 'a/b\u001b[2J' })],
    [
      'with a byte changed',
      () => {
        const path = `/ac/${recordName(cache.key, cache.ci.key)}`
        const bytes = Buffer.from(cache.server.files.get(path)!)
        bytes[bytes.indexOf('"recipe"') + 11]! ^= 1
        cache.server.files.set(path, bytes)
      },
    ],
    [
      'that is cut',
      () => {
        const path = `/ac/${recordName(cache.key, cache.ci.key)}`
        cache.server.files.set(path, cache.server.files.get(path)!.subarray(0, -9))
      },
    ],
  ])('%s is not believed', async (_, spoil) => {
    cache = await filled()
    await spoil()
    const toyStore = await withTools()
    const result = await read(toyStore)
    expect(result.ran).toEqual(['base/b'])
    await expectRight(toyStore, result)
    expect(warnings(toyStore)).toHaveLength(1)
    expect(warnings(toyStore).join()).not.toContain('\u001b')
  })

  test.each([-1, 1, 1 << 20])('that is signed and wrong by %d bytes', async (by) => {
    cache = await filled()
    cache.put({ size: cache.record.size + by })
    const toyStore = await withTools()
    const result = await read(toyStore)
    expect(result.ran).toEqual(['base/b'])
    await expectRight(toyStore, result)
  })
})

describe('signers who contradict', () => {
  const OTHER = 'f'.repeat(64)

  test('each other stop the build, which names both', async () => {
    cache = await filled()
    const eve = await newKey('eve')
    const record = { ...cache.record, artifact: OTHER as Digest }
    cache.server.files.set(`/ac/${recordName(cache.key, eve.key)}`, formatRecord(record, eve.key))
    const toyStore = await withTools()
    const from = reading([cache.server.address], [cache.ci, eve])
    const result = await buildWith(toyStore, METADATA, ['base/b'], from)
    const failure = failureOf(result, 'base/b')
    expect(failure).toMatchObject({ code: 'signers-differ', kind: 'notReproducible' })
    for (const part of ['ci', 'eve', cache.artifact, OTHER]) expect(failure.message).toContain(part)
    expect(toyStore.store.blobs.has(cache.artifact)).toBe(false)
  })

  test('what is recorded here, though its bytes are gone', async () => {
    cache = await filled()
    const toyStore = await withTools()
    const numbers = { durationMs: 1, cpuMs: 1, peakMemory: 1, size: 1 }
    const { key } = cache
    const other = { recipe: id('base/b'), key, artifact: OTHER as Digest, document: {} }
    await toyStore.store.index.record(key, { ...other, ...numbers })
    expect(failureOf(await read(toyStore), 'base/b')).toMatchObject({ code: 'two-results' })
  })

  test('what is built here, since their bytes cannot be had', async () => {
    cache = await filled()
    cache.put({ artifact: OTHER })
    const toyStore = await withTools()
    const failure = failureOf(await read(toyStore), 'base/b')
    expect(failure).toMatchObject({ code: 'two-results', kind: 'notReproducible' })
    for (const part of ['ci', cache.artifact, OTHER]) expect(failure.message).toContain(part)
    // What was built here is not lost.
    const next = await buildWith(toyStore, METADATA, ['base/b'], undefined)
    expect(next.ran).toEqual([])
    expect(artifactOf(next, 'base/b')).toBe(cache.artifact)
  })

  test('two are needed: one alone is not enough, but may still contradict', async () => {
    cache = await filled()
    const two = await newKey('two')
    const from = reading([cache.server.address], [cache.ci, two], 2)
    const toyStore = await withTools()
    const result = await buildWith(toyStore, METADATA, ['base/b'], from)
    expect(result.ran).toEqual(['base/a', 'base/b'])
    await buildWith(await withTools(), METADATA, ['base/b'], writing(cache.server.address, two))
    const read = await buildWith(await freshStore(), METADATA, ['base/b'], from)
    expect(read.ran).toEqual([])

    cache = await filled()
    cache.put({ artifact: OTHER })
    const wary = reading([cache.server.address], [cache.ci, two], 2)
    const wrong = await buildWith(await withTools(), METADATA, ['base/b'], wary)
    expect(failureOf(wrong, 'base/b')).toMatchObject({ code: 'two-results' })
  })
})

describe('a signed artifact that is hostile', () => {
  test('is a named error, and puts nothing anywhere', async () => {
    cache = await filled()
    const { digestOf } = await import('../../../src/base/digest.ts')
    const bytes = Buffer.alloc(2048)
    bytes.write('../x', 0)
    const digest = digestOf(bytes)
    cache.server.files.set(`/cas/${digest}`, bytes)
    cache.put({ artifact: digest, size: bytes.length })
    const toyStore = await withTools()
    const more = toys(toy('a', 'a'), toy('b', 'b', ['a']), toy('c', 'c', ['b']))
    const from = reading([cache.server.address], [cache.ci])
    const result = await buildWith(toyStore, more, ['base/c'], from)
    expect(failureOf(result, 'base/c')).toMatchObject({ kind: 'fetch' })
  })
})

describe('a server that does not take results', () => {
  const refuses: [string, Fault][] = [
    ['is full', on('PUT', status(507))],
    ['fails', on('PUT', status(500))],
    ['allows nothing', on('PUT', status(405))],
    ['sends uploads elsewhere', on('PUT', status(307, { Location: 'http://127.0.0.1:1/' }))],
    ['hangs', on('PUT', () => true)],
  ]
  test.each(refuses)('because it %s fails no build', async (_, fault) => {
    const [server, ci] = [await cacheServer(), await newKey('ci')]
    server.fault = fault
    const toyStore = await withTools()
    const to = writing(server.address, ci)
    const result = await buildWith(toyStore, METADATA, ['base/b'], to, {}, SHORT)
    expect(result.ran).toEqual(['base/a', 'base/b'])
    expect(warnings(toyStore)).toEqual([expect.stringContaining('are only here')])
    expect([...server.files.keys()].filter((path) => path.startsWith('/ac/'))).toEqual([])
  })
})

test('two engines that pull the same result at once', async () => {
  cache = await filled()
  const toyStore = await freshStore()
  const { nextSession } = await import('../../support/rig.ts')
  const other = await nextSession(toyStore.folder)
  const [one, two] = await Promise.all([read(toyStore), read(other)])
  expect([one.ran, two.ran]).toEqual([[], []])
  await expectRight(toyStore, one)
  expect(cache.server.requests.filter((line) => line.includes('/cas/'))).toHaveLength(1)
})
