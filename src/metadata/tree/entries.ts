import { isUtf8 } from 'node:buffer'
import { readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { byCodeUnit } from '../../base/order.ts'
import { isPart } from '../../base/part-name.ts'
import { isFileName } from '../format/source-places.ts'
import type { Faults } from '../yaml/faults.ts'
import { addSpecial, addSymlink, addUnreadable } from '../yaml/read-file.ts'
import type { YamlFile } from '../yaml/yaml-file.ts'

/** An entry of a folder of layers. */
export interface Entry {
  readonly name: string
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
}

/**
 * Entries of a folder, sorted by code unit. Names that no file may have are left out, and so is
 * what a command is about to write there, or left when it was killed. Faults: `bad-file-name`,
 * `missing-file`, `unreadable-file`.
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
      if (isPart(name)) return []
      if (isUtf8(entry.name) && isFileName(name))
        return [{ name, path: join(folder, name), kind: kindOf(entry) }]
      // Messages show the folder's path: the name itself may not be printed.
      const reason = 'its name is no text, or holds control characters'
      const message = `Cannot use ${JSON.stringify(name)} in "${folder}": ${reason}`
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

/**
 * Whether an entry is of the kind that its name asks for, after noting `symlink`, `unknown-file` or
 * `special-file`. `wanted` is undefined for a name that the folder may not hold, by the `rule`.
 */
export function isWanted(
  { path, kind }: Entry,
  wanted: 'file' | 'folder' | undefined,
  rule: string,
  faults: Faults,
  hint?: string,
): boolean {
  if (kind === 'link') addSymlink(path, faults)
  else if (wanted === undefined)
    faults.add('unknown-file', `Cannot use "${path}": ${rule}`, { file: path }, hint)
  else if (kind !== wanted)
    addSpecial(path, wanted === 'file' ? 'a regular file' : 'a folder', faults)
  else return true
  return false
}

/** Notes `name-mismatch` where a file states another name than `name`, that of `where`. */
export function checkName(
  yaml: YamlFile,
  name: string,
  { what, where }: { what: string; where: 'file' | 'folder' },
  faults: Faults,
): void {
  const { name: stated } = yaml.value as { name: string }
  if (stated === name) return
  faults.add(
    'name-mismatch',
    `Cannot read ${what}: its name is "${stated}", its ${where}'s "${name}"`,
    yaml.position(['name']),
    `Write "name: ${name}" or rename the ${where}`,
  )
}
