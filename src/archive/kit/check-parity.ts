import { FixpointError } from '../../base/error.ts'
import { counted } from '../../base/format.ts'
import type { Turns } from '../../base/turns.ts'
import { DEFAULT_MEMORY } from '../par2/limits.ts'
import { readParity, type RecoverySet } from '../par2/recovery-set.ts'
import { Work } from '../par2/work.ts'
import { digestsBelow } from '../repair/digests.ts'
import { KIT } from './layout.ts'

/** A kit whose files are all as its lists say. */
export interface WholeKit {
  readonly root: string
  /** Paths of the parity files. */
  readonly parity: readonly string[]
  /** Paths of all other files. */
  readonly files: Iterable<string>
}

/**
 * Why parity would not repair a kit that is whole now, in words; undefined where it would. Digests
 * of parity files do not tell: their list is in no other, so someone may have replaced them all.
 */
export async function parityReason(
  kit: WholeKit,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const work = new Work({ signal })
  const paths = kit.parity.filter((path) => path.endsWith('.par2'))
  try {
    const set = await readParity({ root: kit.root, paths }, DEFAULT_MEMORY, work)
    if (await isOfOther(set, kit.root, work.turns)) return 'it is that of another kit'
    const names = new Set(set.files.map(({ name }) => name))
    const left = [...kit.files].filter((path) => !names.has(path))
    if (left.length > 0) return `it does not protect ${counted(left.length, 'file')}`
    return set.recovery.length === 0 ? 'it holds no recovery block' : undefined
  } catch (error) {
    if (!(error instanceof FixpointError && error.code.startsWith('parity-'))) throw error
    return error.message
  }
}

/** Whether parity was made of a kit with another ID. Its list of tag files is the one of `root`. */
export async function isOfOther(set: RecoverySet, root: string, turns: Turns): Promise<boolean> {
  const tags = set.files.find(({ name }) => name === KIT.tagManifest)
  const found = await digestsBelow({ root, path: KIT.tagManifest }, turns)
  return typeof found === 'string' || tags?.md5 !== found.md5
}
