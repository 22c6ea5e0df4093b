import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { CONTENT, DIGEST, inTurn, ranged, source, useRig, whole, type Handler } from './rig.ts'

const rig = useRig()

/** Sends bytes for as long as the other side takes them; counts them. */
function endless(
  head: Record<string, string | number> = {},
  status = 200,
): { handler: Handler; sent: () => number } {
  let sent = 0
  function* pour(): Generator<Buffer> {
    for (;;) {
      sent += CONTENT.length
      yield CONTENT
    }
  }
  const handler: Handler = (_, response) => {
    const stream = Readable.from(pour())
    response.writeHead(status, head)
    response.on('close', () => stream.destroy())
    stream.pipe(response)
  }
  return { handler, sent: () => sent }
}

test('a body without an end is given up at the limit, and nothing of it stays', async () => {
  const { handler, sent } = endless()
  const { address, requests } = await rig().serve(handler)
  const good = await rig().serve(whole())
  await rig()
    .fetcher({ limits: { bytes: 4 * CONTENT.length } })
    .fetch(source([`${address}/a`, `${good.address}/b`]))
  expect(requests).toHaveLength(1)
  // The limit, and what fits into the buffers on the way.
  expect(sent()).toBeLessThan(64 * CONTENT.length)
  expect(await rig().store.partials()).toEqual([])
})

test('a file that is said to be larger than the limit is not begun', async () => {
  const { address } = await rig().serve(endless({ 'Content-Length': 2 ** 40 }).handler)
  const fetcher = rig().fetcher()
  await expect(fetcher.fetch(source([`${address}/f.tar`]))).rejects.toMatchObject({
    code: 'source-unavailable',
  })
  expect(rig().eventTypes()).not.toContain('fetch-progress')
  expect(await rig().store.partials()).toEqual([])
})

test('a copy is bound by the limit as well', async () => {
  const path = await rig().write('there/f.tar', CONTENT)
  const fetcher = rig().fetcher({ limits: { bytes: CONTENT.length - 1 } })
  await expect(fetcher.fetch(source([`file:${path}`]))).rejects.toMatchObject({
    code: 'source-unavailable',
  })
  await rig()
    .fetcher({ limits: { bytes: CONTENT.length } })
    .fetch(source([`file:${path}`]))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('the rest of a file without an end: stopped at the size of the file, then from the start', async () => {
  const half = CONTENT.length / 2
  const path = rig().store.partialPath(DIGEST)
  const range = `bytes ${String(half)}-${String(CONTENT.length - 1)}/${String(CONTENT.length)}`
  const { handler, sent } = endless({ 'Content-Range': range, ETag: '"a"' }, 206)
  const { address, requests } = await rig().serve(inTurn(handler, ranged(CONTENT, '"a"')))
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, CONTENT.subarray(0, half))
  await writeFile(`${path}.json`, JSON.stringify({ address: `${address}/f.tar`, etag: '"a"' }))
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests.map(({ headers }) => headers.range)).toEqual([
    `bytes=${String(half)}-`,
    undefined,
  ])
  expect(sent()).toBeLessThan(64 * CONTENT.length)
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('a server that sends a byte now and then is given up, and what came is gone on with', async () => {
  const drip: Handler = (_, response) => {
    response.writeHead(200, { 'Content-Length': CONTENT.length, ETag: '"a"' })
    let sent = 0
    const timer = setInterval(() => response.write(CONTENT.subarray(sent, ++sent)), 5)
    response.on('close', () => {
      clearInterval(timer)
    })
  }
  const { address, requests } = await rig().serve(inTurn(drip, ranged(CONTENT, '"a"')))
  await rig()
    .fetcher({ limits: { pace: { bytes: 1000, ms: 100 } } })
    .fetch(source([`${address}/f.tar`]))
  expect(requests).toHaveLength(2)
  expect(requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/)
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})
