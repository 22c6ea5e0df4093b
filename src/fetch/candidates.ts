import type { OutgoingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import type { FileSource } from '../metadata/model.ts'
import {
  fileNameOf,
  filePath,
  parsePlace,
  type ParsedPlace,
} from '../metadata/format/source-places.ts'
import { debianAddress, isAddress, mirrorAddress, npmAddress, shownAddress } from './addresses.ts'
import { PlaceFailure } from './failure.ts'
import type { Trust } from './http.ts'
import { findInMirror } from './mirror/find.ts'
import { claimedNames, mirrorNames, placeClaim, provenName } from './names.ts'
import type { HostPlaces } from './ports.ts'

/**
 * One thing to try for a source. `label` is what a user reads: the place as written and where that
 * is.
 */
export type Candidate =
  | {
      readonly kind: 'none'
      readonly label: string
      readonly reason: string
      readonly offline?: boolean
    }
  | LocalCandidate
  | RemoteCandidate

/** What is tried, and what it says of which file it is. */
interface Named {
  readonly label: string
  /** The name that a file found there is known by; undefined where its name says nothing. */
  readonly proves: string | undefined
}

/** A file of this machine. */
export interface LocalCandidate extends Named {
  readonly kind: 'local'
  readonly path: string
}

/** A file of a server. `headers` may hold a secret: only their server gets them. */
export interface RemoteCandidate extends Named, Trust {
  readonly kind: 'remote'
  readonly url: URL
  readonly headers?: OutgoingHttpHeaders
}

/** A cache, which has blobs of others by their digest. */
export interface BlobPlace {
  /** Where it would have a blob; undefined while it is not asked. */
  blob(digest: Digest): LocalCandidate | RemoteCandidate | undefined
}

/** Where sources may come from beside their recipes' `from:`. */
export interface PlaceOptions {
  /** Mirror folders named on the command line. */
  readonly from: readonly string[]
  /** Configured mirrors: folders, `file:` addresses, or base addresses. */
  readonly mirrors: readonly string[]
  /** Base addresses of Debian archives; empty: the host's. */
  readonly debian: readonly string[]
  /** Address of the npm registry; undefined: the host's. */
  readonly npm: string | undefined
  readonly offline: boolean
  /** Caches, asked after all mirrors; opened when a source is not there. */
  readonly caches: () => Promise<readonly BlobPlace[]>
  readonly host: HostPlaces
}

/**
 * All candidates for a source, in the order they are tried: folders of the command line, mirror
 * folders, mirror addresses, caches, then `from:` in order. Lazy, so that the host is asked only
 * when nothing before had the file. With `claimedOnly`, those alone whose name says which file the
 * recipe means.
 */
export async function* candidates(
  source: FileSource,
  options: PlaceOptions,
  claimedOnly: boolean,
): AsyncGenerator<Candidate> {
  const folders = [...options.from, ...options.mirrors.filter((mirror) => !isAddress(mirror))]
  for (const folder of folders) yield* mirrorFolder(filePath(folder) ?? folder, source, claimedOnly)
  const claimed = claimedNames(source)
  const names = mirrorNames(source).filter((name) => !claimedOnly || claimed.includes(name))
  for (const base of options.mirrors.filter(isAddress)) {
    for (const name of names)
      yield remote('mirror', mirrorAddress(base, name), provenName(source, name), options)
  }
  // A cache knows digests only, so it has no say in which file is meant.
  for (const cache of claimedOnly ? [] : await options.caches()) {
    const found = cache.blob(source.sha256)
    if (found !== undefined)
      yield found.kind === 'remote' && options.offline ? skipped(found.label) : found
  }
  for (const written of source.from) {
    const place = parsePlace(written)
    if (place === undefined)
      yield {
        kind: 'none',
        label: written,
        reason: 'unknown kind of place, wanted debian:, npm:, https://, http:// or file:/',
      }
    else yield* recipePlace(written, place, options)
  }
}

async function* mirrorFolder(
  folder: string,
  source: FileSource,
  claimedOnly: boolean,
): AsyncGenerator<Candidate> {
  const label = `mirror folder "${folder}"`
  const { names, fault } = await findInMirror(folder, source, claimedOnly)
  if (fault !== undefined) yield { kind: 'none', label, reason: fault }
  else if (names.length === 0) yield { kind: 'none', label, reason: 'does not have it' }
  for (const name of names) {
    const path = join(folder, name)
    yield {
      kind: 'local',
      label: `mirror folder, "${path}"`,
      path,
      proves: provenName(source, name),
    }
  }
}

async function* recipePlace(
  written: string,
  place: ParsedPlace,
  options: PlaceOptions,
): AsyncGenerator<Candidate> {
  const proves = placeClaim(place)
  switch (place.kind) {
    case 'file':
      yield { kind: 'local', label: written, path: place.path, proves }
      return
    case 'address':
      yield remote('', place.url.href, proves, options)
      return
    case 'debian': {
      const bases = options.debian.length > 0 ? options.debian : await options.host.aptBases()
      if (bases.length === 0)
        yield {
          kind: 'none',
          label: written,
          reason: 'no archive known; set `debian: [ADDRESS]` in the configuration',
        }
      for (const base of bases) {
        const address = debianAddress(base, place.package, place.file)
        const path = filePath(address)
        yield path === undefined
          ? remote(written, address, proves, options)
          : { kind: 'local', label: `${written} (${path})`, path, proves }
      }
      return
    }
    case 'npm':
      yield await npmCandidate(written, place, options)
  }
}

async function npmCandidate(
  written: string,
  place: ParsedPlace & { kind: 'npm' },
  options: PlaceOptions,
): Promise<Candidate> {
  if (options.offline) return skipped(written)
  try {
    const registry = options.npm ?? (await options.host.npmRegistry())
    const address = npmAddress(registry, place.name, fileNameOf(place))
    const found = remote(written, address, placeClaim(place), options)
    if (found.kind !== 'remote' || found.url.protocol !== 'https:') return found
    return { ...found, trusted: await options.host.npmCertificates() }
  } catch (error) {
    if (error instanceof PlaceFailure)
      return { kind: 'none', label: written, reason: error.message }
    throw error
  }
}

function remote(
  written: string,
  address: string,
  proves: string | undefined,
  { offline }: PlaceOptions,
): Candidate {
  if (!isAddress(address) || !URL.canParse(address))
    return { kind: 'none', label: written, reason: `no valid address: "${address}"` }
  const url = new URL(address)
  const shown = shownAddress(url)
  const label = written === '' ? shown : `${written} (${shown})`
  return offline ? skipped(label) : { kind: 'remote', label, url, proves }
}

function skipped(label: string): Candidate {
  return { kind: 'none', label, reason: 'not asked, offline', offline: true }
}
