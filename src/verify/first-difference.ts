import { closeSync, readFileSync } from 'node:fs'
import { beneath } from '../base/beneath.ts'
import { compareListings } from '../store/compare-listings.ts'
import type { Entry, Listing } from '../store/listing.ts'
import { firstDifferentByte } from './compare-files.ts'
import { elfSectionAt } from './elf.ts'

/** An unpacked artifact. */
export interface Tree {
  readonly folder: string
  readonly listing: Listing
}

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
export async function firstDifference(a: Tree, b: Tree): Promise<Difference | undefined> {
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
  return describeFiles(openIn(folderA, a.path), openIn(folderB, b.path), Math.max(a.size, b.size))
}

/** Opens a file of an artifact: what else the artifact holds, such as links, has no say. */
function openIn(folder: string, path: string): number {
  return beneath(folder, path, (parent, name) => parent.read(name))
}

/**
 * Bytes; two files of that size may be held in memory, to tell in which section of a program they
 * differ.
 */
const HELD = 256 << 20

/** Closes both files. */
async function describeFiles(a: number, b: number, size: number): Promise<string> {
  try {
    if (size <= HELD) return describeContents(readFileSync(a), readFileSync(b))
    const offset = await firstDifferentByte(
      `/proc/self/fd/${String(a)}`,
      `/proc/self/fd/${String(b)}`,
      size,
    )
    return `offset ${String(offset)}`
  } finally {
    closeSync(a)
    closeSync(b)
  }
}

/** In words, the first byte in which two files' contents differ. */
export function describeContents(a: Buffer, b: Buffer): string {
  const offset = firstOffset(a, b)
  if (offset === undefined) return 'no difference'
  const section = elfSectionAt(a, offset) ?? elfSectionAt(b, offset)
  const where = `offset ${String(offset)} (0x${offset.toString(16)})${section === undefined ? '' : `, section ${section}`}`
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
