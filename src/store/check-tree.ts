import type { Stats } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { EPOCH } from '../base/constants.ts'
import { digestOfFile } from '../base/digest.ts'
import { byBytes } from '../base/order.ts'
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

/** Compares an unpacked tree with its listing, contents included; undefined when they agree. */
export async function compareTree(root: string, listing: Listing): Promise<TreeFault | undefined> {
  const extra = await firstUnlisted(root, new Set(listing.map((entry) => entry.path)))
  if (extra !== undefined) return { path: extra, what: 'not listed' }
  let late: TreeFault | undefined
  for (const entry of listing) {
    const what = await compareEntry(join(root, entry.path), entry)
    if (what === 'other time') late ??= { path: entry.path, what }
    else if (what !== undefined) return { path: entry.path, what }
  }
  // Last, since a folder's time tells less than what happened in it.
  return late
}

async function firstUnlisted(root: string, listed: ReadonlySet<string>): Promise<string | undefined> {
  const found: string[] = []
  // Not readdir's own recursion: that one follows links, out of the tree too.
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (!listed.has(path)) found.push(path)
      else if (entry.isDirectory()) await visit(path)
    }
  }
  await visit('')
  return found.sort(byBytes)[0]
}

async function compareEntry(path: string, entry: Entry): Promise<TreeFault['what'] | undefined> {
  const stat = await lstat(path).catch(() => undefined)
  if (stat === undefined) return 'missing'
  const fault = await compareKind(path, entry, stat)
  // Actions see the times too.
  return fault ?? (stat.mtimeMs === EPOCH * 1000 ? undefined : 'other time')
}

async function compareKind(path: string, entry: Entry, stat: Stats): Promise<TreeFault['what'] | undefined> {
  switch (entry.type) {
    case 'folder':
      if (!stat.isDirectory()) return 'other type'
      return (stat.mode & 0o7777) === entry.mode ? undefined : 'other mode'
    case 'link':
      if (!stat.isSymbolicLink()) return 'other type'
      return (await readlink(path)) === entry.target ? undefined : 'other target'
    case 'file':
      if (!stat.isFile()) return 'other type'
      if ((stat.mode & 0o7777) !== entry.mode) return 'other mode'
      if (stat.size !== entry.size) return 'other size'
      return (await digestOfFile(path)) === entry.sha256 ? undefined : 'other content'
  }
}
