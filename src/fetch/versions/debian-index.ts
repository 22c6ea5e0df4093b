import { Readable } from 'node:stream'
import { FixpointError } from '../../base/error.ts'
import { filePath } from '../../metadata/format/source-places.ts'
import { readRegularBytes } from '../../base/regular.ts'
import { systemReason } from '../../base/system-error.ts'
import { unpacked } from '../../base/unpacked.ts'
import { isAddress, shownAddress } from '../addresses.ts'
import { askFor, type Asking } from '../ask.ts'
import { PlaceFailure } from '../failure.ts'
import { compareDebianVersions } from './debian-version.ts'

/** The newest version of each source package of a suite, and its files. */
export type SuitePackages = ReadonlyMap<string, SourcePackage>

/** A version of a source package. */
export interface SourcePackage {
  readonly version: string
  /** Also signatures and the control file. */
  readonly files: readonly SourceFile[]
}

/** A file of a source package, as the index states it. */
export interface SourceFile {
  readonly name: string
  /** Bytes. */
  readonly size: number
}

/** Bytes of an index as it is sent, and unpacked. Debian's largest have 12 and 60 MB. */
const [LARGEST, LARGEST_UNPACKED] = [128 << 20, 1 << 30]

/**
 * Reads the index of source packages of a suite (Sources.xz, in section `main`) of the first
 * archive that has one. `bases` are addresses or `file:` paths of archives. Rejects with
 * PlaceFailure that names each archive and why it gave none, and with `no-unpacker`.
 */
export async function readSuite(
  bases: readonly string[],
  suite: string,
  asking: Asking,
): Promise<SuitePackages> {
  const reasons: string[] = []
  for (const base of bases) {
    const address = `${base.replace(/\/+$/, '')}/dists/${suite}/main/source/Sources.xz`
    try {
      return await packagesIn(await bytesAt(address, asking), asking.signal)
    } catch (error) {
      if (!(error instanceof PlaceFailure)) throw error
      const shown = isAddress(address) ? shownAddress(new URL(address)) : address
      reasons.push(`${shown}: ${error.message}`)
    }
  }
  const why = reasons.length === 0 ? 'no archive known' : reasons.join('; ')
  throw new PlaceFailure(why)
}

async function bytesAt(address: string, asking: Asking): Promise<Buffer> {
  const path = filePath(address)
  if (path !== undefined) return readIndex(path)
  if (!isAddress(address) || !URL.canParse(address)) throw new PlaceFailure('no valid address')
  const limits = { ...asking.limits, bytes: LARGEST }
  const answer = await askFor(new URL(address), { ...asking, limits })
  if (answer.status === undefined) throw new PlaceFailure(answer.reason)
  if (answer.status !== 200) throw new PlaceFailure(`HTTP status ${String(answer.status)}`)
  return answer.bytes
}

async function readIndex(path: string): Promise<Buffer> {
  try {
    const bytes = await readRegularBytes(path, LARGEST, 'follow')
    if (bytes !== undefined) return bytes
  } catch (cause) {
    throw new PlaceFailure(systemReason(cause) ?? 'there is no such file', { cause })
  }
  throw new PlaceFailure('no regular file of usual size')
}

/** The newest version of each package in an index, whatever packed it. */
async function packagesIn(packed: Buffer, signal: AbortSignal): Promise<SuitePackages> {
  const packages = new Map<string, SourcePackage>()
  for await (const { name, ...found } of stanzasOf(linesOf(packed, signal))) {
    const before = packages.get(name)
    if (before === undefined || compareDebianVersions(found.version, before.version) > 0)
      packages.set(name, found)
  }
  if (packages.size === 0) throw new PlaceFailure('it lists no source package')
  return packages
}

/** Package, version and files of each stanza of a control file (deb-src-control(5), dsc(5)). */
async function* stanzasOf(
  lines: AsyncIterable<string>,
): AsyncGenerator<SourcePackage & { name: string }> {
  let fields = new Map<string, string>()
  let [field, files]: [string, SourceFile[]] = ['', []]
  for await (const line of lines) {
    if (line === '') {
      const [name, version] = [fields.get('Package'), fields.get('Version')]
      if (name !== undefined && version !== undefined) yield { name, version, files }
      fields = new Map()
      files = []
    }
    const [, begun, value = ''] = /^([\w-]+):\s*(\S*)/.exec(line) ?? []
    if (begun !== undefined) field = begun
    if (begun === 'Package' || begun === 'Version') fields.set(begun, value)
    const [, size, name] = (field === 'Files' && /^\s+\S+\s+(\d+)\s+(\S+)$/.exec(line)) || []
    if (name !== undefined) files.push({ name, size: Number(size) })
  }
}

async function* linesOf(packed: Buffer, signal: AbortSignal): AsyncGenerator<string> {
  let [rest, bytes] = ['', 0]
  try {
    for await (const chunk of unpacked(Readable.from([packed]))) {
      signal.throwIfAborted()
      bytes += chunk.length
      if (bytes > LARGEST_UNPACKED) throw new PlaceFailure('it unpacks to more than any index has')
      // Package names and versions are ASCII; all else is passed over.
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof PlaceFailure || error instanceof FixpointError) throw error
    throw new PlaceFailure(`it is damaged: ${error instanceof Error ? error.message : ''}`)
  }
  // Ends the last stanza, too.
  yield* [rest, '']
}
