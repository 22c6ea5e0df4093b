import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { beneath } from '../../base/beneath.ts'
import { digestOf, type Digest } from '../../base/digest.ts'
import { errorCode } from '../../base/files.ts'
import { byCodeUnit } from '../../base/order.ts'
import { checkPatch } from '../format/patch-file.ts'
import { MAX_PATH } from '../format/source-places.ts'
import type { Faults } from '../yaml/faults.ts'
import {
  addSpecial,
  addSymlink,
  addUnreadable,
  readBeneath,
  type Limit,
} from '../yaml/read-file.ts'
import { isWanted, list, type Entry } from './entries.ts'

/** A file of the recipes' author: a patch, one of `files/`, or one of the checkout. */
export interface LocalFile {
  /** A patch: the file's name. Others: the path below `files/`, or below the checkout. */
  readonly name: string
  /** Absolute path on the machine. */
  readonly path: string
  readonly digest: Digest
  readonly executable: boolean
}

/** What a recipe's folder holds: a closed list. */
export interface RecipeFolder {
  readonly kind: 'recipe' | 'amend'
  readonly folder: string
  /** Name of the recipe's own file; undefined after noting why it cannot be used. */
  readonly file: string | undefined
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
}

/** Every run reads, hashes and copies these files; larger ones are sources. */
const MAX_FILE: Limit = { bytes: 256 << 20, hint: 'Fetch a large file, as a source' }

/** The largest patches are those between releases of Linux. */
const MAX_PATCH: Limit = { bytes: 32 << 20, hint: 'Fetch the newer source instead' }

/** What each name in a recipe's folder must be. */
const WANTED: Readonly<Record<string, 'file' | 'folder'>> = {
  'recipe.yaml': 'file',
  'amend.yaml': 'file',
  patches: 'folder',
  files: 'folder',
}

/**
 * Lists a recipe's folder. Undefined when it holds no recipe, after noting `recipe-missing`; a
 * folder without any file is no fault, since git keeps no empty folders. Other faults:
 * `unknown-file`, `symlink`, `special-file`, `recipe-and-amendment`, `bad-file-name`, those of
 * reading and of patches.
 */
export function readRecipeFolder(folder: string, faults: Faults): RecipeFolder | undefined {
  const entries = list(folder, faults)
  const names = new Set(entries.map(({ name }) => name))
  const usable = new Set(entries.filter((entry) => isUsable(entry, faults)).map(({ name }) => name))
  const patches = usable.has('patches') ? readPatches(folder, faults) : []
  const files = usable.has('files') ? readFiles(folder, faults) : []
  const both = names.has('recipe.yaml') && names.has('amend.yaml')
  if (both) {
    faults.add(
      'recipe-and-amendment',
      `Cannot read "${folder}": it holds both recipe.yaml and amend.yaml`,
      { file: join(folder, 'amend.yaml') },
      'Keep one of them',
    )
  }
  const kind = names.has('recipe.yaml') ? 'recipe' : names.has('amend.yaml') ? 'amend' : undefined
  if (kind === undefined) {
    if (patches.length + files.length > 0 || entries.some((entry) => entry.kind !== 'folder')) {
      const message = `Cannot read "${folder}": it holds neither recipe.yaml nor amend.yaml`
      faults.add('recipe-missing', message, { file: folder })
    }
    return undefined
  }
  const file = `${kind}.yaml`
  return { kind, folder, file: both || !usable.has(file) ? undefined : file, patches, files }
}

function isUsable(entry: Entry, faults: Faults): boolean {
  const rule = 'a folder of a recipe holds recipe.yaml or amend.yaml, patches and files only'
  return isWanted(entry, WANTED[entry.name], rule, faults, 'Remove it, or move it below files/')
}

function readPatches(folder: string, faults: Faults): LocalFile[] {
  return list(join(folder, 'patches'), faults).flatMap((entry) => {
    const wanted = entry.name.endsWith('.patch') && entry.kind !== 'folder' ? 'file' : undefined
    const rule = 'patches/ holds files whose names end in .patch only'
    return isWanted(entry, wanted, rule, faults) ? patchFile(folder, entry.name, faults) : []
  })
}

function patchFile(folder: string, name: string, faults: Faults): LocalFile[] {
  const path = join(folder, 'patches', name)
  const content = readBeneath(folder, `patches/${name}`, { limit: MAX_PATCH, faults })
  if (content === undefined) return []
  checkPatch(path, content.bytes.toString(), faults)
  return [{ name, path, digest: digestOf(content.bytes), executable: content.executable }]
}

function readFiles(folder: string, faults: Faults): LocalFile[] {
  return walk(folder, 'files', faults)
    .flatMap((path) => localFile(folder, path, path.slice('files/'.length), faults))
    .sort((a, b) => byCodeUnit(a.name, b.name))
}

/**
 * All regular files at or below `names`, each a file or folder relative to `root`; sorted by name.
 * It follows no link, leaves out what git keeps there (`.git`), and calls `missing` for each name
 * that does not exist. One name may be below another: each file comes once. Faults: those of
 * reading.
 */
export function readTree(
  root: string,
  names: readonly string[],
  faults: Faults,
  missing: (name: string, at: number) => void,
): LocalFile[] {
  const found = new Map<string, LocalFile>()
  for (const [at, name] of names.entries()) {
    let stat: Stats | undefined
    try {
      stat = beneath(root, name, (folder, last) => folder.stat(last))
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        addUnreadable(join(root, name), error, faults)
        continue
      }
    }
    if (stat === undefined) missing(name, at)
    else {
      for (const path of stat.isDirectory() ? walk(root, name, faults, '.git') : [name])
        if (!found.has(path))
          for (const file of localFile(root, path, path, faults)) found.set(path, file)
    }
  }
  return [...found.values()].sort((a, b) => byCodeUnit(a.name, b.name))
}

/** Regular files below `path`, relative to `root`, without entries named `leftOut`. */
function walk(root: string, path: string, faults: Faults, leftOut?: string): string[] {
  return list(join(root, path), faults).flatMap((entry) => {
    if (entry.name === leftOut) return []
    const inner = `${path}/${entry.name}`
    if (Buffer.byteLength(inner) > MAX_PATH) {
      const message = `Cannot use "${entry.path}": the path has more than ${MAX_PATH} bytes`
      faults.add('bad-file-name', message, { file: entry.path })
      return []
    }
    if (entry.kind === 'folder') return walk(root, inner, faults, leftOut)
    if (entry.kind === 'file') return [inner]
    if (entry.kind === 'link') addSymlink(entry.path, faults)
    else addSpecial(entry.path, 'a regular file', faults)
    return []
  })
}

/** The file at `path` below `root` as `name`; none after noting why it cannot be read. */
function localFile(root: string, path: string, name: string, faults: Faults): LocalFile[] {
  const content = readBeneath(root, path, { limit: MAX_FILE, faults })
  if (content === undefined) return []
  return [
    {
      name,
      path: join(root, path),
      digest: digestOf(content.bytes),
      executable: content.executable,
    },
  ]
}
