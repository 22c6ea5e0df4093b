import { closeSync, readFileSync } from 'node:fs'
import { beneath, type OpenFile } from '../base/beneath.ts'
import { compareListings } from '../store/artifact/compare-listings.ts'
import type { Entry } from '../store/artifact/listing.ts'
import type { UnpackedArtifact } from '../store/rooms.ts'
import { firstDifferentByte } from './compare-files.ts'
import { elfSectionAt } from './elf.ts'

/** Where two artifacts differ first. */
export interface Difference {
  readonly path: string
  /** In words: the offset and ELF section of contents, or what else of the entry differs. */
  readonly what: string
  /** Number of entries that differ. */
  readonly count: number
}

/**
 * The first difference of two artifacts in the order of their paths, or undefined when they are the
 * same.
 */
export async function firstDifference(
  a: UnpackedArtifact,
  b: UnpackedArtifact,
): Promise<Difference | undefined> {
  const all = compareListings(a.listing, b.listing)
  const first = all[0]
  if (first === undefined) return undefined
  return {
    path: first.path,
    what: await describeDifference(first.a, first.b, a.folder, b.folder),
    count: all.length,
  }
}

async function describeDifference(
  a: Entry | undefined,
  b: Entry | undefined,
  folderA: string,
  folderB: string,
): Promise<string> {
  if (a === undefined || b === undefined)
    return `only in the ${a === undefined ? 'second' : 'first'}`
  if (a.type !== b.type) return `a ${a.type} in the first, a ${b.type} in the second`
  if (a.type === 'link' && b.type === 'link') return `link to "${a.target}" and to "${b.target}"`
  if (a.type !== 'link' && b.type !== 'link' && a.mode !== b.mode)
    return `mode ${a.mode.toString(8)} and ${b.mode.toString(8)}`
  if (a.type !== 'file' || b.type !== 'file') return 'no difference'
  return (
    (await differenceOfFiles(openIn(folderA, a.path), openIn(folderB, b.path))) ?? 'no difference'
  )
}

/** Opens a file of an artifact: what else the artifact holds, such as links, has no say. */
function openIn(folder: string, path: string): OpenFile {
  return beneath(folder, path, (parent, name) => parent.openFile(name))
}

/**
 * Bytes; two files of that size may be held in memory, to tell in which section of a program they
 * differ.
 */
const HELD = 256 << 20

/** In words, where two files differ first; undefined when they are the same. Closes both. */
export async function differenceOfFiles(a: OpenFile, b: OpenFile): Promise<string | undefined> {
  try {
    const size = Math.max(a.stat.size, b.stat.size)
    if (size <= HELD) return describeContents(readFileSync(a.fd), readFileSync(b.fd))
    const offset = await firstDifferentByte(inProc(a), inProc(b), size)
    return offset === undefined ? undefined : `offset ${String(offset)} (0x${offset.toString(16)})`
  } finally {
    closeSync(a.fd)
    closeSync(b.fd)
  }
}

function inProc({ fd }: OpenFile): string {
  return `/proc/self/fd/${String(fd)}`
}

/**
 * In words, the first byte in which two files' contents differ; undefined when they are the same.
 */
export function describeContents(a: Buffer, b: Buffer): string | undefined {
  const offset = firstOffset(a, b)
  if (offset === undefined) return undefined
  const section = elfSectionAt(a, offset) ?? elfSectionAt(b, offset)
  const where =
    `offset ${String(offset)} ` +
    `(0x${offset.toString(16)})${section === undefined ? '' : `, section ${section}`}`
  if (offset >= a.length || offset >= b.length)
    return `${where}: sizes are ${String(a.length)} and ${String(b.length)} bytes`
  return `${where}: ${hex(a[offset])} and ${hex(b[offset])}`
}

/** Compares in blocks first: most of two nearly equal files is equal. */
function firstOffset(a: Buffer, b: Buffer): number | undefined {
  const block = 1 << 16
  const common = Math.min(a.length, b.length)
  for (let start = 0; start < common; start += block) {
    const end = Math.min(start + block, common)
    if (a.subarray(start, end).equals(b.subarray(start, end))) continue
    for (let at = start; at < end; at++) if (a[at] !== b[at]) return at
  }
  return a.length === b.length ? undefined : common
}

function hex(byte: number | undefined): string {
  return `0x${(byte ?? 0).toString(16).padStart(2, '0')}`
}
