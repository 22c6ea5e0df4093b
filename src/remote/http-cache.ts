import { createReadStream } from 'node:fs'
import type { Digest } from '../base/digest.ts'
import { shownAddress } from '../fetch/addresses.ts'
import { askAbout, askFor, send, type Answer, type Asking } from '../fetch/ask.ts'
import type { RemoteCandidate } from '../fetch/candidates.ts'
import { CacheFault, type Cache } from './cache.ts'
import { LARGEST_RECORD } from './record.ts'

/** How a server is asked. */
export type HttpOptions = Omit<Asking, 'signal'>

/** A cache on a server, in the layout that Bazel's HTTP caches have. */
export class HttpCache implements Cache {
  readonly shown: string
  readonly #base: string
  readonly #options: HttpOptions

  /** `headers` may hold a secret. So may the address; neither is shown. */
  constructor(address: string, options: HttpOptions) {
    this.#base = address.replace(/\/+$/, '')
    this.shown = shownAddress(new URL(this.#base))
    this.#options = options
  }

  async record(name: Digest, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { limits } = this.#options
    // A record is small: a server that needs longer for all of it drips.
    const pace = { bytes: LARGEST_RECORD, ms: limits.idleMs }
    const asking = { ...this.#asking(signal), limits: { ...limits, bytes: LARGEST_RECORD, pace } }
    const answer = await askFor(this.#url('ac', name), asking)
    return isThere(answer) ? answer.bytes : undefined
  }

  blob(digest: Digest): RemoteCandidate {
    const url = this.#url('cas', digest)
    const label = `cache ${shownAddress(url)}`
    const { headers, identity } = this.#options
    return { kind: 'remote', label, url, proves: undefined, headers, identity }
  }

  async hasBlob(digest: Digest, size: number, signal: AbortSignal): Promise<boolean> {
    const answer = await askAbout(this.#url('cas', digest), this.#asking(signal))
    return isThere(answer) && (answer.size === undefined || answer.size === size)
  }

  hasSoundBlob(digest: Digest, size: number, signal: AbortSignal): Promise<boolean> {
    return this.hasBlob(digest, size, signal)
  }

  async putBlob(digest: Digest, path: string, size: number, signal: AbortSignal): Promise<void> {
    const chunks = (): AsyncIterable<Uint8Array> => createReadStream(path)
    requireTaken(await send(this.#url('cas', digest), { size, chunks }, this.#asking(signal)))
  }

  async putRecord(name: Digest, record: Uint8Array, signal: AbortSignal): Promise<void> {
    // eslint-disable-next-line @typescript-eslint/require-await
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield record
    }
    const body = { size: record.length, chunks }
    requireTaken(await send(this.#url('ac', name), body, this.#asking(signal)))
  }

  #url(room: 'ac' | 'cas', name: Digest): URL {
    return new URL(`${this.#base}/${room}/${name}`)
  }

  #asking(signal: AbortSignal): Asking {
    return { ...this.#options, signal }
  }
}

function isThere(answer: Answer): answer is Answer & { readonly status: number } {
  if (answer.status === 200) return true
  if (answer.status === 404 || answer.status === 410) return false
  throw faultOf(answer)
}

function requireTaken(answer: Answer): void {
  if (answer.status === undefined || answer.status < 200 || answer.status > 299)
    throw faultOf(answer)
}

function faultOf(answer: Answer): CacheFault {
  if (answer.status === undefined) return new CacheFault(answer.reason, answer)
  const { status, elsewhere } = answer
  const sent =
    elsewhere === undefined ? '' : `, it redirects to "${elsewhere}": name that address instead`
  return new CacheFault(`HTTP status ${String(status)}${sent}`)
}
