import { Header } from 'tar/header'
import { EPOCH } from '../../base/constants.ts'
import { FixpointError } from '../../base/error.ts'

/** What a tar says of an entry, before its content. */
export type TarEntry =
  | { readonly type: 'folder'; readonly path: string; readonly mode: number }
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly size: number }
  | { readonly type: 'link'; readonly path: string; readonly target: string }

/** Bytes. A tar consists of blocks. */
export const BLOCK = 512

/** Bytes of a name that every reader finds in a header. */
const SHORT = 99

/** Size that a header's octal digits cannot express. */
const LARGE = 8 * 2 ** 30

/** More than the records of the longest path and target take. */
const LONGEST_RECORDS = 1 << 14

/**
 * The blocks in front of an entry's content: a header of POSIX.1-1988 (ustar). Long names, names
 * that are not ASCII and large files have records of POSIX.1-2001 (pax) before it. Each entry has
 * one form only.
 */
export function encodeEntry(entry: TarEntry): Buffer {
  const name = entry.type === 'folder' ? `${entry.path}/` : entry.path
  const target = entry.type === 'link' ? entry.target : ''
  const size = entry.type === 'file' ? entry.size : 0
  const records: [key: string, value: string][] = []
  if (!isPlain(name)) records.push(['path', name])
  if (!isPlain(target)) records.push(['linkpath', target])
  if (size >= LARGE) records.push(['size', `${size}`])
  const header = encodeHeader({
    type: TYPES[entry.type],
    path: plain(name),
    linkpath: plain(target),
    mode: entry.type === 'link' ? 0o777 : entry.mode,
    size,
  })
  if (records.length === 0) return header
  const pax = Buffer.concat(records.map(([key, value]) => encodeRecord(key, value)))
  const paxHeader = encodeHeader({
    type: 'ExtendedHeader',
    path: 'PaxHeader',
    linkpath: '',
    mode: 0o644,
    size: pax.length,
  })
  return Buffer.concat([paxHeader, pax, Buffer.alloc(padding(pax.length)), header])
}

const TYPES = { folder: 'Directory', file: 'File', link: 'SymbolicLink' } as const

interface HeaderFields {
  readonly type: (typeof TYPES)[keyof typeof TYPES] | 'ExtendedHeader'
  readonly path: string
  readonly linkpath: string
  readonly mode: number
  readonly size: number
}

function encodeHeader(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK)
  const constant = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(EPOCH * 1000) }
  new Header({ ...fields, ...constant }).encode(block)
  return block
}

/** True for a text that every reader finds as it is in a header. */
function isPlain(text: string): boolean {
  return text.length <= SHORT && Buffer.byteLength(text) === text.length
}

/** What stands in a header for a text that is in a record. */
function plain(text: string): string {
  return isPlain(text) ? text : text.replace(/[^!-.0-~]/g, '_').slice(0, SHORT)
}

/** `length key=value`. The length counts its own digits, too. */
function encodeRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  let length = bytes + String(bytes).length
  if (String(length).length > String(bytes).length) length += 1
  return Buffer.from(`${length}${rest}`)
}

/** Bytes of zeros after a content of `size` bytes. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

/**
 * The entry whose first block is `first`; `take` gives the bytes behind it. Fails with
 * `artifact-format` for anything that {@link encodeEntry} does not write.
 */
export function decodeEntry(first: Buffer, take: (length: number) => Buffer): TarEntry {
  const header = decodeHeader(first)
  if (header.type !== 'ExtendedHeader') return verified(entryOf(header, {}), [first])
  const { size = 0 } = header
  if (size > LONGEST_RECORDS) throw malformed('a header is too long')
  const records = Buffer.from(take(size + padding(size)))
  const second = Buffer.from(take(BLOCK))
  const entry = entryOf(decodeHeader(second), decodeRecords(records.subarray(0, size)))
  return verified(entry, [first, records, second])
}

/** Fields that records state, in place of those of a header. */
interface Records {
  path?: string
  linkpath?: string
  size?: number
}

function decodeHeader(block: Buffer): Header {
  try {
    return new Header(block)
  } catch (cause) {
    throw malformed('a header is damaged', cause)
  }
}

function entryOf(header: Header, records: Records): TarEntry {
  const { type, mode = 0 } = header
  const path = records.path ?? header.path ?? ''
  const size = records.size ?? header.size ?? 0
  const target = records.linkpath ?? header.linkpath ?? ''
  switch (type) {
    case 'Directory':
      return { type: 'folder', path: path.replace(/\/$/, ''), mode }
    case 'File':
      return { type: 'file', path, mode, size }
    case 'SymbolicLink':
      return { type: 'link', path, target }
    default:
      throw malformed(`an entry is of type "${type}"`)
  }
}

/**
 * Reads records by the lengths that they state, since a name may hold a newline. Leaves out what is
 * no record.
 */
function decodeRecords(data: Buffer): Records {
  const records: Records = {}
  for (let at = 0; at < data.length;) {
    const [head = '', length = '', key = ''] =
      /^(\d{1,6}) (\w+)=/.exec(data.toString('latin1', at, at + 20)) ?? []
    const end = at + Number(length)
    if (end <= at + head.length) break
    const value = data.toString('utf8', at + head.length, end - 1)
    if (key === 'size') records.size = Number(value)
    else if (key === 'path' || key === 'linkpath') records[key] = value
    at = end
  }
  return records
}

/** The entry, if {@link encodeEntry} writes it with these bytes. */
function verified(entry: TarEntry, blocks: readonly Buffer[]): TarEntry {
  if (!isEncodable(entry) || !encodeEntry(entry).equals(Buffer.concat(blocks)))
    throw malformed('a header is damaged')
  return entry
}

function isEncodable(entry: TarEntry): boolean {
  const size = entry.type === 'file' ? entry.size : 0
  const mode = entry.type === 'link' ? 0 : entry.mode
  return (
    Number.isSafeInteger(size) && size >= 0 && Number.isInteger(mode) && mode >= 0 && mode <= 0o7777
  )
}

/** The error of a tar that was not made here, or is damaged. */
export function malformed(reason: string, cause?: unknown): FixpointError {
  return new FixpointError('artifact-format', `Cannot read an artifact: ${reason}`, {
    cause,
  })
}
