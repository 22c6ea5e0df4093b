import { isUtf8 } from 'node:buffer'
import { readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { byCodeUnit } from '../../base/order.ts'
import type { Faults } from '../yaml/faults.ts'
import { isFileName } from '../format/source-places.ts'
import { addUnreadable } from '../yaml/read-file.ts'

/** An entry of a folder of layers. */
export interface Entry {
  readonly name: string
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
}

/**
 * Entries of a folder, sorted by code unit, without those whose names no one may use:
 * `bad-file-name`. Other faults: `missing-file`, `unreadable-file`.
 */
export function list(folder: string, faults: Faults): Entry[] {
  let found: Dirent<Buffer>[]
  try {
    found = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    addUnreadable(folder, error, faults)
    return []
  }
  return found
    .flatMap((entry): Entry[] => {
      const name = entry.name.toString()
      if (isUtf8(entry.name) && isFileName(name))
        return [{ name, path: join(folder, name), kind: kindOf(entry) }]
      // The place is the folder's: the name itself may not be printed.
      const message = `Cannot use ${JSON.stringify(name)} in "${folder}": its name is no text, or holds control characters`
      faults.add('bad-file-name', message, { file: folder }, 'Rename it')
      return []
    })
    .sort((a, b) => byCodeUnit(a.name, b.name))
}

function kindOf(entry: Dirent<Buffer>): Entry['kind'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}
