import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { graphOf } from '../../../src/plan/graph.ts'
import { planOn } from '../../../src/store/plan-view.ts'
import { indexNamer } from '../../../src/store/plan-view.ts'
import { digestOf } from '../../../src/base/digest.ts'
import { openCaches } from '../../../src/remote/open.ts'
import { pushTarget } from '../../../src/remote/push-target.ts'
import { blobPath } from '../../../src/store/local/layout.ts'
import { cacheServer } from '../../support/cache-server.ts'
import { artifactOf, eventsOf, freshStore, id, storesWithTools } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { buildWith, newKey, reading, settings, toy, toys, writing } from './rig.ts'

const withTools = storesWithTools()

/** Twenty recipes: a chain of four, and those that use its links. */
const TWENTY = toys(
  toy('c0', 'c0'),
  ...[1, 2, 3].map((n) => toy(`c${String(n)}`, `c${String(n)}`, [`c${String(n - 1)}`])),
  ...Array.from({ length: 15 }, (_, n) =>
    toy(`t${String(n)}`, `t${String(n)}`, [`c${String(n % 4)}`]),
  ),
  toy('top', 'top', ['c3', ...Array.from({ length: 15 }, (_, n) => `t${String(n)}`)]),
)

describe('a build that writes, and others that read', () => {
  test('twenty toys: nothing runs, one blob comes, one question for each recipe', async () => {
    const [server, ci] = [await cacheServer(), await newKey('ci')]
    const first = await withTools()
    const built = await buildWith(first, TWENTY, ['base/top'], writing(server.address, ci))
    const artifact = artifactOf(built, 'base/top')
    expect(built.ran).toHaveLength(20)
    expect(server.files.size).toBe(40)
    server.requests.length = 0

    // Another store, without so much as the tools.
    const second = await freshStore()
    const read = await buildWith(second, TWENTY, ['base/top'], reading([server.address], [ci]))
    expect(artifactOf(read, 'base/top')).toBe(artifact)
    expect(read.ran).toEqual([])
    expect(eventsOf(second.events, 'action-start')).toEqual([])
    expect(readFileSync(blobPath(second.folder, artifact))).toEqual(
      readFileSync(blobPath(first.folder, artifact)),
    )
    expect(server.requests).toHaveLength(21)
    expect(server.requests.filter((line) => line.includes('/cas/'))).toEqual([
      `GET /cas/${artifact}`,
    ])
    expect(second.store.index.find(built.plan.get(id('base/c0'))!.key!)?.origin).toEqual({
      cache: `${server.address}/`,
      signers: ['ci'],
      builder: 'ci',
      engine: 'test 1',
    })

    // Nothing to do: no request, whatever is configured.
    server.requests.length = 0
    await buildWith(second, TWENTY, ['base/top'], reading([server.address], [ci]))
    expect(server.requests).toEqual([])
  })

  test('a second push sends nothing, and what others made is left out', async () => {
    const [server, ci] = [await cacheServer(), await newKey('ci')]
    const metadata = toys(toy('a', 'a'), toy('b', 'b', ['a']))
    const push = async (from: Awaited<ReturnType<typeof freshStore>>) => {
      const { store, emit } = from
      const context = {
        store,
        emit,
        now: () => 0,
        engine: 'test 1',
        offline: false,
        outcome: undefined,
      }
      const { writer } = await openCaches(writing(server.address, ci), context)
      const view = { store, indexName: indexNamer(() => digestOf('toy host')) }
      const plan = planOn(view, graphOf(metadata, [id('base/b')]), [id('base/b')])
      return pushTarget(plan, false, writer!, store, new AbortController().signal)
    }
    const first = await withTools()
    await buildWith(first, metadata, ['base/b'], undefined)
    expect(await push(first)).toMatchObject({ results: 2, added: 2, others: 0 })
    server.requests.length = 0
    expect(await push(first)).toEqual({ results: 2, added: 0, repaired: 0, others: 0, bytes: 0 })
    expect(server.requests.filter((line) => line.startsWith('PUT'))).toEqual([])
    // A blob that the server forgot is sent again.
    const forgotten = [...server.files.keys()].find((path) => path.startsWith('/cas/'))!
    server.files.delete(forgotten)
    expect(await push(first)).toMatchObject({ added: 0 })
    expect(server.files.has(forgotten)).toBe(true)
    // So is one that was cut.
    const whole = server.files.get(forgotten)!
    server.files.set(forgotten, whole.subarray(0, 600))
    expect(await push(first)).toMatchObject({ repaired: 1, bytes: whole.length })
    expect(server.files.get(forgotten)).toEqual(whole)

    const second = await freshStore()
    await buildWith(second, metadata, ['base/b'], reading([server.address], [ci]))
    expect(await push(second)).toMatchObject({ results: 0, others: 1 })
  })

  test('a folder needs no server', async () => {
    const [folder, ci] = [await temporaryFolder(), await newKey('ci')]
    const built = await buildWith(await withTools(), TWENTY, ['base/top'], writing(folder, ci))
    expect((await readdir(join(folder, 'cas'))).length).toBe(20)
    expect((await readdir(join(folder, 'ac'))).length).toBe(20)
    const read = await buildWith(await freshStore(), TWENTY, ['base/top'], reading([folder], [ci]))
    expect(read.ran).toEqual([])
    expect(artifactOf(read, 'base/top')).toBe(artifactOf(built, 'base/top'))
  })

  test('trust in the transport: nothing is signed', async () => {
    const folder = await temporaryFolder()
    const metadata = toys(toy('a', 'a'))
    await buildWith(await withTools(), metadata, ['base/a'], settings({ write: folder }))
    const second = await freshStore()
    const read = await buildWith(second, metadata, ['base/a'], settings({ read: [folder] }))
    expect(read.ran).toEqual([])
    const ci = await newKey('ci')
    const third = await withTools()
    const wary = await buildWith(third, metadata, ['base/a'], reading([folder], [ci]))
    expect(wary.ran).toEqual(['base/a'])
  })
})

test('what is missing runs, with the inputs that are shared and no others', async () => {
  const [server, ci] = [await cacheServer(), await newKey('ci')]
  const old = toys(toy('a', 'a'), toy('b', 'b', ['a']), toy('c', 'old', ['b']))
  const built = await buildWith(await withTools(), old, ['base/c'], writing(server.address, ci))
  server.requests.length = 0
  const now = toys(toy('a', 'a'), toy('b', 'b', ['a']), toy('c', 'new', ['b']))
  const second = await withTools()
  const read = await buildWith(second, now, ['base/c'], reading([server.address], [ci]))
  expect(read.ran).toEqual(['base/c'])
  expect(server.requests.filter((line) => line.includes('/cas/'))).toEqual([
    `GET /cas/${built.plan.get(id('base/b'))!.artifact!}`,
  ])
})

test('what comes to be known on the way is asked for, too', async () => {
  const [server, ci] = [await cacheServer(), await newKey('ci')]
  const metadata = toys(toy('a', 'a'), toy('b', 'b', ['a']), toy('c', 'c', ['b']))
  const built = await buildWith(
    await withTools(),
    metadata,
    ['base/c'],
    writing(server.address, ci),
  )
  // The server forgot one in the middle.
  const { recordName } = await import('../../../src/remote/record.ts')
  server.files.delete(`/ac/${recordName(built.plan.get(id('base/b'))!.key!, ci.key)}`)
  const second = await withTools()
  const read = await buildWith(second, metadata, ['base/c'], reading([server.address], [ci]))
  expect(read.ran).toEqual(['base/b'])
  expect(artifactOf(read, 'base/c')).toBe(artifactOf(built, 'base/c'))
})
