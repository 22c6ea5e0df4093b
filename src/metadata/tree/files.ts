import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { beneath } from '../../base/beneath.ts'
import { digestOf } from '../../base/digest.ts'
import { errorCode } from '../../base/files.ts'
import { byCodeUnit } from '../../base/order.ts'
import { list, type Entry } from './entries.ts'
import type { Faults } from '../yaml/faults.ts'
import type { LocalFile } from '../model.ts'
import { checkPatch } from '../format/patch-file.ts'
import { MAX_PATH } from '../format/source-places.ts'
import { addSpecial, addSymlink, addUnreadable, readBeneath } from '../yaml/read-file.ts'

/** What a recipe's folder holds: the closed list of what may lie there. */
export interface RecipeFolder {
  readonly kind: 'recipe' | 'amend'
  readonly folder: string
  /**
   * Name of the file that says what the recipe is; undefined when it cannot be used, which was
   * noted.
   */
  readonly file: string | undefined
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
}

/** Larger files are sources: they would be read, hashed and copied by every run. Bytes. */
const MAX_FILE = 256 << 20

/** The largest patches are those between releases of Linux. Bytes. */
const MAX_PATCH = 32 << 20

/** What each name in a recipe's folder must be. */
const WANTED: Readonly<Record<string, 'file' | 'folder'>> = {
  'recipe.yaml': 'file',
  'amend.yaml': 'file',
  patches: 'folder',
  files: 'folder',
}

/**
 * Lists a recipe's folder. Undefined when it holds no recipe: silently when there is no file at all
 * (git keeps no empty folders), else after noting `recipe-missing`. Other faults: `unknown-file`,
 * `symlink`, `special-file`, `recipe-and-amendment`, `bad-file-name`, those of reading and of
 * patches.
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
      faults.add(
        'recipe-missing',
        `Cannot read "${folder}": it holds neither recipe.yaml nor amend.yaml`,
        {
          file: folder,
        },
      )
    }
    return undefined
  }
  const file = `${kind}.yaml`
  return { kind, folder, file: both || !usable.has(file) ? undefined : file, patches, files }
}

function isUsable({ name, path, kind }: Entry, faults: Faults): boolean {
  const wanted = WANTED[name]
  if (kind === 'link') addSymlink(path, faults)
  else if (wanted === undefined) {
    faults.add(
      'unknown-file',
      `Cannot use "${path}": a recipe's folder holds recipe.yaml or amend.yaml, patches and files only`,
      { file: path },
      'Remove it, or move it below files/',
    )
  } else if (kind !== wanted)
    addSpecial(path, wanted === 'file' ? 'a regular file' : 'a folder', faults)
  else return true
  return false
}

function readPatches(folder: string, faults: Faults): LocalFile[] {
  return list(join(folder, 'patches'), faults).flatMap(({ name, path, kind }) => {
    if (kind === 'link') addSymlink(path, faults)
    else if (!name.endsWith('.patch') || kind === 'folder') {
      faults.add(
        'unknown-file',
        `Cannot use "${path}": patches/ holds files whose names end in .patch only`,
        {
          file: path,
        },
      )
    } else return patchFile(folder, name, faults)
    return []
  })
}

function patchFile(folder: string, name: string, faults: Faults): LocalFile[] {
  const path = join(folder, 'patches', name)
  const content = readBeneath(folder, `patches/${name}`, MAX_PATCH, faults)
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
 * All regular files at or below `names` (relative to `root`, each a file or folder), sorted by
 * name; no link is followed. Faults: those of reading; `missing` is told of names that are not
 * there. A name below another is no fault: a set has each file once.
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
      for (const path of stat.isDirectory() ? walk(root, name, faults) : [name])
        if (!found.has(path))
          for (const file of localFile(root, path, path, faults)) found.set(path, file)
    }
  }
  return [...found.values()].sort((a, b) => byCodeUnit(a.name, b.name))
}

/** Paths of regular files below the folder at `path`; all are relative to `root`. */
function walk(root: string, path: string, faults: Faults): string[] {
  return list(join(root, path), faults).flatMap((entry) => {
    const inner = `${path}/${entry.name}`
    if (Buffer.byteLength(inner) > MAX_PATH) {
      faults.add(
        'bad-file-name',
        `Cannot use "${entry.path}": the path has more than ${MAX_PATH} bytes`,
        {
          file: entry.path,
        },
      )
      return []
    }
    if (entry.kind === 'folder') return walk(root, inner, faults)
    if (entry.kind === 'file') return [inner]
    if (entry.kind === 'link') addSymlink(entry.path, faults)
    else addSpecial(entry.path, 'a regular file', faults)
    return []
  })
}

/** The file at `path` below `root` as `name`; none after noting why it cannot be read. */
function localFile(root: string, path: string, name: string, faults: Faults): LocalFile[] {
  const content = readBeneath(root, path, MAX_FILE, faults)
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
