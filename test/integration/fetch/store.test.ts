import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Store } from '../../../src/store/store.ts'
import { CONTENT, cut, DIGEST, inTurn, ranged, source, useRig } from './rig.ts'

const rig = useRig()

test('with the real store: part, resume, blob, nothing left over', async () => {
  const root = join(rig().folder, 'real')
  const store = await Store.open(root, { emit: (event) => rig().events.push(event), now: () => 0 })
  const { address } = await rig().serve(inTurn(cut(1000, { ETag: '"a"' }), ranged(CONTENT, '"a"')))
  await rig()
    .fetcher({ store })
    .fetch(source([`${address}/f.tar`]))
  const blob = await store.blobs.file(DIGEST)
  expect(await readFile(blob)).toEqual(CONTENT)
  expect(await readdir(join(root, 'partial'))).toEqual([])
  await store.session.close()
})
