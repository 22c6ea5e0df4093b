import { createHash } from 'node:crypto'
import { closeSync, readFileSync } from 'node:fs'
import { digestOf, type Digest } from '../../base/digest.ts'
import { beneath } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { Work, type WorkOptions } from '../par2/work.ts'
import { DEFAULT_MEMORY } from '../par2/limits.ts'
import { readParity, type RecoverySet } from '../par2/recovery-set.ts'
import type { FilesBelow } from '../par2/files-below.ts'
import { digestsBelow, type Wanted } from './digests.ts'
import type { Entry } from './tree.ts'
import { describeFault } from '../kit/faults.ts'
import { KIT } from '../kit/layout.ts'
import { visible } from '../../base/visible.ts'
import { isOfOther } from '../kit/check-parity.ts'
import { parseKitList, type KitList } from '../kit/lists.ts'
import { Turns } from '../../base/turns.ts'

/** Bytes of a list at most. */
const LARGEST_LIST = 16 << 20

/** What a kit should hold, as far as what is left of it says so. */
export interface Known {
  /** Files outside the folder of parity, by path. */
  readonly wanted: ReadonlyMap<string, Wanted>
  /** False where files may be missing from `wanted`: then nothing counts as unlisted. */
  readonly isComplete: boolean
  /** Undefined where too little of the parity is left. */
  readonly set: RecoverySet | undefined
  /** The parity's files; undefined where their list is lost. */
  readonly parity: ReadonlyMap<string, Wanted> | undefined
}

/**
 * Reads what a kit should hold: from its parity, and from those lists of the kit or a copy that
 * parity or the list above confirms. Fails with `kit-refused` for a list that leads out of the kit
 * and for parity of another kit, and as `readParity` does for hostile parity.
 */
export async function readKnown(
  kit: string,
  copies: readonly string[],
  parity: readonly FilesBelow[],
  options: WorkOptions,
): Promise<Known> {
  const set = await parityOf(parity, options)
  if (set !== undefined) await requireOwn(set, kit, new Turns(options.signal))
  const wanted = new Map<string, Wanted>(
    set?.files.map(({ name, size, md5 }) => [name, { path: name, size, md5 }]),
  )
  const roots = [kit, ...copies]
  const tags = findList(roots, KIT.tagManifest, (text, list) => {
    const known = wanted.get(KIT.tagManifest)
    if (known !== undefined) return known.md5 === md5Of(text)
    return list.faults.length === 0 && list.entries.has(KIT.manifest)
  })
  if (tags !== undefined)
    wanted.set(KIT.tagManifest, {
      ...wanted.get(KIT.tagManifest),
      path: KIT.tagManifest,
      sha256: tags.digest,
    })
  const files = findList(roots, KIT.manifest, (text) => {
    const listed = tags?.entries.get(KIT.manifest)
    if (listed !== undefined) return listed === digestOf(text)
    return wanted.get(KIT.manifest)?.md5 === md5Of(text)
  })
  for (const list of [tags, files])
    for (const [path, sha256] of list?.entries ?? [])
      wanted.set(path, { ...wanted.get(path), path, sha256 })
  const sums = findList([kit], KIT.paritySums, (_, list) => list.faults.length === 0)
  return {
    wanted,
    isComplete: set !== undefined || files !== undefined,
    set,
    parity:
      sums &&
      new Map(
        [...sums.entries].map(([name, sha256]) => [
          `${KIT.parity}/${name}`,
          { path: `${KIT.parity}/${name}`, sha256 },
        ]),
      ),
  }
}

/** The parity files among a kit's entries. */
export function parityFiles(root: string, entries: readonly Entry[]): FilesBelow {
  const isParity = ({ path, size }: Entry): boolean =>
    size !== undefined && path.startsWith(`${KIT.parity}/`) && path.endsWith('.par2')
  return { root, paths: entries.filter(isParity).map(({ path }) => path) }
}

async function parityOf(
  parity: readonly FilesBelow[],
  options: WorkOptions,
): Promise<RecoverySet | undefined> {
  try {
    return await readParity(parity, options.memory ?? DEFAULT_MEMORY, new Work(options))
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'parity-unreadable') return undefined
    throw error
  }
}

/**
 * Parity that contradicts the kit's list of tag files is that of another kit, if all of those are
 * as listed: then no damage explains it. By such parity, every file of the kit would count as bad.
 */
async function requireOwn(set: RecoverySet, kit: string, turns: Turns): Promise<void> {
  if (!(await isOfOther(set, kit, turns))) return
  const text = readSmall(kit, KIT.tagManifest)?.toString() ?? ''
  const { entries, faults } = parseKitList(text, 64, KIT.tagManifest)
  if (faults.length > 0) return
  for (const [path, sha256] of entries) {
    const found = await digestsBelow({ root: kit, path }, turns)
    if (typeof found === 'string' || found.sha256 !== sha256) return
  }
  throw new FixpointError(
    'kit-refused',
    `Cannot repair "${kit}": its folder "${KIT.parity}" is that of another kit`,
  )
}

/** The first list of that name that is confirmed. */
function findList(
  roots: readonly string[],
  path: string,
  isConfirmed: (text: Buffer, list: KitList) => boolean,
): (KitList & { readonly digest: Digest }) | undefined {
  for (const root of roots) {
    const bytes = readSmall(root, path)
    if (bytes === undefined) continue
    const list = { ...parseKitList(bytes.toString(), 64, path), digest: digestOf(bytes) }
    if (!isConfirmed(bytes, list)) continue
    requireSafe(list, path)
    return list
  }
  return undefined
}

/** A list that is as it was made, and has faults, was made to harm. */
function requireSafe({ faults }: KitList, path: string): void {
  const [fault] = faults
  if (fault !== undefined)
    throw new FixpointError(
      'kit-refused',
      `Cannot use "${path}" of the kit, as it was made so: ${visible(describeFault(fault))}`,
    )
}

function readSmall(root: string, path: string): Buffer | undefined {
  let fd: number | undefined
  try {
    const opened = beneath(root, path, (folder, name) => folder.openFile(name))
    fd = opened.fd
    return opened.stat.size > LARGEST_LIST ? undefined : readFileSync(fd)
  } catch {
    // Missing, unreadable, or no file: another root may have it.
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function md5Of(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}
