/**
 * What is wrong with a file that a list of digests names, or should name. Its path is relative to
 * the folder of the list. It comes from there, so it may hold anything.
 */
export type FileFault<Sum extends string = string> =
  /** Its bytes are not those that the list wants. */
  | { readonly kind: 'bad'; readonly path: string; readonly wanted: Sum; readonly found: Sum }
  | { readonly kind: 'missing'; readonly path: string }
  /** A link, folder, pipe or device. */
  | { readonly kind: 'not-a-file'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  /** It is there, and no list names it. */
  | { readonly kind: 'unlisted'; readonly path: string }

/** One line about such a fault, for people. */
export function describeFileFault(fault: FileFault): string {
  switch (fault.kind) {
    case 'bad':
      return `bad          ${fault.path}: digest ${fault.found}, listed ${fault.wanted}`
    case 'missing':
      return `missing      ${fault.path}`
    case 'not-a-file':
      return `not a file   ${fault.path}: a link, folder, pipe or device`
    case 'unreadable':
      return `unreadable   ${fault.path}: ${fault.reason}`
    case 'unlisted':
      return `unlisted     ${fault.path}`
  }
}
