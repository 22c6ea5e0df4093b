import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { mountAt } from '../../support/loops.ts'
import { hasNginx, startNginx, type NginxCache } from '../../support/nginx.ts'
import {
  artifactOf,
  eventsOf,
  freshStore,
  id,
  storesWithTools,
  waitUntil,
} from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'
import { toyRecipe, type ToyStore } from '../../support/toy.ts'
import { buildWith, newKey, reading, toy, toys, writing } from './rig.ts'

if (!hasNginx)
  process.stderr.write('left out: caches on nginx, since .ci/servers has unpacked none\n')

const isRoot = process.getuid?.() === 0
const withTools = storesWithTools()

/** Two recipes; `big` makes some MiB that are no zeros. */
const METADATA = toys(
  toy('a', 'a'),
  toy('b', 'b', ['a']),
  toyRecipe('base/big', 'for n in 1 2 3; do cat /lib/*/libc.so.6 >> "$OUT/big"; done', {
    inputs: [id('host/tools')],
  }),
)

const warnings = ({ events }: ToyStore): string[] =>
  eventsOf(events, 'warning').map(({ message }) => message)

/** A cache that ends with the test. */
async function nginxCache(folder: string, more = ''): Promise<NginxCache> {
  const own = await temporaryFolder()
  const cache = await startNginx({ checkout: CHECKOUT, folder, own, more })
  onTestFinished(cache.stop)
  return cache
}

const filesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

describe.skipIf(!hasNginx)('nginx, as the page for teams shows it,', () => {
  test('takes results of who has the password, and gives them to all', async () => {
    const [cache, ci] = [await nginxCache(await temporaryFolder()), await newKey('ci')]
    const first = await withTools()
    const built = await buildWith(first, METADATA, ['base/b'], writing(cache.writing, ci))
    expect(warnings(first)).toEqual([])
    expect(await filesIn(join(cache.folder, 'cas'))).toHaveLength(2)
    expect(await filesIn(join(cache.folder, 'ac'))).toHaveLength(2)

    const second = await freshStore()
    const read = await buildWith(second, METADATA, ['base/b'], reading([cache.address], [ci]))
    expect(read.ran).toEqual([])
    expect(artifactOf(read, 'base/b')).toBe(artifactOf(built, 'base/b'))
    expect(warnings(second)).toEqual([])
  })

  test.each([
    ['without a password', (writing: string) => writing.replace(/\/\/.*@/, '//')],
    ['with a wrong one', (writing: string) => writing.replace('SECRET', 'wrong')],
  ])('takes nothing %s; the build goes on', async (_, address) => {
    const [cache, ci] = [await nginxCache(await temporaryFolder()), await newKey('ci')]
    const toyStore = await withTools()
    const to = writing(address(cache.writing), ci)
    const built = await buildWith(toyStore, METADATA, ['base/b'], to)
    expect(built.ran).toEqual(['base/a', 'base/b'])
    expect(warnings(toyStore)[0]).toContain('HTTP status 401')
    expect(warnings(toyStore).join('\n')).not.toContain('wrong-password')
    expect(await filesIn(cache.folder)).toEqual([])
  })

  test('that starts again in the middle of a blob is asked for the rest', async () => {
    const [cache, ci] = [
      await nginxCache(await temporaryFolder(), 'limit_rate 1m;'),
      await newKey('ci'),
    ]
    const built = await buildWith(
      await withTools(),
      METADATA,
      ['base/big'],
      writing(cache.writing, ci),
    )
    const toyStore = await freshStore()
    const from = reading([cache.address], [ci])
    const delays = [1_000, 5_000, 20_000]
    const reads = buildWith(toyStore, METADATA, ['base/big'], from, {}, { delays })
    await waitUntil(() => eventsOf(toyStore.events, 'fetch-progress').length > 0)
    await cache.stop()
    cache.start()
    const read = await reads
    expect(read.ran).toEqual([])
    expect(artifactOf(read, 'base/big')).toBe(artifactOf(built, 'base/big'))
    const asked = cache.requests().map(({ line }) => line)
    expect(asked).toContain(`206 GET /cas/${artifactOf(built, 'base/big')}`)
    expect(warnings(toyStore)).toEqual([])
  })

  test.runIf(isRoot)('with a full disk costs one warning', async () => {
    const disk = mountAt(await temporaryFolder(), '-t', 'tmpfs', '-o', 'size=64k', 'none')
    const [cache, ci] = [await nginxCache(disk), await newKey('ci')]
    const toyStore = await withTools()
    const targets = ['base/b', 'base/big']
    const built = await buildWith(toyStore, METADATA, targets, writing(cache.writing, ci))
    expect([...built.ran].sort()).toEqual(['base/a', 'base/b', 'base/big'])
    const [first, ...others] = warnings(toyStore)
    expect(first).toMatch(/^Cache "http:\/\/127\.0\.0\.1:\d+\/" failed: HTTP status 50[07]/)
    expect(others.filter((text) => text.startsWith('Cache'))).toEqual([])
    // What it has is whole, and no record is without its blob.
    const artifact = artifactOf(built, 'base/big')
    expect(await filesIn(join(disk, 'cas'))).not.toContain(artifact)
    const read = await buildWith(
      await withTools(),
      METADATA,
      targets,
      reading([cache.address], [ci]),
    )
    expect(read.ran).toContain('base/big')
    expect(artifactOf(read, 'base/big')).toBe(artifact)
  })
})
