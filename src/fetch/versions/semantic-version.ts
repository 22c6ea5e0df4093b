/**
 * Below 0, 0 or above it, by the precedence of Semantic Versioning 2.0.0, section 11: what npm
 * orders versions by.
 */
export function compareSemanticVersions(a: string, b: string): number {
  const [first, second] = [partsOf(a), partsOf(b)]
  return (
    compareIdentifiers(first.numbers, second.numbers) ||
    // A version comes after those that lead to it.
    Number(first.before.length === 0) - Number(second.before.length === 0) ||
    compareIdentifiers(first.before, second.before)
  )
}

/** Major, minor and patch, and the identifiers of a pre-release. Build metadata do not count. */
function partsOf(version: string): { numbers: string[]; before: string[] } {
  const [core = ''] = version.split('+')
  const hyphen = core.indexOf('-')
  const numbers = (hyphen < 0 ? core : core.slice(0, hyphen)).split('.')
  return { numbers, before: hyphen < 0 ? [] : core.slice(hyphen + 1).split('.') }
}

function compareIdentifiers(a: readonly string[], b: readonly string[]): number {
  for (const [at, identifier] of a.entries()) {
    const other = b[at]
    if (other === undefined) return 1
    const order = compareIdentifier(identifier, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Numbers come before words, and are compared as numbers of any length. */
function compareIdentifier(a: string, b: string): number {
  const [first, second] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (first !== second) return first ? -1 : 1
  if (a === b) return 0
  if (!first) return a < b ? -1 : 1
  const [number, other] = [BigInt(a), BigInt(b)]
  return number === other ? 0 : number < other ? -1 : 1
}
