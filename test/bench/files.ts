import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile } from '../../src/base/digest.ts'
import { Store } from '../../src/store/store.ts'

/** Files of the tree that is packed, and the bytes of each. */
const [FOLDERS, FILES, BYTES] = [100, 1000, 200] as const

/**
 * One piece of work with files, as `node files.js WORK FOLDER`:
 * - `write`: makes a tree of 100,000 small files, and a file of 1 GiB
 * - `pack`, `unpack`: that tree as an artifact, in a store below the folder
 * - `hash`: the file
 */
async function main(work: string, folder: string): Promise<void> {
  const [tree, large] = [join(folder, 'tree'), join(folder, 'large')]
  if (work === 'write') {
    for (let at = 0; at < FOLDERS; at++) {
      const inner = join(tree, String(at))
      await mkdir(inner, { recursive: true })
      for (let file = 0; file < FILES; file++)
        await writeFile(join(inner, String(file)), `${at} ${file} `.repeat(BYTES / 8))
    }
    execFileSync('dd', ['if=/dev/urandom', `of=${large}`, 'bs=1M', 'count=1024', 'status=none'])
    return
  }
  if (work === 'hash') {
    await digestOfFile(large)
    return
  }
  const store = await Store.open(join(folder, 'store'), {
    emit: () => undefined,
    now: () => performance.now(),
  })
  const packed = await store.trees.pack(tree)
  if (work === 'unpack') await store.trees.unpack(packed.digest)
  await store.session.close()
}

await main(process.argv[2] ?? '', process.argv[3] ?? '')
