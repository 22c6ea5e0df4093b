import { createHash } from 'node:crypto'
import { CHECKSUM_BYTES } from './bodies.ts'
import {
  filesOf,
  readWhatIsLeft,
  withBelow,
  type FileBelow,
  type FilesBelow,
  type OpenedFile,
} from './files-below.ts'
import { BlockFinder } from './find-blocks.ts'
import { DEFAULT_MEMORY } from './limits.ts'
import { readParity, type ProtectedFile, type RecoverySet } from './recovery-set.ts'
import type { Work, WorkOptions } from './work.ts'

export interface VerifyOptions extends WorkOptions {
  /** Folder that the names of protected files are relative to. */
  readonly root: string
  /** Parity files of one set: the index, volumes, in any order and number. */
  readonly parity: FilesBelow | readonly FilesBelow[]
  /** Other files that may hold blocks: renamed files, damaged copies. */
  readonly extra?: readonly FilesBelow[] | undefined
}

/** Where a block was found: at a position of a file. */
export interface Place {
  readonly file: FileBelow
  readonly at: number
}

/** What is at the name of a protected file. */
export type FileState = 'whole' | 'damaged' | 'missing' | 'unreadable'

/** What is left of a set. */
export interface Inspection {
  readonly set: RecoverySet
  /** By the index of the file in the set. */
  readonly states: readonly FileState[]
  /** By the index of the block in the set; undefined for lost ones. */
  readonly places: readonly (Place | undefined)[]
}

/** Bytes of a piece of a file that is hashed at once. */
const PIECE = 1 << 20

/** Reads parity, and looks for every block. Fails as `readParity` does. */
export async function inspect(options: VerifyOptions, work: Work): Promise<Inspection> {
  const { root, parity, extra = [], memory = DEFAULT_MEMORY } = options
  const set = await readParity(parity, memory, work)
  const search = new Search(set, root, work)
  const states: FileState[] = []
  for (const file of set.files) states.push(await search.check(file))
  for (const [index, { name }] of set.files.entries())
    if (states[index] === 'damaged') await search.lookInto({ root, path: name })
  const key = (file: FileBelow): string => `${file.root}\0${file.path}`
  const seen = new Set([
    ...set.files.map(({ name }) => key({ root, path: name })),
    ...filesOf(parity).map(key),
  ])
  for (const files of extra)
    for (const path of files.paths) {
      const file = { root: files.root, path }
      if (search.isComplete() || seen.has(key(file))) continue
      seen.add(key(file))
      await search.lookInto(file)
    }
  return { set, states, places: search.places }
}

/** The search for the blocks of one set. */
class Search {
  readonly places: (Place | undefined)[]
  readonly #set: RecoverySet
  readonly #root: string
  readonly #work: Work
  readonly #byName: ReadonlyMap<string, ProtectedFile>
  readonly #owners: readonly ProtectedFile[]
  /** Protected files by size and MD5, and their sizes. */
  readonly #byDigest = new Map<string, ProtectedFile[]>()
  readonly #sizes: ReadonlySet<number>
  /** Blocks of the same checksums, for each block; and those that have a place. */
  readonly #equal: readonly (readonly number[])[]
  readonly #placed = new Set<readonly number[]>()
  /** Files whose blocks all have a place, by size and MD5. */
  readonly #whole = new Set<string>()
  /** Digests of files that were read whole, by path below the root. */
  readonly #digests = new Map<string, string>()
  #finder: BlockFinder | undefined
  #lost: number

  constructor(set: RecoverySet, root: string, work: Work) {
    this.#set = set
    this.#root = root
    this.#work = work
    this.places = Array.from({ length: set.blockCount }, () => undefined)
    this.#lost = set.blockCount
    this.#byName = new Map(set.files.map((file) => [file.name, file]))
    this.#owners = set.files.flatMap((file) => Array.from({ length: file.blockCount }, () => file))
    this.#equal = equalBlocks(set)
    this.#sizes = new Set(set.files.map(({ size }) => size))
    for (const file of set.files) {
      const key = `${file.size} ${file.md5}`
      const same = this.#byDigest.get(key)
      if (same === undefined) this.#byDigest.set(key, [file])
      else same.push(file)
    }
  }

  /** True when no block is lost. */
  isComplete(): boolean {
    return this.#lost === 0
  }

  /** Compares a protected file with its digest. A whole one gives all its blocks. */
  async check(protectedFile: ProtectedFile): Promise<FileState> {
    const { name, size, md5 } = protectedFile
    const file = { root: this.#root, path: name }
    const found = await withBelow(file, async (opened) =>
      opened.size === size ? this.#digest(opened) : undefined,
    )
    if (found === 'missing' || found === 'unreadable') return found
    if (found !== undefined) this.#digests.set(name, found)
    if (found !== md5) return 'damaged'
    this.#takeWhole(file, size, md5)
    this.#takeBlocks(protectedFile, file)
    return 'whole'
  }

  /** Looks for blocks in a file, which may be a whole protected file of another name. */
  async lookInto(file: FileBelow): Promise<void> {
    await withBelow(file, async (opened) => {
      if (this.#sizes.has(opened.size)) {
        const known = file.root === this.#root ? this.#digests.get(file.path) : undefined
        const md5 = known ?? (await this.#digest(opened))
        if (this.#takeWhole(file, opened.size, md5)) return
      }
      this.#work.expect(opened.size)
      this.#finder ??= new BlockFinder(this.#set, this.#work)
      await this.#finder.search(opened, this.#byName.get(file.path), (index, at) =>
        this.#take(index, { file, at }),
      )
    })
  }

  /** Takes the blocks of all protected files of these bytes. False when there is none. */
  #takeWhole(file: FileBelow, size: number, md5: string): boolean {
    const key = `${size} ${md5}`
    const same = this.#byDigest.get(key)
    if (same === undefined) return false
    if (!this.#whole.has(key)) for (const one of same) this.#takeBlocks(one, file)
    this.#whole.add(key)
    return true
  }

  /** Takes all blocks of a protected file from a file of its bytes. */
  #takeBlocks({ firstBlock, blockCount }: ProtectedFile, file: FileBelow): void {
    for (let block = 0; block < blockCount; block++)
      this.#take(firstBlock + block, { file, at: block * this.#set.blockSize })
  }

  /** Notes the place of a block and its equals. */
  #take(index: number, place: Place): void {
    this.#note(index, place)
    const equal = this.#equal[index] ?? []
    if (this.#placed.has(equal)) return
    this.#placed.add(equal)
    for (const other of equal) this.#note(other, place)
  }

  /** Notes the place of a block. One in the file itself goes first. */
  #note(index: number, place: Place): void {
    const known = this.places[index]
    const owner = this.#owners[index]
    const isOwn = ({ file }: Place): boolean =>
      file.root === this.#root && file.path === owner?.name
    if (known === undefined) this.#lost--
    if (known === undefined || (!isOwn(known) && isOwn(place))) this.places[index] = place
  }

  async #digest({ fd, size }: OpenedFile): Promise<string> {
    this.#work.expect(size)
    const hash = createHash('md5')
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, size + 1))
    for (let at = 0; at < size; at += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, size - at))
      readWhatIsLeft(fd, piece, at)
      hash.update(piece)
      await this.#work.did(piece.length)
    }
    return hash.digest('hex')
  }
}

/** For each block of a set all blocks with the same checksums; only itself where none are known. */
function equalBlocks({ files, blockCount }: RecoverySet): (readonly number[])[] {
  const groups = new Map<string, number[]>()
  const all = Array.from({ length: blockCount }, (_, index): readonly number[] => [index])
  for (const { checksums, firstBlock, blockCount: count } of files)
    for (let block = 0; block < (checksums === undefined ? 0 : count); block++) {
      const at = block * CHECKSUM_BYTES
      const key = checksums?.toString('latin1', at, at + CHECKSUM_BYTES) ?? ''
      const group = groups.get(key) ?? []
      groups.set(key, group)
      group.push(firstBlock + block)
      all[firstBlock + block] = group
    }
  return all
}
