import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
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
} from './rig.ts'

const HALF = CONTENT.length / 2
const rig = useRig()

/** Leaves a part as a killed run does. */
async function leavePart(address: string, bytes: Buffer, origin: object = {}): Promise<void> {
  const path = rig().store.partialPath(DIGEST)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
  await writeFile(`${path}.json`, JSON.stringify({ address: `${address}/f.tar`, ...origin }))
}

async function expectStored(): Promise<void> {
  expect((await rig().store.read(DIGEST)).equals(CONTENT)).toBe(true)
  expect(await rig().store.partials()).toEqual([])
}

test('a truncated download goes on where it stopped', async () => {
  const { address, requests } = await rig().serve(
    inTurn(cut(HALF, { ETag: '"a"' }), ranged(CONTENT, '"a"')),
  )
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  await expectStored()
  expect(requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' })
  const start = Number(/^bytes=(\d+)-$/.exec(requests[1]?.headers.range ?? '')?.[1])
  expect(start).toBeGreaterThan(0)
  expect(requests[1]?.headers['if-range']).toBe('"a"')
  expect(requests).toHaveLength(2)
  expect(rig().waits).toEqual([1000])
  expect(
    rig()
      .eventTypes()
      .filter((type) => type !== 'fetch-progress'),
  ).toEqual(['fetch-start', 'fetch-retry', 'fetch-end'])
  expect(rig().events.at(-1)).toMatchObject({
    bytes: CONTENT.length,
    source: 'f.tar',
    place: `${address}/f.tar`,
  })
})

test('what came before all attempts failed is kept, and the next run goes on with it', async () => {
  const { address, requests } = await rig().serve(
    inTurn(cut(HALF, { ETag: '"a"' }), ranged(CONTENT, '"a"')),
  )
  const only = source([`${address}/f.tar`])
  await expect(
    rig()
      .fetcher({ limits: { delays: [] } })
      .fetch(only),
  ).rejects.toMatchObject({ code: 'source-unavailable' })
  expect(await rig().store.partials()).toEqual([DIGEST, `${DIGEST}.json`])
  const { size } = await stat(rig().store.partialPath(DIGEST))
  await rig().fetcher().fetch(only)
  expect(requests[1]?.headers.range).toBe(`bytes=${String(size)}-`)
  await expectStored()
})

test('a server that ignores Range: from the start', async () => {
  const { address, requests } = await rig().serve(whole())
  await leavePart(address, CONTENT.subarray(0, HALF), { etag: '"a"' })
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests).toHaveLength(1)
  expect(requests[0]?.headers.range).toBe(`bytes=${String(HALF)}-`)
  await expectStored()
})

test('the entity tag changed: from the start, nothing mixed', async () => {
  const { address, requests } = await rig().serve(ranged(CONTENT, '"new"'))
  await leavePart(address, Buffer.alloc(HALF), { etag: '"old"', size: CONTENT.length })
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests).toHaveLength(1)
  await expectStored()
})

test('the entity tag changed and the server knows no If-Range: from the start', async () => {
  const { address, requests } = await rig().serve((request, response) => {
    delete request.headers['if-range']
    ranged(CONTENT, '"new"')(request, response)
  })
  await leavePart(address, Buffer.alloc(HALF), { etag: '"old"' })
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests.map(({ headers }) => headers.range)).toEqual([
    `bytes=${String(HALF)}-`,
    undefined,
  ])
  await expectStored()
})

test('416, as the part is longer than the file: from the start', async () => {
  const { address, requests } = await rig().serve(ranged(CONTENT, '"a"'))
  await leavePart(address, Buffer.alloc(CONTENT.length + 1), { etag: '"a"' })
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests).toHaveLength(2)
  await expectStored()
})

test('a spoilt part without a validator is found by the digest, and the place asked once more', async () => {
  const { address, requests } = await rig().serve(ranged(CONTENT, '"a"'))
  await leavePart(address, Buffer.alloc(HALF))
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests).toHaveLength(2)
  expect(rig().eventTypes()).toContain('fetch-retry')
  await expectStored()
})

test('a part that is already whole needs no request', async () => {
  const { address, requests } = await rig().serve(status(500))
  await leavePart(address, CONTENT)
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  expect(requests).toHaveLength(0)
  await expectStored()
})

test('a part from another address, or with a damaged note, is not gone on with', async () => {
  const { address, requests } = await rig().serve(ranged(CONTENT, '"a"'))
  await leavePart(`${address}/elsewhere`, CONTENT.subarray(0, HALF))
  await rig()
    .fetcher()
    .fetch(source([`${address}/f.tar`]))
  await leavePart(address, WRONG)
  expect(requests[0]?.headers.range).toBeUndefined()
  const other = source([`${address}/f.tar`], { sha256: DIGEST })
  await writeFile(`${rig().store.partialPath(DIGEST)}.json`, '{"address":')
  await rig()
    .fetcher({ store: { ...rig().store, blobs: { ...rig().store.blobs, has: () => false } } })
    .fetch(other)
  expect(requests[1]?.headers.range).toBeUndefined()
  await expectStored()
})

test('a copy from a folder leaves a part alone when the copy is wrong, and removes it when right', async () => {
  const { address } = await rig().serve(status(404))
  await leavePart(address, CONTENT.subarray(0, HALF), { etag: '"a"' })
  const wrong = await rig().write('wrong/f.tar', WRONG)
  await expect(
    rig()
      .fetcher()
      .fetch(source([`file:${wrong}`, `${address}/f.tar`])),
  ).rejects.toMatchObject({ code: 'source-digest' })
  expect((await readFile(rig().store.partialPath(DIGEST))).equals(CONTENT.subarray(0, HALF))).toBe(
    true,
  )
  const right = await rig().write('right/f.tar', CONTENT)
  await rig()
    .fetcher()
    .fetch(source([`file:${right}`]))
  await expectStored()
})
