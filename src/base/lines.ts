/**
 * Bytes of some lines, `first` to `last` from 1, each with its newline; undefined when there are
 * not so many. A last line without a newline counts.
 */
export function linesOf(
  bytes: Buffer,
  { first, last }: { readonly first: number; readonly last: number },
): Buffer | undefined {
  let start = 0
  let at = 0
  for (let line = 1; line <= last; line++) {
    if (at >= bytes.length) return undefined
    if (line === first) start = at
    const newline = bytes.indexOf(0x0a, at)
    at = newline === -1 ? bytes.length : newline + 1
  }
  return bytes.subarray(start, at)
}
