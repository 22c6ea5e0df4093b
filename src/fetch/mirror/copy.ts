import { closeSync } from 'node:fs'
import type { Folder } from '../../base/beneath.ts'
import type { Digest } from '../../base/digest.ts'
import { Turns } from '../../base/turns.ts'
import { bring, placeIn } from './bring.ts'
import { openListed } from './examine.ts'
import type { MirrorFault } from './faults.ts'
import { BadOriginal, copyHashed } from './hashed-copy.ts'
import { parseList, requireList, type MirrorFile } from './list.ts'
import { openMirrorFolder, withMirror, type OpenMirror } from './open.ts'

/** What copying a mirror came to. */
export interface MirrorCopy {
  /** Files that were to be right in the copy. */
  readonly files: number
  /** Those of them that were copied now. */
  readonly copied: number
  /** What is wrong with the first mirror, as far as it was read. */
  readonly faults: readonly MirrorFault[]
  /** Files that are not right in the copy, since no file of the first mirror has their bytes. */
  readonly missing: readonly string[]
}

/**
 * Makes everything that the mirror `from` lists right in the folder `to`: a mirror, or empty, or
 * missing. Also mends what `to` lists under other names, if `from` has the same bytes. Each file is
 * hashed while it is copied, and read back. Damaged ones of `from` are in the result; the others
 * are copied. Fails as {@link withMirror} does.
 */
export async function copyMirror(
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<MirrorCopy> {
  const folder = openMirrorFolder(from)
  try {
    const { sums, faults } = parseList((await requireList(folder)).toString())
    const original = new Original(folder, sums, signal)
    return await withMirror(to, 'mirror-or-empty', async (mirror) => {
      const files = wantedIn(mirror, sums, original)
      const missing: string[] = []
      let copied = 0
      for (const file of files) {
        signal.throwIfAborted()
        const place = await placeIn(mirror, file, original.turns)
        try {
          await bring(mirror, place, (part) => original.copy(file.digest, part))
          if (!place.isThere) copied += 1
        } catch (error) {
          if (!(error instanceof BadOriginal)) throw error
          missing.push(file.name)
        }
      }
      return { files: files.length, copied, faults: [...faults, ...original.faults], missing }
    })
  } finally {
    folder.close()
  }
}

/** All that one mirror lists, and what the other lists of the same bytes under other names. */
function wantedIn(
  { sums: own }: OpenMirror,
  sums: ReadonlyMap<string, Digest>,
  original: Original,
): MirrorFile[] {
  const more = [...own].filter(
    ([name, digest]) => sums.get(name) !== digest && original.has(digest),
  )
  return [...sums, ...more].map(([name, digest]) => ({ name, digest }))
}

/** The mirror that is copied: files by their digest. */
class Original {
  readonly turns: Turns
  readonly #folder: Folder
  readonly #names = new Map<Digest, string[]>()
  readonly #faults = new Map<string, MirrorFault>()

  constructor(folder: Folder, sums: ReadonlyMap<string, Digest>, signal: AbortSignal) {
    this.#folder = folder
    this.turns = new Turns(signal)
    for (const [name, digest] of sums) {
      const names = this.#names.get(digest)
      if (names === undefined) this.#names.set(digest, [name])
      else names.push(name)
    }
  }

  /** One for each file at most. */
  get faults(): MirrorFault[] {
    return [...this.#faults.values()]
  }

  has(digest: Digest): boolean {
    return this.#names.has(digest)
  }

  /** Copies the first file that has the bytes. Rejects with {@link BadOriginal} when none has. */
  async copy(digest: Digest, to: string): Promise<void> {
    const names = this.#names.get(digest) ?? []
    for (const name of names) {
      if (this.#faults.has(name)) continue
      const fault = await this.#copyOne(name, digest, to)
      if (fault === undefined) return
      this.#faults.set(name, fault)
    }
    throw new BadOriginal({ reason: 'none of its names has these bytes' })
  }

  async #copyOne(name: string, digest: Digest, to: string): Promise<MirrorFault | undefined> {
    const fd = openListed(this.#folder, name)
    if (typeof fd !== 'number') return fd
    try {
      await copyHashed(fd, digest, to, this.turns)
      return undefined
    } catch (error) {
      if (!(error instanceof BadOriginal)) throw error
      const { fault } = error
      return 'found' in fault
        ? { kind: 'bad', path: name, wanted: digest, found: fault.found }
        : { kind: 'unreadable', path: name, reason: fault.reason }
    } finally {
      closeSync(fd)
    }
  }
}
