import type { Folder } from '../../base/beneath.ts'
import { isDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { readRegularBytes } from '../../base/regular.ts'
import { visible } from '../../base/visible.ts'
import { isFileName } from '../../metadata/format/source-places.ts'

/** The name of a mirror's list. */
export const SUMS = 'SHA256SUMS'

/** Bytes that a list may have: some 100,000 lines. */
export const LARGEST_LIST = 16 << 20

/** Lines of a list that are named as faulty: a hostile one may have millions of them. */
const MOST_FAULTS = 1000

/** Characters of a line: a digest, and as much as PATH_MAX of Linux. */
const LONGEST_LINE = 66 + 4096

/** A file of a mirror: its name there, and the SHA-256 of its bytes. */
export interface MirrorFile {
  readonly name: string
  readonly digest: Digest
}

/** What is wrong with a line of a list. `path` is that of the list; `line` counts from 1. */
export type LineFault =
  /** It is no digest with a name, or gives a name another digest than a line before. */
  | { readonly kind: 'garbled' | 'repeated'; readonly path: string; readonly line: number }
  /** No file of a mirror may have that name: it may lead out of the folder, or is the list's. */
  | {
      readonly kind: 'unsafe'
      readonly path: string
      readonly line: number
      readonly name: string
    }

/** What a list says. */
export interface SumsList {
  /** Name to digest, in the order of lines. Of lines that contradict each other the last counts. */
  readonly sums: ReadonlyMap<string, Digest>
  /** The first 1000 of them. */
  readonly faults: readonly LineFault[]
}

/**
 * Reads a list as sha256sum(1) writes it. Blank lines, and comments that begin with `#`, say
 * nothing. Never fails.
 */
export function parseList(text: string): SumsList {
  const sums = new Map<string, Digest>()
  const faults: LineFault[] = []
  const fault = (one: LineFault): void => {
    if (faults.length < MOST_FAULTS) faults.push(one)
  }
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const where = { path: SUMS, line: at + 1 }
    const found = parseLine(line)
    if (found === undefined) fault({ kind: 'garbled', ...where })
    else if (!isMirrorName(found.name)) fault({ kind: 'unsafe', ...where, name: found.name })
    else {
      if ((sums.get(found.name) ?? found.digest) !== found.digest)
        fault({ kind: 'repeated', ...where })
      sums.set(found.name, found.digest)
    }
  }
  return { sums, faults }
}

/**
 * Name to digest of a list. Names with a folder, that of the list itself and lines of another form
 * are left out.
 */
export function parseSums(text: string): ReadonlyMap<string, Digest> {
  return parseList(text).sums
}

/**
 * The list without the lines that name a file of `drop`, and with lines for `add` at its end. All
 * other lines stay as they are, byte by byte, whatever they are.
 */
export function editList(
  list: Buffer,
  change: { readonly drop?: ReadonlySet<string>; readonly add?: readonly MirrorFile[] },
): Buffer {
  const { drop = new Set(), add = [] } = change
  // One character a byte: a list may be no text.
  const kept = list
    .toString('latin1')
    .split('\n')
    .filter((line) => !drop.has(parseLine(Buffer.from(line, 'latin1').toString())?.name ?? ''))
    .join('\n')
  // A list that ends within a line would swallow the next line.
  const end = add.length > 0 && kept !== '' && !kept.endsWith('\n') ? '\n' : ''
  const added = add.map(({ name, digest }) => `${digest}  ${name}\n`).join('')
  return Buffer.concat([Buffer.from(kept + end, 'latin1'), Buffer.from(added)])
}

/**
 * The bytes of a mirror's list; undefined where it has none. Fails with `mirror-entry` for what is
 * no regular file, or too large for a list.
 */
export async function readList(mirror: Folder): Promise<Buffer | undefined> {
  const found = mirror.stat(SUMS)
  if (found === undefined) return undefined
  if (!found.isFile()) throw inTheWay(mirror, SUMS, 'is no regular file')
  const list = await readRegularBytes(mirror.at(SUMS), LARGEST_LIST, 'refuse')
  if (list === undefined) throw inTheWay(mirror, SUMS, `has more than ${LARGEST_LIST} bytes`)
  return list
}

/** The list of a folder that has to be a mirror. Fails with `no-mirror-list` or `mirror-entry`. */
export async function requireList(folder: Folder): Promise<Buffer> {
  const list = await readList(folder)
  if (list === undefined) throw noList(folder.shown, `it has no ${SUMS}`)
  return list
}

/** The error of a folder that is no mirror. */
export function noList(path: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('no-mirror-list', `Cannot use "${path}" as a mirror: ${reason}`, {
    cause,
  })
}

/** The error of something that is where a mirror should have a file. */
export function inTheWay(mirror: Folder, name: string, fault: string): FixpointError {
  return new FixpointError(
    'mirror-entry',
    `Cannot use mirror "${mirror.shown}": "${visible(name)}" there ${fault}`,
  )
}

/** Whether a file of a mirror may have that name: not a list's, on disks that know no case too. */
export function isMirrorName(name: string): boolean {
  return isFileName(name) && name.toUpperCase() !== SUMS
}

/** Undefined for what is no such line. The name may be any, of a length that paths have. */
function parseLine(line: string): MirrorFile | undefined {
  if (line.length > LONGEST_LINE) return undefined
  const [, digest = '', name = ''] = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/.exec(line) ?? []
  return isDigest(digest) ? { name, digest } : undefined
}
