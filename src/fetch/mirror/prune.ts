import type { Digest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import { Turns } from '../../base/turns.ts'
import { examine } from './examine.ts'
import type { MirrorFile } from './list.ts'
import { withMirror, type OpenMirror } from './open.ts'

/** A file that nobody needs. */
export interface Unnamed {
  readonly name: string
  /** 0 for one that is listed and missing. */
  readonly bytes: number
}

/** What pruning a mirror found. */
export interface Pruned {
  /** In the order of names. Removed, if that was asked. */
  readonly unnamed: readonly Unnamed[]
  /** Files whose listed digest nobody names, and that stay all the same: why. */
  readonly spared: readonly { readonly name: string; readonly reason: string }[]
  /** Files whose listed digest is named. */
  readonly kept: number
}

/**
 * Finds the files of a mirror that nobody needs, and removes them with `remove`. `keep` has the
 * digests that are needed. A list may be wrong: each of the other files is read before, and stays
 * if its bytes have such a digest, or cannot be read. What no list names is left alone. Fails as
 * {@link withMirror} does.
 */
export async function pruneMirror(
  path: string,
  keep: ReadonlySet<Digest>,
  { remove, signal }: { readonly remove: boolean; readonly signal: AbortSignal },
): Promise<Pruned> {
  return withMirror(path, 'mirror', async (mirror) => {
    const turns = new Turns(signal)
    const candidates = [...mirror.sums]
      .filter(([, digest]) => !keep.has(digest))
      .map(([name, digest]) => ({ name, digest }))
      .sort((a, b) => byCodeUnit(a.name, b.name))
    const unnamed: Unnamed[] = []
    const spared: { name: string; reason: string }[] = []
    for (const file of candidates) {
      const { name } = file
      const bytes = mirror.folder.stat(name)?.size ?? 0
      const reason = await whySpared(mirror, file, keep, turns)
      if (reason === undefined) unnamed.push({ name, bytes })
      else spared.push({ name, reason })
    }
    const kept = mirror.sums.size - candidates.length
    if (remove)
      for (const { name } of unnamed) {
        signal.throwIfAborted()
        await mirror.remove(name)
      }
    return { unnamed, spared, kept }
  })
}

/** Why a file stays though nobody names its listed digest; undefined where it need not. */
async function whySpared(
  { folder }: OpenMirror,
  file: MirrorFile,
  keep: ReadonlySet<Digest>,
  turns: Turns,
): Promise<string | undefined> {
  const fault = await examine(folder, file, turns)
  switch (fault?.kind) {
    case 'bad':
      return keep.has(fault.found) ? 'its bytes are of a source that is named' : undefined
    case 'not-a-file':
      return 'it is no file'
    case 'unreadable':
      return `it cannot be read: ${fault.reason}`
    default:
      return undefined
  }
}
