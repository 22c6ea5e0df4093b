import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { Header } from 'tar/header'
import { openFile } from '../base/beneath.ts'
import { CHUNK, endSparse, isZero, writeSparse } from '../base/chunks.ts'
import { EPOCH } from '../base/constants.ts'
import { asDigest, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { Turns } from '../base/turns.ts'

/** What a tar says of an entry, before its content. */
export type TarEntry =
  | { readonly type: 'folder'; readonly path: string; readonly mode: number }
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly size: number }
  | { readonly type: 'link'; readonly path: string; readonly target: string }

/** Bytes that a tar is a multiple of. */
const BLOCK = 512

/** What ends a tar. */
const END = Buffer.alloc(2 * BLOCK)

/** Bytes of a name that a header holds in every reader's opinion. */
const SHORT = 99

/** Size from which a header's octal digits do not suffice. */
const LARGE = 8 * 2 ** 30

/** More than the records of the longest path and target take. */
const LONGEST_RECORDS = 1 << 14

/**
 * The blocks in front of an entry's content: a header of POSIX.1-1988 (ustar), and before it, for
 * names that are long or not ASCII and for large files, the records of POSIX.1-2001 (pax). Each
 * entry has one form only.
 */
export function encodeEntry(entry: TarEntry): Buffer {
  const name = entry.type === 'folder' ? `${entry.path}/` : entry.path
  const target = entry.type === 'link' ? entry.target : ''
  const size = entry.type === 'file' ? entry.size : 0
  const records: [key: string, value: string][] = []
  if (!isPlain(name)) records.push(['path', name])
  if (!isPlain(target)) records.push(['linkpath', target])
  if (size >= LARGE) records.push(['size', String(size)])
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

/** `length key=value`: the length counts its own digits, too. */
function encodeRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  let length = bytes + String(bytes).length
  if (String(length).length > String(bytes).length) length += 1
  return Buffer.from(`${length}${rest}`)
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

/** A tar that is being written, to a file or only to know its digest. */
export class TarWriter {
  readonly #fd: number | undefined
  readonly #hash = createHash('sha256')
  readonly #buffer = Buffer.allocUnsafe(CHUNK)
  #filled = 0
  #written = 0

  /** Replaces the file `target`. Throws the system's error, as all its methods do. */
  constructor(target: string | undefined) {
    this.#fd = target === undefined ? undefined : openSync(target, 'w')
  }

  /** Bytes so far. */
  get size(): number {
    return this.#written + this.#filled
  }

  write(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const part = data.subarray(at, at + CHUNK - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled === CHUNK) this.#flush()
    }
  }

  /** Ends the content of an entry. */
  pad(size: number): void {
    this.write(END.subarray(0, padding(size)))
  }

  /** Ends the tar. */
  end(): { readonly digest: Digest; readonly size: number } {
    this.write(END)
    this.#flush()
    if (this.#fd !== undefined) endSparse(this.#fd, this.#written)
    return { digest: asDigest(this.#hash.digest('hex')), size: this.size }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }

  #flush(): void {
    const data = this.#buffer.subarray(0, this.#filled)
    this.#hash.update(data)
    if (this.#fd !== undefined) writeSparse(this.#fd, data, this.#written)
    this.#written += this.#filled
    this.#filled = 0
  }
}

/** A tar that is being read. */
export class TarReader {
  readonly #fd: number
  readonly #hash = createHash('sha256')
  readonly #buffer = Buffer.allocUnsafe(CHUNK)
  /** Where in the buffer the bytes begin and end that were read and not taken. */
  #from = 0
  #to = 0
  /** Bytes of the file that were read, and that it has. */
  #read = 0
  readonly #size: number

  /** Throws `not-a-file`, or the system's error. */
  constructor(path: string) {
    const { fd, stat } = openFile(path)
    this.#fd = fd
    this.#size = stat.size
  }

  /**
   * The entries, each with its content in chunks. Take the whole content before the next entry; a
   * chunk is valid until then, or until the next chunk. Only what {@link encodeEntry} writes is
   * read: anything else fails with `artifact-format`, since it is damaged or was not made here.
   */
  async *entries(turns: Turns): AsyncGenerator<{ entry: TarEntry; content: Iterable<Buffer> }> {
    for (let block = this.#take(BLOCK); !isZero(block); block = this.#take(BLOCK)) {
      const entry = this.#entry(Buffer.from(block))
      yield { entry, content: this.#content(entry.type === 'file' ? entry.size : 0) }
      await turns.pass()
    }
    if (!isZero(this.#take(BLOCK)) || this.#left !== 0)
      throw malformed('something stands behind its end')
  }

  /** Digest of all bytes, once {@link entries} has ended. */
  digest(): Digest {
    return asDigest(this.#hash.digest('hex'))
  }

  close(): void {
    closeSync(this.#fd)
  }

  #entry(first: Buffer): TarEntry {
    const header = decodeHeader(first)
    if (header.type !== 'ExtendedHeader') return verified(entryOf(header, {}), [first])
    const { size = 0 } = header
    if (size > LONGEST_RECORDS) throw malformed('a header is too long')
    const records = Buffer.from(this.#take(size + padding(size)))
    const second = Buffer.from(this.#take(BLOCK))
    const entry = entryOf(decodeHeader(second), decodeRecords(records.subarray(0, size)))
    return verified(entry, [first, records, second])
  }

  *#content(size: number): Generator<Buffer> {
    if (size > this.#left) throw malformed('it ends early')
    // Whole chunks, so that their blocks stay aligned.
    for (let left = size; left > 0; left -= CHUNK) yield this.#take(Math.min(left, CHUNK))
    if (!isZero(this.#take(padding(size)))) throw malformed('something stands behind a content')
  }

  /** Bytes that were not taken yet. */
  get #left(): number {
    return this.#size - this.#read + this.#to - this.#from
  }

  /** The next `length` bytes, at most a chunk; valid until the next call. */
  #take(length: number): Buffer {
    while (this.#to - this.#from < length) {
      this.#buffer.copyWithin(0, this.#from, this.#to)
      this.#to -= this.#from
      this.#from = 0
      const read = readSync(this.#fd, this.#buffer, this.#to, CHUNK - this.#to, this.#read)
      if (read === 0) throw malformed('it ends early')
      this.#to += read
      this.#read += read
    }
    const taken = this.#buffer.subarray(this.#from, (this.#from += length))
    this.#hash.update(taken)
    return taken
  }
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
 * Read by the lengths that they state, since a name may hold a newline. What is no record is left
 * out.
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

/** The entry, if it is written with these bytes and no others. */
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

function malformed(reason: string, cause?: unknown): FixpointError {
  return new FixpointError('fetch', 'artifact-format', `Cannot read an artifact: ${reason}`, {
    cause,
  })
}
