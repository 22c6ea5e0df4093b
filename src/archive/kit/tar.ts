import { closeSync } from 'node:fs'
import { Descent, Folder } from '../../base/beneath.ts'
import { chunksOf } from '../../base/chunks.ts'
import type { Digest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import { Turns } from '../../base/turns.ts'
import { encodeEntry } from '../../store/artifact/tar-header.ts'
import { TarWriter } from '../../store/artifact/tar-writer.ts'
import { treeBelow } from '../repair/tree.ts'
import { KIT } from './layout.ts'

/** A kit as one tar file. */
export interface PackedKit {
  /** Digest of the tar. */
  readonly sha256: Digest
  /** Bytes of the tar. */
  readonly size: number
}

/**
 * Writes a kit of our own to a tar file (POSIX.1-2001), which depends on names and contents alone:
 * paths in order, owner 0:0, one constant time, modes 755 or 644. README.txt comes first, so that
 * the beginning of the file can be read without any program for tars. Rejects with the system's
 * error.
 */
export async function packKit(kit: string, file: string, signal: AbortSignal): Promise<PackedKit> {
  const turns = new Turns(signal)
  const tree = new Descent(Folder.open(kit))
  const tar = new TarWriter(file)
  try {
    const folders = new Set<string>()
    for (const path of orderedPaths(kit)) {
      for (const folder of foldersAbove(path)) {
        if (folders.has(folder)) continue
        folders.add(folder)
        tar.write(encodeEntry({ type: 'folder', path: folder, mode: 0o755 }))
      }
      await packFile(tree, path, tar, turns)
    }
    const { digest, size } = tar.end()
    return { sha256: digest, size }
  } finally {
    tar.close()
    tree.close()
  }
}

function orderedPaths(kit: string): string[] {
  const rest = treeBelow(kit)
    .map(({ path }) => path)
    .filter((path) => path !== KIT.readme)
  return [KIT.readme, ...rest.sort(byCodeUnit)]
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
}

async function packFile(tree: Descent, path: string, tar: TarWriter, turns: Turns): Promise<void> {
  const { folder, name } = tree.reach(path)
  const { fd, stat } = folder.openFile(name)
  try {
    const mode = (stat.mode & 0o100) === 0 ? 0o644 : 0o755
    tar.write(encodeEntry({ type: 'file', path, mode, size: stat.size }))
    for (const chunk of chunksOf(fd)) {
      tar.write(chunk)
      await turns.pass()
    }
    tar.pad(stat.size)
  } finally {
    closeSync(fd)
  }
}
