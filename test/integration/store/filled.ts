import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../src/base/digest.ts'
import { freshStore, putBlob } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import type { ToyStore } from '../../support/toy.ts'
import { writeTreeAt } from '../../support/trees.ts'

/** A store, its folder, and the artifacts in it. */
export interface Filled extends ToyStore {
  readonly kept: Digest
  readonly unpacked: Digest
  readonly dropped: Digest
}

/** A store with two unpacked artifacts, one that is only packed, a source and leftovers. */
export async function filled(): Promise<Filled> {
  const toy = await freshStore()
  const { store, folder } = toy
  const pack = async (text: string): Promise<Digest> => {
    const root = join(await temporaryFolder(), 'root')
    await writeTreeAt(root, { file: text })
    return (await store.trees.pack(root)).digest
  }
  const [kept, unpacked, dropped] = [
    await pack('kept'),
    await pack('unpacked'),
    await pack('dropped'),
  ]
  await store.trees.unpack(kept)
  await store.trees.unpack(unpacked)
  await putBlob(store, 'source')
  for (const name of ['kept/base@a', 'damaged/x', 'partial/y'])
    await writeFile(join(folder, name), '')
  return { ...toy, kept, unpacked, dropped }
}
