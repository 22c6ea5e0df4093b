import { errorCode } from '../base/files.ts'
import { shownAddress } from './addresses.ts'
import { PlaceFailure } from './failure.ts'
import { tlsWords } from './tls-words.ts'

/**
 * Failures of a connection that may be gone at the next attempt; a wrong name or certificate is not
 * among them.
 */
const TRANSIENT = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
])

/** A failure of a request: PlaceFailure, or the reason of a signal that aborted it. */
export function failureOf(error: unknown, signal: AbortSignal, proxy?: URL): Error {
  if (signal.aborted) return signal.reason as Error
  if (error instanceof PlaceFailure) return error
  const code = errorCode(error) ?? ''
  const message = tlsWords(error) ?? messageOf(error)
  const way = proxy === undefined ? '' : ` by proxy "${shownAddress(proxy)}"`
  return new PlaceFailure(`connection${way} failed: ${message}`, {
    retry: TRANSIENT.has(code),
    cause: error,
  })
}

/** Some errors of Node have only a code. */
function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : (errorCode(error) ?? '')
}
