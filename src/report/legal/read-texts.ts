import { createReadStream } from 'node:fs'
import type { ReadEntry } from 'tar/read-entry'
import { FixpointError } from '../../base/error.ts'
import { LARGEST_LICENSE, licenseText, splitInner, type LicenseFile } from '../../metadata/model.ts'
import { isFile, readTar, unreadable } from '../../fetch/source-tar.ts'

/** What was found of a license file: its text, or in words why there is none. */
export type FoundText = Buffer | string

/** A license file that is looked for in a tarball, at a path in that. */
interface Wanted {
  readonly file: LicenseFile
  readonly path: string
}

/** The reason by which reading ends early. */
class AllFound extends Error {}

/**
 * Reads license files out of a source that is a tarball at `path`, up to the last of them. Nothing
 * is unpacked: the host's programs for gzip, bzip2 and xz read it, and its digest was compared
 * before. Fails with `source-unreadable` or `no-unpacker`.
 */
export async function readTexts(
  path: string,
  name: string,
  files: readonly LicenseFile[],
  signal: AbortSignal,
): Promise<ReadonlyMap<LicenseFile, FoundText>> {
  const search = new Search(files, signal)
  try {
    await search.read(
      createReadStream(path),
      files.map((file) => ({ file, path: file.path })),
    )
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AllFound) return search.found
    throw error instanceof FixpointError ? error : unreadable(name, error)
  }
  return search.found
}

class Search {
  readonly found = new Map<LicenseFile, FoundText>()
  readonly #reading = new AbortController()
  #missing: number

  constructor(files: readonly LicenseFile[], signal: AbortSignal) {
    for (const file of files) this.found.set(file, 'there is no such file')
    this.#missing = this.found.size
    const stop = (): void => {
      this.#reading.abort(signal.reason)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  }

  /** Reads a tarball, and those in it that hold something that is wanted. */
  async read(packed: AsyncIterable<Buffer>, wanted: readonly Wanted[]): Promise<void> {
    const inner: Promise<void>[] = []
    const onEntry = (entry: ReadEntry): void => {
      const matching = isFile(entry) ? wanted.filter(({ path }) => isAt(entry, path)) : []
      const within = isFile(entry) ? withinTarball(entry, wanted) : []
      if (matching.length > 0) this.#collect(entry, matching)
      else if (within.length > 0) {
        const reading = this.read(entry, within)
        reading.catch((error: unknown) => {
          this.#reading.abort(error)
        })
        inner.push(reading)
      } else entry.resume()
    }
    await readTar(packed, onEntry, this.#reading)
    await Promise.all(inner)
  }

  #collect(entry: ReadEntry, wanted: readonly Wanted[]): void {
    const chunks: Buffer[] = []
    const isTooLarge = entry.size > LARGEST_LICENSE
    entry.on('data', (chunk: Buffer) => {
      if (!isTooLarge) chunks.push(chunk)
    })
    entry.on('end', () => {
      const bytes = Buffer.concat(chunks)
      for (const { file } of wanted)
        this.#note(file, isTooLarge ? 'it is larger than any license' : licenseText(bytes, file))
    })
  }

  /** Only the right text ends the search for a file: a tarball may hold a path twice. */
  #note(file: LicenseFile, text: FoundText): void {
    if (typeof this.found.get(file) !== 'string') return
    this.found.set(file, text)
    if (typeof text !== 'string') this.#missing -= 1
    if (this.#missing === 0) this.#reading.abort(new AllFound())
  }
}

/**
 * Whether an entry is at a path in a source. Only the end of a tarball says whether everything is
 * in one folder, which then does not count. The digest will tell.
 */
function isAt({ path }: ReadEntry, wanted: string): boolean {
  const own = path.replace(/^(?:\.\/)+/, '')
  return own === wanted || own.slice(own.indexOf('/') + 1) === wanted
}

/** What is wanted of a tarball that is an entry, with paths in that. */
function withinTarball(entry: ReadEntry, wanted: readonly Wanted[]): Wanted[] {
  return wanted.flatMap(({ file, path }) => {
    const split = splitInner(path)
    return split !== undefined && isAt(entry, split.tarball) ? [{ file, path: split.path }] : []
  })
}
