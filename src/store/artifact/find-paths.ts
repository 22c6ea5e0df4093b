import { Folder } from '../../base/beneath.ts'
import type { FixpointError } from '../../base/error.ts'
import { byBytes } from '../../base/order.ts'
import type { Turns } from '../../base/turns.ts'
import { LONGEST_PATH } from './listing.ts'
import { isMangled, requireReadable, statOf, unchanged, unnameable } from './pack-faults.ts'

/** Characters that a message shows of a path that is too long. */
const SHOWN = 200

/** Paths below `root`, relative, sorted by bytes. A folder comes before what it holds. */
export async function findPaths(root: string, turns: Turns): Promise<string[]> {
  const paths: string[] = []
  const visit = async (folder: Folder, prefix: string): Promise<void> => {
    for (const entry of folder.entries()) {
      const name = entry.name.toString()
      const path = `${prefix}${name}`
      if (isMangled(name, entry.name)) throw unnameable(path, 'its name is not UTF-8')
      if (Buffer.byteLength(path) > LONGEST_PATH) throw tooLong(path)
      paths.push(path)
      await turns.pass()
      if (!entry.isDirectory()) continue
      requireReadable(path, statOf(folder, name, path).mode, 0o500)
      const inner = unchanged(path, () => folder.folder(name))
      await visit(inner, `${path}/`).finally(() => {
        inner.close()
      })
    }
  }
  const top = Folder.open(root)
  await visit(top, '').finally(() => {
    top.close()
  })
  return paths.sort(byBytes)
}

function tooLong(path: string): FixpointError {
  return unnameable(
    `${path.slice(0, SHOWN)}…`,
    `its path has ${Buffer.byteLength(path)} bytes, at most ${LONGEST_PATH} are possible`,
  )
}
