import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  readdir,
  readFile,
  readlink,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * A tree in memory, by path: text or bytes of a file, `{ link }`, or undefined for a folder; a mode
 * where it is not 0644 or 0755.
 */
export type Tree = Readonly<
  Record<string, string | Uint8Array | undefined | { readonly link: string } | Moded>
>

interface Moded {
  readonly mode: number
  readonly data?: string | Uint8Array
}

/** Writes a tree below `root`, its entries in the order of the object, and sets modes last. */
export async function writeTreeAt(root: string, tree: Tree): Promise<void> {
  await mkdir(root, { recursive: true })
  const modes: [path: string, mode: number][] = []
  for (const [path, entry] of Object.entries(tree)) {
    const full = join(root, path)
    await mkdir(dirname(full), { recursive: true })
    if (entry === undefined) await mkdir(full, { recursive: true })
    else if (typeof entry === 'string' || entry instanceof Uint8Array) await writeFile(full, entry)
    else if ('link' in entry) await symlink(entry.link, full)
    else {
      if (entry.data === undefined) await mkdir(full, { recursive: true })
      else await writeFile(full, entry.data)
      modes.push([full, entry.mode])
    }
  }
  for (const [full, mode] of modes.reverse()) await chmod(full, mode)
}

/**
 * Every entry below `root` as one line: path, type, mode, content or target; sorted. Two equal
 * lists are two equal trees.
 */
export async function describeTree(root: string): Promise<string[]> {
  const lines: string[] = []
  const visit = async (folder: string): Promise<void> => {
    for (const name of await readdir(join(root, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`
      const full = join(root, path)
      const stat = await lstat(full)
      const mode = (stat.mode & 0o7777).toString(8)
      if (stat.isDirectory()) lines.push(`${path} folder ${mode}`)
      else if (stat.isSymbolicLink()) lines.push(`${path} link ${await readlink(full)}`)
      else if (stat.isFile())
        lines.push(`${path} file ${mode} ${(await readFile(full)).toString('base64')}`)
      else lines.push(`${path} special`)
      if (stat.isDirectory()) await visit(path)
    }
  }
  await visit('')
  return lines.sort()
}

/** Gives everything below `root` another time, the folder itself too. */
export async function touchAll(root: string, seconds: number): Promise<void> {
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const full = join(root, entry.name)
    if (entry.isDirectory()) await touchAll(full, seconds)
    else await lutimes(full, seconds, seconds)
  }
  await utimes(root, seconds, seconds)
}

/** Flips one bit of the byte at `offset` of a file; negative offsets count from its end. */
export async function flipByte(path: string, offset: number): Promise<void> {
  const data = await readFile(path)
  const at = offset < 0 ? data.length + offset : offset
  data[at] = (data[at] ?? 0) ^ 1
  const { mode } = await lstat(path)
  await chmod(path, 0o644)
  await writeFile(path, data)
  await chmod(path, mode & 0o7777)
}
