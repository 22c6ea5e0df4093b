/** A version of Debian, `[EPOCH:]UPSTREAM[-REVISION]` (Debian Policy, section 5.6.12). */
export interface DebianVersion {
  readonly epoch: string
  readonly upstream: string
  readonly revision: string
}

/** Takes a version apart; the last hyphen begins the revision. */
export function parseDebianVersion(text: string): DebianVersion {
  const colon = text.indexOf(':')
  const rest = text.slice(colon + 1)
  const hyphen = rest.lastIndexOf('-')
  return {
    epoch: colon < 0 ? '0' : text.slice(0, colon),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '0' : rest.slice(hyphen + 1),
  }
}

/** Below 0, 0 or above it, as dpkg --compare-versions orders two versions. */
export function compareDebianVersions(a: string, b: string): number {
  const [first, second] = [parseDebianVersion(a), parseDebianVersion(b)]
  return (
    compareParts(first.epoch, second.epoch) ||
    compareParts(first.upstream, second.upstream) ||
    compareParts(first.revision, second.revision)
  )
}

/**
 * Compares two parts of versions: in turn the longest texts without digits, by {@link rankOf}, and
 * the longest numbers.
 */
function compareParts(a: string, b: string): number {
  const [first, second] = [runsOf(a), runsOf(b)]
  for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
    const [text = '', digits = ''] = first[at] ?? []
    const [otherText = '', otherDigits = ''] = second[at] ?? []
    const order = compareTexts(text, otherText) || compareDigits(digits, otherDigits)
    if (order !== 0) return order
  }
  return 0
}

/** Texts without digits, each with the number behind it; either may be empty. */
function runsOf(part: string): [text: string, digits: string][] {
  return [...part.matchAll(/([^0-9]*)([0-9]*)/g)]
    .filter(([whole]) => whole !== '')
    .map(([, text = '', digits = '']) => [text, digits])
}

function compareTexts(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const order = rankOf(a, at) - rankOf(b, at)
    if (order !== 0) return order
  }
  return 0
}

/** A tilde sorts before the end, the end before letters, and letters before all else. */
function rankOf(text: string, at: number): number {
  const character = text[at]
  if (character === undefined) return 0
  if (character === '~') return -1
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256)
}

/** Numbers of any length. */
function compareDigits(a: string, b: string): number {
  const [first, second] = [BigInt(a || '0'), BigInt(b || '0')]
  return first === second ? 0 : first < second ? -1 : 1
}
