/** A part of a file: the first byte, and the number of bytes. */
export interface Part {
  readonly start: number
  readonly length: number
}

/**
 * What a `Range` header asks for of a file of `size` bytes (RFC 9110, 14.2): one part; or
 * `unsatisfiable`; or undefined for the whole file, which also answers several parts and what is no
 * range.
 */
export function rangeOf(
  header: string | undefined,
  size: number,
): Part | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.replaceAll(/[ \t]/g, '') ?? '')
  const [, first = '', last = ''] = match ?? []
  if (match === null || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, length }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, length: end - start + 1 }
}

/** Whether an `If-Match` header admits the entity tag (RFC 9110, 13.1.1). */
export function isMatch(header: string | undefined, tag: string): boolean {
  if (header === undefined || header.trim() === '*') return true
  return [...header.matchAll(/(W\/)?("[^"]*")/g)].some(([, weak, one]) => !weak && one === tag)
}

/** Whether an `If-None-Match` header names the entity tag (RFC 9110, 13.1.2). */
export function isNoneMatch(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return [...header.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, one]) => one === tag)
}

/** Whether a range may be sent: `If-Range` is missing, or is the very tag (RFC 9110, 13.1.5). */
export function isRangeMeant(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag
}
