import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { mountAt } from '../../support/loops.ts'
import { eventsOf, failureOf, id, storesWithTools } from '../../support/rig.ts'
import { cacheServer } from '../../support/cache-server.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyRecipe, toyStore } from '../../support/toy.ts'
import { buildWith, newKey, reading, toys, writing } from './rig.ts'

const withTools = storesWithTools()
const METADATA = toys(
  toyRecipe('base/big', 'for n in 1 2 3; do cat /lib/*/libc.so.6 >> "$OUT/big"; done', {
    inputs: [id('host/tools')],
  }),
)

test.runIf(process.getuid?.() === 0)(
  'a disk that is full here while a blob comes is named, and is not the fault of the cache',
  async () => {
    const [server, ci] = [await cacheServer(), await newKey('ci')]
    await buildWith(await withTools(), METADATA, ['base/big'], writing(server.address, ci))
    const disk = mountAt(await temporaryFolder(), '-t', 'tmpfs', '-o', 'size=2m', 'none')
    const small = await toyStore(join(disk, 'store'))
    onTestFinished(() => small.store.session.close())
    const from = reading([server.address], [ci])
    const result = await buildWith(small, METADATA, ['base/big'], from)
    const failure = failureOf(result, 'base/big')
    expect(failure).toMatchObject({ code: 'disk-full', kind: 'hostUnfit' })
    expect(failure.message).toContain(disk)
    expect(result.ran).toEqual([])
    expect(eventsOf(small.events, 'warning')).toEqual([])
    expect(await readdir(join(disk, 'store', 'blobs'))).toEqual([])
  },
)
