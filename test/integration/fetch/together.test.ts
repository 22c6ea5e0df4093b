import { EventEmitter, once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { CONTENT, DIGEST, ranged, source, status, useRig, whole } from './rig.ts'

const rig = useRig()
const NEVER = new AbortController().signal

/**
 * A server that holds its answers back until the test lets them go. Files count once, however often
 * they are asked for, as after a pause of the machine.
 */
async function held(): Promise<{
  address: string
  files: () => number
  arrived: (count: number) => Promise<void>
  release: () => void
  releaseAll: () => void
}> {
  const waiting: ServerResponse[] = []
  let holds = true
  const changed = new EventEmitter()
  const { address, requests } = await rig().serve((_, response) => {
    if (holds) waiting.push(response)
    else response.end(CONTENT)
    changed.emit('request')
  })
  const files = (): number => new Set(requests.map(({ url }) => url)).size
  const release = (): void => {
    for (const response of waiting.splice(0)) response.end(CONTENT)
  }
  return {
    address,
    files,
    async arrived(count) {
      while (files() < count) await once(changed, 'request')
    },
    release,
    releaseAll() {
      holds = false
      release()
    },
  }
}

test('two requests for the same digest are one download', async () => {
  const { address, requests } = await rig().serve(whole())
  const fetcher = rig().fetcher()
  await Promise.all([
    fetcher.fetch(source([`${address}/f.tar`])),
    fetcher.fetch(source([`${address}/f.tar`])),
    fetcher.fetch(source([`${address}/other/f.tar`])),
  ])
  expect(requests).toHaveLength(1)
})

test('two engines on one store: one downloads, the other finds it there', async () => {
  const { address, requests } = await rig().serve(whole())
  const twice = [rig().fetcher(), rig().fetcher()].map((fetcher) =>
    fetcher.fetch(source([`${address}/f.tar`])),
  )
  await Promise.all(twice)
  expect(requests).toHaveLength(1)
  expect(await rig().store.partials()).toEqual([])
})

test('two engines that want a new file from one place: the second waits for the first', async () => {
  const pieces = [CONTENT.subarray(0, 1000), CONTENT.subarray(1000)]
  const { address, requests } = await rig().serve((_, response) => {
    response.writeHead(200, { 'Content-Length': CONTENT.length })
    response.write(pieces[0])
    setTimeout(() => response.end(pieces[1]), 50)
  })
  const twice = [1, 2].map(() => rig().fetcher().fetchNew(`${address}/f-1.tar`, NEVER))
  const found = await Promise.all(twice)
  expect(found.map(({ digest }) => digest)).toEqual([DIGEST, DIGEST])
  expect(requests).toHaveLength(2)
  expect(await rig().store.read(DIGEST)).toEqual(CONTENT)
  expect(await rig().store.partials()).toEqual([])
})

test('who names other places succeeds where another with the same digest failed', async () => {
  const bad = await rig().serve(status(404))
  const good = await rig().serve(whole())
  const fetcher = rig().fetcher()
  const results = await Promise.allSettled([
    fetcher.fetch(source([`${bad.address}/f`])),
    fetcher.fetch(source([`${good.address}/f`])),
  ])
  expect(results[1]).toMatchObject({ status: 'fulfilled' })
})

test('at most `jobs` sources are under way at once', async () => {
  const server = await held()
  const fetcher = rig().fetcher({ jobs: 2 })
  const all = Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((name) =>
      fetcher.fetch(source([`${server.address}/${name}`], { sha256: digestOf(name), name })),
    ),
  )
  for (const count of [2, 4, 5]) {
    await server.arrived(count)
    expect(server.files()).toBe(count)
    server.release()
  }
  server.releaseAll()
  await all
})

test('abort: stops at once, keeps the part, and the next run goes on with it', async () => {
  const begun = new EventEmitter()
  const { address, requests } = await rig().serve((request, response) => {
    if (requests.length > 1) {
      ranged(CONTENT, '"a"')(request, response)
      return
    }
    response.writeHead(200, { 'Content-Length': CONTENT.length, ETag: '"a"' })
    response.write(CONTENT.subarray(0, 1000))
  })
  const controller = new AbortController()
  const fetcher = rig().fetcher({
    emit: (event) => {
      if (event.type === 'fetch-progress') begun.emit('bytes')
    },
  })
  const bytes = once(begun, 'bytes')
  const attempt = fetcher.fetch(source([`${address}/f.tar`]), controller.signal)
  await bytes
  controller.abort()
  await expect(attempt).rejects.toMatchObject({ kind: 'interrupted', code: 'interrupted' })
  expect(await rig().store.partials()).toEqual([DIGEST, `${DIGEST}.json`])
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests[1]?.headers.range).toBe('bytes=1000-')
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('abort while waiting for a turn, for another engine, and between attempts', async () => {
  const server = await held()
  const looked = new EventEmitter()
  const has = (digest: Digest): boolean => {
    const found = rig().store.blobs.has(digest)
    // Told a moment later, when the request is in the queue.
    setImmediate(() => looked.emit('has'))
    return found
  }
  const { store } = rig()
  const busy = rig().fetcher({ jobs: 1, store: { ...store, blobs: { ...store.blobs, has } } })
  const first = busy.fetch(source([`${server.address}/f.tar`]))
  await server.arrived(1)

  for (const until of [() => undefined, () => once(looked, 'has')]) {
    const turn = new AbortController()
    const queued = busy.fetch(source([], { sha256: digestOf('') }), turn.signal)
    await until()
    turn.abort()
    await expect(queued).rejects.toMatchObject({ code: 'interrupted' })
  }

  const lock = new AbortController()
  const locked = rig()
    .fetcher()
    .fetch(source([`${server.address}/f.tar`]), lock.signal)
  lock.abort()
  await expect(locked).rejects.toMatchObject({ code: 'interrupted' })
  server.release()
  await first

  const failing = await rig().serve(status(500))
  const pause = new AbortController()
  const between = rig().fetcher({
    sleep: (_, signal) => {
      pause.abort()
      signal.throwIfAborted()
      return Promise.resolve()
    },
  })
  await expect(
    between.fetch(source([`${failing.address}/x`], { sha256: digestOf('') }), pause.signal),
  ).rejects.toMatchObject({ code: 'interrupted' })
})

test('a store that cannot be written to is no fault of the places', async () => {
  const { address, requests } = await rig().serve(whole())
  await mkdir(rig().store.partialPath(DIGEST), { recursive: true })
  await expect(
    rig()
      .fetcher()
      .fetch(source([`${address}/a`, `${address}/b`])),
  ).rejects.toMatchObject({ kind: 'hostUnfit', code: 'staging-unwritable' })
  expect(requests).toHaveLength(1)
})
