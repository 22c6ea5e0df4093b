import { lstatSync, readdirSync, readFileSync, type Dirent } from 'node:fs'
import { basename, join } from 'node:path'
import { digestOf, digestOfFile } from '../base/digest.ts'
import { errorCode } from '../base/files.ts'
import { byCodeUnit } from '../base/order.ts'
import type { Faults } from './faults.ts'
import type { LocalFile } from './model.ts'
import { isFileName } from './places.ts'

/** What a recipe's folder holds: the closed list of what may lie there. */
export interface RecipeFolder {
  readonly kind: 'recipe' | 'amend'
  readonly folder: string
  /** Path of recipe.yaml or amend.yaml. */
  readonly file: string
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
}

/** Files of more bytes are hashed as streams; many small ones are read several times faster without. */
const SMALL = 1 << 20

/**
 * Lists a recipe's folder. Undefined when it holds no recipe: silently when there is no file at all (git keeps no empty folders), else after
 * noting `recipe-missing`. Other faults: `unknown-file`, `symlink`, `special-file`, `recipe-and-amendment`, `unreadable-file`.
 */
export async function readRecipeFolder(folder: string, faults: Faults): Promise<RecipeFolder | undefined> {
  const entries = list(folder, faults)
  const names = new Set(entries.map(({ name }) => name))
  for (const entry of entries) checkEntry(folder, entry, faults)
  const patches = names.has('patches') ? await readPatches(join(folder, 'patches'), faults) : []
  const files = names.has('files') ? await readFiles(join(folder, 'files'), faults) : []
  if (names.has('recipe.yaml') && names.has('amend.yaml')) {
    faults.add(
      'recipe-and-amendment',
      `Cannot read "${folder}": it holds both recipe.yaml and amend.yaml`,
      { file: join(folder, 'amend.yaml') },
      'Keep one of them',
    )
    return undefined
  }
  const kind = names.has('recipe.yaml') ? 'recipe' : names.has('amend.yaml') ? 'amend' : undefined
  if (kind === undefined) {
    if (patches.length + files.length > 0 || entries.some((entry) => !entry.isDirectory())) {
      faults.add('recipe-missing', `Cannot read "${folder}": it holds neither recipe.yaml nor amend.yaml`, {
        file: folder,
      })
    }
    return undefined
  }
  return { kind, folder, file: join(folder, `${kind}.yaml`), patches, files }
}

function checkEntry(folder: string, entry: Dirent, faults: Faults): void {
  const path = join(folder, entry.name)
  const wanted = { 'recipe.yaml': 'file', 'amend.yaml': 'file', patches: 'folder', files: 'folder' }[entry.name]
  if (entry.isSymbolicLink()) addSymlink(path, faults)
  else if (wanted === undefined) {
    faults.add(
      'unknown-file',
      `Cannot use "${path}": a recipe's folder holds recipe.yaml or amend.yaml, patches and files only`,
      { file: path },
      'Remove it, or move it below files/',
    )
  } else if (wanted === 'file' ? !entry.isFile() : !entry.isDirectory()) {
    faults.add('special-file', `Cannot use "${path}": it must be a ${wanted}`, { file: path })
  }
}

async function readPatches(folder: string, faults: Faults): Promise<LocalFile[]> {
  const patches: LocalFile[] = []
  for (const entry of list(folder, faults)) {
    const path = join(folder, entry.name)
    if (entry.isSymbolicLink()) addSymlink(path, faults)
    else if (!entry.isFile() || !entry.name.endsWith('.patch')) {
      faults.add('unknown-file', `Cannot use "${path}": patches/ holds files whose names end in .patch only`, {
        file: path,
      })
    } else patches.push(...(await localFile(entry.name, path, faults)))
  }
  return patches
}

async function readFiles(folder: string, faults: Faults): Promise<LocalFile[]> {
  const files: LocalFile[] = []
  for (const { name, path } of walk(folder, '', faults)) files.push(...(await localFile(name, path, faults)))
  return files.sort((a, b) => byCodeUnit(a.name, b.name))
}

/**
 * All regular files at or below `names` (relative to `root`, each a file or folder), sorted by name. Faults: `symlink`, `special-file`,
 * `unreadable-file`; `missing` is told of names that are not there. A name below another is no fault: a set has each file once.
 */
export async function readTree(
  root: string,
  names: readonly string[],
  faults: Faults,
  missing: (name: string, at: number) => void,
): Promise<LocalFile[]> {
  const found = new Map<string, LocalFile>()
  for (const [at, name] of names.entries()) {
    const path = join(root, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) missing(name, at)
    else if (stat.isSymbolicLink()) addSymlink(path, faults)
    else if (!stat.isFile() && !stat.isDirectory()) addSpecial(path, faults)
    else {
      const entries = stat.isFile() ? [{ name, path }] : walk(path, name, faults)
      for (const entry of entries)
        if (!found.has(entry.name))
          for (const file of await localFile(entry.name, entry.path, faults)) found.set(file.name, file)
    }
  }
  return [...found.values()].sort((a, b) => byCodeUnit(a.name, b.name))
}

/** Regular files below a folder; names start with `prefix`. */
function walk(folder: string, prefix: string, faults: Faults): { name: string; path: string }[] {
  const found: { name: string; path: string }[] = []
  for (const entry of list(folder, faults)) {
    const path = join(folder, entry.name)
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isSymbolicLink()) addSymlink(path, faults)
    else if (entry.isDirectory()) found.push(...walk(path, name, faults))
    else if (!entry.isFile() || !isFileName(entry.name)) addSpecial(path, faults)
    else found.push({ name, path })
  }
  return found
}

/** Entries of a folder, sorted by code unit. */
export function list(folder: string, faults: Faults): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => byCodeUnit(a.name, b.name))
  } catch (error) {
    // A link or file of that name is reported where it was found.
    if (errorCode(error) !== 'ENOTDIR') addUnreadable(folder, error, faults)
    return []
  }
}

async function localFile(name: string, path: string, faults: Faults): Promise<LocalFile[]> {
  try {
    const stat = lstatSync(path)
    const digest = stat.size > SMALL ? await digestOfFile(path) : digestOf(readFileSync(path))
    return [{ name, path, digest, executable: (stat.mode & 0o100) !== 0 }]
  } catch (error) {
    addUnreadable(path, error, faults)
    return []
  }
}

function addUnreadable(path: string, error: unknown, faults: Faults): void {
  faults.add('unreadable-file', `Cannot read "${path}": ${errorCode(error) ?? String(error)}`, { file: path })
}

function addSymlink(path: string, faults: Faults): void {
  faults.add(
    'symlink',
    `Cannot use "${path}": it is a symbolic link`,
    { file: path },
    `Replace it by the file it points to: what "${basename(path)}" means would depend on the machine`,
  )
}

function addSpecial(path: string, faults: Faults): void {
  faults.add('special-file', `Cannot use "${path}": it is no regular file`, { file: path })
}
