import type { Turns } from '../../base/turns.ts'
import { digestsBelow, isWanted, type Wanted } from './digests.ts'
import type { Known } from './known.ts'
import type { BadFile } from './plan.ts'
import type { Entry } from './tree.ts'
import { KIT } from '../kit/layout.ts'

/** What is wrong with a kit. */
export interface KitState {
  readonly bad: readonly BadFile[]
  /** Paths of files, links and the like that no list names. */
  readonly unlisted: readonly string[]
}

/** Hashes all files of a kit. `entries` are all that is there. */
export async function inspectKit(
  root: string,
  entries: readonly Entry[],
  known: Known,
  turns: Turns,
): Promise<KitState> {
  const wanted = [...known.wanted.values(), ...(known.parity?.values() ?? [])]
  const there = new Set(entries.map(({ path }) => path))
  const bad: BadFile[] = []
  for (const file of wanted) {
    const fault = await faultOf(root, file, there, turns)
    if (fault !== undefined) bad.push({ path: file.path, fault })
  }
  return { bad, unlisted: known.isComplete ? unlistedOf(entries, known) : [] }
}

async function faultOf(
  root: string,
  file: Wanted,
  there: ReadonlySet<string>,
  turns: Turns,
): Promise<BadFile['fault'] | undefined> {
  const found = await digestsBelow({ root, path: file.path }, turns)
  // A folder in place of a file is not among the entries.
  if (found === 'unreadable') return there.has(file.path) ? 'bad' : 'unreadable'
  if (found === 'missing') return 'missing'
  return isWanted(file, found) ? undefined : 'bad'
}

function unlistedOf(entries: readonly Entry[], { wanted, parity }: Known): string[] {
  return entries.flatMap(({ path, size }) => {
    const [top] = path.split('/')
    if (top === KIT.damaged || top === KIT.checks || wanted.has(path)) return []
    if (path === KIT.tagManifest || path.startsWith(`${KIT.tagManifest}.sig`)) return []
    // While the list of parity is lost, whatever may be parity counts as such.
    if (top === KIT.parity && size !== undefined && (parity?.has(path) ?? true)) return []
    if (path === KIT.paritySums) return []
    return [path]
  })
}
