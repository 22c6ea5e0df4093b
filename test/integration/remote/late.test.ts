import { expect, test } from 'vitest'
import type { CacheContext } from '../../../src/remote/open.ts'
import { cacheServer, on } from '../../support/cache-server.ts'
import { eventsOf, id, storesWithTools } from '../../support/rig.ts'
import type { ToyStore } from '../../support/toy.ts'
import { buildWith, newKey, reading, SHORT, toy, toys, writing } from './rig.ts'

const withTools = storesWithTools()

const METADATA = toys(toy('a', 'a'), toy('b', 'b', ['a']), toy('c', 'c', ['b']))

const warnings = ({ events }: ToyStore): string[] =>
  eventsOf(events, 'warning').map(({ message }) => message)

test('a server that hangs is asked no more once it has kept one waiting', async () => {
  const [server, ci] = [await cacheServer(), await newKey('ci')]
  server.fault = () => true
  const toyStore = await withTools()
  const from = reading([server.address], [ci])
  const built = await buildWith(toyStore, METADATA, ['base/c'], from, {}, SHORT)
  expect(built.ran).toEqual(['base/a', 'base/b', 'base/c'])
  // The key of the first is known before anything runs. It is asked for twice, as for any failure.
  expect(server.requests).toHaveLength(2)
  expect(warnings(toyStore)).toEqual([expect.stringContaining('it is not asked any more')])
})

test('a server that is given up ends the questions that wait for it', async () => {
  const [server, ci] = [await cacheServer(), await newKey('ci')]
  const names = Array.from({ length: 12 }, (_, n) => `m${String(n)}`)
  const many = toys(...names.map((name) => toy(name, name)), toy('all', 'all', names))
  server.fault = () => true
  const toyStore = await withTools()
  const from = reading([server.address], [ci])
  await buildWith(toyStore, many, ['base/all'], from, {}, SHORT)
  expect(new Set(server.requests).size).toBe(12)
  expect(warnings(toyStore)).toHaveLength(1)
})

test('a blob that drips is given up after a time by its size', async () => {
  const [server, ci] = [await cacheServer(), await newKey('ci')]
  await buildWith(await withTools(), METADATA, ['base/c'], writing(server.address, ci))
  server.fault = on('GET /cas/', (request, response) => {
    const file = server.files.get(String(request.url))!
    response.writeHead(200, { 'Content-Length': file.length })
    let at = 0
    const timer = setInterval(() => response.write(file.subarray(at, ++at)), 20)
    response.once('close', () => {
      clearInterval(timer)
    })
    return true
  })
  const toyStore = await withTools()
  const limits: CacheContext['limits'] = { ...SHORT, whole: { ms: 600, bytesPerSecond: 1 << 20 } }
  const from = reading([server.address], [ci])
  const read = await buildWith(toyStore, METADATA, ['base/c'], from, {}, limits)
  expect(read.ran).toContain('base/c')
  expect(read.plan.get(id('base/c'))?.state).toBe('stored')
  expect(warnings(toyStore)).toEqual([expect.stringMatching(/too slow: \d+ bytes did not come/)])
  expect(server.requests.filter((line) => line.startsWith('GET /cas/'))).toHaveLength(1)
})
