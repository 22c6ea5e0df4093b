import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freshStore, putBlob } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { writeTreeAt } from '../../support/trees.ts'

/** A store with two unpacked artifacts, one packed, a source and leftovers. */
export async function filled() {
  const { store, folder } = await freshStore()
  const pack = async (text: string) => {
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
  return { store, folder, kept, unpacked, dropped }
}
