import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { visible } from '../base/visible.ts'
import type { FileSource } from '../metadata/model.ts'

/**
 * One place did not deliver. Never leaves this folder: the fetcher collects these and goes on to
 * the next place. A server may have chosen a part of `reason`, so that is made visible.
 */
export class PlaceFailure extends Error {
  /** True when the same place may answer better a little later. */
  readonly retry: boolean
  /** Milliseconds that the server asked to wait. */
  readonly waitMs: number
  /** True when the place works, and just does not have the file. */
  readonly isAbsent: boolean
  /** True when the place let us wait for longer than it may. */
  readonly isLate: boolean
  /** True when its file is larger than the limit. */
  readonly isTooLarge: boolean

  constructor(reason: string, about: AboutFailure = {}) {
    super(visible(reason), { cause: about.cause })
    this.retry = about.retry ?? false
    this.waitMs = about.waitMs ?? 0
    this.isAbsent = about.isAbsent ?? false
    this.isLate = about.isLate ?? false
    this.isTooLarge = about.isTooLarge ?? false
  }
}

/** What a failure of a place may have beside its reason. */
type AboutFailure = Partial<
  Pick<PlaceFailure, 'retry' | 'waitMs' | 'isAbsent' | 'isLate' | 'isTooLarge' | 'cause'>
>

/** A place whose file is larger than any may be. */
export function tooLarge(limit: number): PlaceFailure {
  const reason = `larger than ${String(limit)} bytes, more than any source may have`
  return new PlaceFailure(reason, { isTooLarge: true })
}

/** Why a place, as a user reads its name, did not deliver. */
export interface Reason {
  readonly place: string
  readonly reason: string
  /** SHA-256 of what it delivered, when that was something else. */
  readonly actual?: Digest
  /** True when it was not asked because of --offline. */
  readonly offline?: boolean
}

/**
 * The one error for a source that no place delivered: names it, the digests, and each place with
 * its reason. `knownAs` are the names that its digest is known by, where they are others than the
 * recipe's.
 */
export function sourceError(
  source: FileSource,
  reasons: readonly Reason[],
  knownAs: readonly string[] = [],
): FixpointError {
  const places = listed(reasons)
  const name = visible(source.name)
  const known = knownAs.map((other) => `"${visible(other)}"`).join(', ')
  const wrong = reasons.find(({ actual }) => actual !== undefined)?.actual
  // A wrong digest tells more than a missing file: something was replaced or damaged.
  if (wrong !== undefined) {
    const ofOther = known === '' ? '' : `, which is that of ${known}`
    return new FixpointError(
      'source-digest',
      `Cannot fetch "${name}": sha256 is ${wrong}, ` +
        `recipe wants ${source.sha256}${ofOther}${places}`,
      { facts: { wanted: source.sha256, ...(known !== '' && { knownAs: known }) } },
    )
  }
  if (known !== '') {
    return new FixpointError(
      'source-renamed',
      `Cannot use sha256 ${source.sha256} for "${name}": it is known as that of ${known}, ` +
        `and no place has a file of the new name${places}`,
      { facts: { wanted: source.sha256 } },
    )
  }
  if (reasons.some(({ offline }) => offline)) {
    return new FixpointError(
      'source-offline',
      `Cannot fetch "${name}" offline: no local place has sha256 ${source.sha256}${places}`,
    )
  }
  return new FixpointError(
    'source-unavailable',
    `Cannot fetch "${name}": no place has sha256 ${source.sha256}${places}`,
    { hint: hintAbout(reasons) },
  )
}

/** The error for a file that no recipe names yet, which its place did not deliver. */
export function newSourceError(place: string, reasons: readonly Reason[]): FixpointError {
  const code = reasons.some(({ offline }) => offline) ? 'source-offline' : 'source-unavailable'
  return new FixpointError(code, `Cannot fetch "${visible(place)}"${listed(reasons)}`, {
    hint: hintAbout(reasons),
  })
}

/** Where only files of this machine were asked, no network is to blame. */
function hintAbout(reasons: readonly Reason[]): string | undefined {
  const isLocal = reasons.length > 0 && reasons.every(({ place }) => place.startsWith('file:'))
  return isLocal ? 'Put the file there, or correct the path' : undefined
}

function listed(reasons: readonly Reason[]): string {
  return reasons.map(({ place, reason }) => `\n  ${place}: ${reason}`).join('')
}

/** The error of a request that was aborted. */
export function interrupted(name: string, cause: unknown): FixpointError {
  return cause instanceof FixpointError
    ? cause
    : new FixpointError('interrupted', `Stopped fetching "${name}"`, { cause })
}
