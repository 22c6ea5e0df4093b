import canonicalize from 'canonicalize'
import { digestOf, type Digest } from './digest.ts'

/**
 * JSON of `value` in the one form of RFC 8785 (sorted members, fixed number format); `undefined`
 * members are left out.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('Value has no JSON form')
  return text
}

/** SHA-256 of the canonical JSON of `value`. */
export function digestOfValue(value: unknown): Digest {
  return digestOf(canonicalJson(value))
}
