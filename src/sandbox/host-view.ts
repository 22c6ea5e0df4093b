import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, symlink, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EPOCH } from '../base/constants.ts'
import { removeTree } from '../base/remove-tree.ts'
import type { Mount } from './bwrap.ts'

/** What a host layer's sandbox shows of the host; paths are relative to the host's root. */
export interface HostView {
  /** Folders that are shown read-only; none lies in another. */
  readonly folders: readonly string[]
  /** Links that are made anew: path, target. */
  readonly links: readonly (readonly [path: string, target: string])[]
  /** Folders in those shown that are hidden by an empty one. */
  readonly hidden: readonly string[]
}

/** Links into /usr, or on old systems folders. */
const TOP = /^(bin|sbin|lib|lib32|lib64|libx32)$/

/** Of /usr all is shown but this: no build looks there, and some of it changes by itself. */
const LEFT_OUT = ['games', 'local', 'share', 'src', 'tmp']

/**
 * Of /usr/share what build tools read, in whatever version; the rest is manuals, pictures and
 * caches.
 */
const SHARED =
  /^(aclocal|autoconf|automake|awk|bison|cmake|flex|gcc|gettext|libtool|misc|perl|perl5|pkgconfig|python3|texinfo)(-?[\d.]+)?$/

/**
 * Of the folders of libraries what has gigabytes, or is made by the machine, and is of no use to a
 * C compiler.
 */
const NO_LIBRARIES = [
  'debug',
  'firmware',
  'google-cloud-sdk',
  'jvm',
  'libreoffice',
  'modules',
  'node_modules',
  'postgresql',
  'systemd',
]

/** Where Debian's /usr/bin/cc, awk and others point to. */
const ALTERNATIVES = 'etc/alternatives'

/**
 * What the sandbox of a host layer shows of the host whose root is `root`, and thereby what the
 * host's fingerprint is made of: both come from here, so that a step cannot use what the
 * fingerprint does not know.
 */
export function hostView(root = '/'): HostView {
  const found = [
    ...entriesOf(root, '').filter((path) => TOP.test(path)),
    ...entriesOf(root, 'usr').filter((path) => !LEFT_OUT.includes(path.slice('usr/'.length))),
    ...entriesOf(root, 'usr/share').filter((path) => SHARED.test(path.slice('usr/share/'.length))),
  ]
  const types = found.map((path) => [path, lstatSync(join(root, path))] as const)
  const folders = types.flatMap(([path, type]) => (type.isDirectory() ? [path] : []))
  const links = types.flatMap(([path, type]) => (type.isSymbolicLink() ? [path] : []))
  const libraries = folders.filter((path) => /^(usr\/)?lib[^/]*$/.test(path))
  return {
    folders: existsSync(join(root, ALTERNATIVES)) ? [...folders, ALTERNATIVES] : folders,
    links: links.map((path) => [path, readlinkSync(join(root, path))] as const),
    hidden: libraries
      .flatMap((path) => NO_LIBRARIES.map((name) => `${path}/${name}`))
      .filter(isFolderIn(root)),
  }
}

/** Paths of what is in a folder, none when it is missing. */
function entriesOf(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder))
    .sort()
    .map((name) => join(folder, name))
}

function isFolderIn(root: string): (path: string) => boolean {
  return (path) => lstatSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() === true
}

/** Names in the work folder of what is shown as /usr, and in place of hidden folders. */
const [USR, EMPTY] = ['usr', 'empty'] as const

/**
 * Mounts that show the host in a sandbox. The folder for /usr, with links and mount points, is made
 * anew in `work`.
 */
export async function showHost(work: string, view = hostView()): Promise<Mount[]> {
  const [usr, empty] = [join(work, USR), join(work, EMPTY)]
  for (const folder of [usr, empty]) {
    await removeTree(folder)
    await mkdir(folder)
  }
  const made = new Set([usr, empty])
  for (const path of view.folders.filter(isBelowUsr)) {
    await mkdir(join(work, path), { recursive: true })
    for (let folder = join(work, path); folder !== usr; folder = dirname(folder)) made.add(folder)
  }
  for (const [path, target] of view.links.filter(([path]) => isBelowUsr(path)))
    await symlink(target, join(work, path))
  for (const folder of made) {
    await chmod(folder, 0o755)
    await utimes(folder, EPOCH, EPOCH)
  }
  return [
    { from: usr, to: `/${USR}` },
    ...view.folders.map((path) => ({ from: `/${path}`, to: `/${path}` })),
    ...view.hidden.map((path) => ({ from: empty, to: `/${path}` })),
  ]
}

function isBelowUsr(path: string): boolean {
  return path.startsWith(`${USR}/`)
}
