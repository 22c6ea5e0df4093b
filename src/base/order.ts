/** Compares by UTF-16 code unit: the order of everything that enters a key; no locale has a say. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Compares the UTF-8 bytes of two paths: the order of entries in an artifact, as `LC_ALL=C sort`
 * gives it.
 */
export function byBytes(a: string, b: string): number {
  // Only the two halves of a large code point stand elsewhere in the order of code units.
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return byCodeUnit(a, b)
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const SURROGATE = /[\ud800-\udfff]/
