import { closeSync, readlinkSync, type Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import { Descent, Folder } from '../../base/beneath.ts'
import { EPOCH } from '../../base/constants.ts'
import { digestOfOpenFile } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { byBytes } from '../../base/order.ts'
import { Turns } from '../../base/turns.ts'
import type { Entry, Listing } from './listing.ts'

/** First difference between a tree and its listing. */
export interface TreeFault {
  readonly path: string
  readonly what:
    | 'missing'
    | 'not listed'
    | 'other type'
    | 'other mode'
    | 'other time'
    | 'other size'
    | 'other content'
    | 'other target'
}

/** The fault in words. A fault of the tree's own folder has no path. */
export function describeFault({ path, what }: TreeFault): string {
  return path === '' ? what : `${path}: ${what}`
}

/** Compares an unpacked tree with its listing, contents included. Undefined: they agree. */
export async function compareTree(
  root: string,
  listing: Listing,
  signal?: AbortSignal,
): Promise<TreeFault | undefined> {
  const top = openTop(root)
  if (top === undefined) return { path: '', what: 'other type' }
  const tree = new Descent(top)
  try {
    const turns = new Turns(signal)
    const extra = await firstUnlisted(top, new Set(listing.map(({ path }) => path)), turns)
    if (extra !== undefined) return { path: extra, what: 'not listed' }
    let late: TreeFault | undefined
    for (const entry of listing) {
      const what = await compareEntry(tree, entry, turns)
      if (what === 'other time') late ??= { path: entry.path, what }
      else if (what !== undefined) return { path: entry.path, what }
      await turns.pass()
    }
    // Last: a folder's time changes with what is in it, which is the better message.
    return late
  } finally {
    tree.close()
  }
}

/** The tree's folder. Undefined for a link, or anything else in its place. */
function openTop(root: string): Folder | undefined {
  const above = Folder.open(dirname(root))
  try {
    return ifAsListed(() => above.folder(basename(root)))
  } finally {
    above.close()
  }
}

/** What `use` gives. Undefined where a folder or file is missing, closed or something else. */
function ifAsListed<T>(use: () => T): T | undefined {
  try {
    return use()
  } catch (error) {
    if (error instanceof FixpointError || ['ENOENT', 'EACCES'].includes(errorCode(error) ?? ''))
      return undefined
    throw error
  }
}

async function firstUnlisted(
  root: Folder,
  listed: ReadonlySet<string>,
  turns: Turns,
): Promise<string | undefined> {
  const found: string[] = []
  const visit = async (folder: Folder, prefix: string): Promise<void> => {
    for (const entry of ifAsListed(() => folder.entries()) ?? []) {
      const name = entry.name.toString()
      const path = `${prefix}${name}`
      await turns.pass()
      if (!listed.has(path) || !Buffer.from(name).equals(entry.name)) found.push(path)
      else if (entry.isDirectory()) await enter(folder, name, path)
    }
  }
  const enter = async (folder: Folder, name: string, path: string): Promise<void> => {
    const inner = ifAsListed(() => folder.folder(name))
    if (inner === undefined) return
    try {
      await visit(inner, `${path}/`)
    } finally {
      inner.close()
    }
  }
  await visit(root, '')
  return found.sort(byBytes)[0]
}

async function compareEntry(
  tree: Descent,
  entry: Entry,
  turns: Turns,
): Promise<TreeFault['what'] | undefined> {
  const found = ifAsListed(() => {
    const { folder, name } = tree.reach(entry.path)
    const stat = folder.stat(name)
    return stat && { folder, name, stat }
  })
  if (found === undefined) return 'missing'
  const fault = await compareKind(found.folder, found.name, entry, found.stat, turns)
  // Actions see the times as well.
  return fault ?? (found.stat.mtimeMs === EPOCH * 1000 ? undefined : 'other time')
}

async function compareKind(
  folder: Folder,
  name: string,
  entry: Entry,
  stat: Stats,
  turns: Turns,
): Promise<TreeFault['what'] | undefined> {
  switch (entry.type) {
    case 'folder':
      if (!stat.isDirectory()) return 'other type'
      return (stat.mode & 0o7777) === entry.mode ? undefined : 'other mode'
    case 'link':
      if (!stat.isSymbolicLink()) return 'other type'
      return readlinkSync(folder.at(name)) === entry.target ? undefined : 'other target'
    case 'file':
      if (!stat.isFile()) return 'other type'
      if ((stat.mode & 0o7777) !== entry.mode) return 'other mode'
      if (stat.size !== entry.size) return 'other size'
      return compareContent(folder, name, entry.sha256, turns)
  }
}

async function compareContent(
  folder: Folder,
  name: string,
  sha256: string,
  turns: Turns,
): Promise<TreeFault['what'] | undefined> {
  const open = ifAsListed(() => folder.openFile(name))
  if (open === undefined) return 'other type'
  try {
    return (await digestOfOpenFile(open.fd, turns)) === sha256 ? undefined : 'other content'
  } finally {
    closeSync(open.fd)
  }
}
