import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { hostPartName } from '../../../src/base/part-name.ts'
import { FolderCache } from '../../../src/remote/folder-cache.ts'
import { HttpCache } from '../../../src/remote/http-cache.ts'
import { takeLock } from '../../../src/store/local/lock.ts'
import { sleep } from '../../../src/fetch/sleep.ts'
import { cacheServer, on, status, type CacheServer } from '../../support/cache-server.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const BYTES = Buffer.from('the bytes of a blob')
const DIGEST = digestOf(BYTES)
const { signal } = new AbortController()

describe('a blob on a server', () => {
  const limits = { connectMs: 1_000, idleMs: 500, redirects: 5, bytes: 1 << 20, delays: [] }
  const cacheOf = ({ address }: CacheServer): HttpCache =>
    new HttpCache(address, {
      ...{ headers: {}, identity: undefined, sleep, longestWaitMs: 1 },
      limits: { ...limits, pace: { bytes: 1, ms: 1_000 } },
    })
  const has = (server: CacheServer): Promise<boolean> =>
    cacheOf(server).hasBlob(DIGEST, BYTES.length, signal)

  test('of another size is not there', async () => {
    const server = await cacheServer()
    expect(await has(server)).toBe(false)
    server.files.set(`/cas/${DIGEST}`, BYTES.subarray(1))
    expect(await has(server)).toBe(false)
    server.files.set(`/cas/${DIGEST}`, BYTES)
    expect(await has(server)).toBe(true)
  })

  test('of which no size is stated is there', async () => {
    const server = await cacheServer()
    server.fault = (_, response) => {
      response.writeHead(200).end()
      return true
    }
    expect(await has(server)).toBe(true)
  })

  test.each([301, 302, 307, 308])(
    'that is sent elsewhere by status %d says where',
    async (code) => {
      const server = await cacheServer()
      server.fault = on('PUT', status(code, { Location: '/other/place?SECRET' }))
      const path = join(await temporaryFolder(), 'blob')
      writeFileSync(path, BYTES)
      const put = cacheOf(server).putBlob(DIGEST, path, BYTES.length, signal)
      const message = `HTTP status ${code}, it redirects to "${server.address}/other/place": name`
      await expect(put).rejects.toThrow(message)
    },
  )
})

describe('a cache in a folder', () => {
  test('that is not there, or is none, is a fault', async () => {
    const root = join(await temporaryFolder(), 'cache')
    const asks = (): Promise<unknown> => new FolderCache(root).record(DIGEST)
    await expect(asks()).rejects.toThrow('there is no such folder')
    writeFileSync(root, 'a file')
    await expect(asks()).rejects.toThrow('it is no folder')
  })

  test('that is new has nothing; one with a file in place of a folder is a fault', async () => {
    const root = await temporaryFolder()
    const cache = new FolderCache(root)
    expect(await cache.record(DIGEST)).toBeUndefined()
    expect(await cache.hasBlob(DIGEST, 1)).toBe(false)
    for (const room of ['ac', 'cas']) writeFileSync(join(root, room), 'a file')
    await expect(cache.record(DIGEST)).rejects.toThrow(/ac" is no folder$/)
    await expect(cache.hasBlob(DIGEST, 1)).rejects.toThrow(/cas" is no folder$/)
    await expect(cache.putRecord(DIGEST, BYTES)).rejects.toThrow(/ac": it is no folder/)
  })

  test('compares bytes where it is asked to', async () => {
    const root = await temporaryFolder()
    mkdirSync(join(root, 'cas'))
    const cache = new FolderCache(root)
    const is = async (): Promise<boolean[]> => [
      await cache.hasBlob(DIGEST, BYTES.length),
      await cache.hasSoundBlob(DIGEST, BYTES.length, signal),
    ]
    const path = join(root, 'cas', DIGEST)
    writeFileSync(path, BYTES)
    expect(await is()).toEqual([true, true])
    writeFileSync(path, Buffer.from(BYTES).fill('x', 0, 1))
    expect(await is()).toEqual([true, false])
    writeFileSync(path, BYTES.subarray(1))
    expect(await is()).toEqual([false, false])
  })

  test('loses what killed runs of this host left, but not while one writes', async () => {
    const root = await temporaryFolder()
    mkdirSync(join(root, 'cas'))
    const parts = [hostname(), 'another host'].map((host) => hostPartName(host))
    for (const part of parts) writeFileSync(join(root, 'cas', part), 'cut')
    const put = (): Promise<void> => new FolderCache(root).putRecord(DIGEST, BYTES)
    const names = async (): Promise<string[]> => (await readdir(join(root, 'cas'))).sort()

    const other = await takeLock(root, { shared: true })
    await put()
    expect(await names()).toEqual([...parts].sort())
    await other?.release()

    await put()
    expect(await names()).toEqual([parts[1]])
    expect(readFileSync(join(root, 'ac', DIGEST))).toEqual(BYTES)
    expect(await readdir(join(root, 'ac'))).toEqual([DIGEST])
  })
})
