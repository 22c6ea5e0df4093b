/**
 * Differences between two action documents, a line each: `path: old -> new`; texts of several lines
 * by their first differing line.
 */
export function compareDocuments(before: unknown, after: unknown, path = ''): string[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return names.flatMap((name) =>
      compareDocuments(before[name], after[name], path === '' ? name : `${path}.${name}`),
    )
  }
  if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, path)
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (typeof before === 'string' && typeof after === 'string')
    return [`${path}: ${firstChange(before, after)}`]
  return [`${path}: ${show(before)} -> ${show(after)}`]
}

/**
 * Lists of named things (inputs, steps, sources) are compared by name, so that one more does not
 * shift all that follow.
 */
function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
): string[] {
  const [left, right] = [byName(before), byName(after)]
  if (left === undefined || right === undefined) {
    return JSON.stringify(before) === JSON.stringify(after)
      ? []
      : [`${path}: ${show(before)} -> ${show(after)}`]
  }
  const names = [...new Set([...left.keys(), ...right.keys()])]
  const lines = names.flatMap((name) => {
    const [a, b] = [left.get(name), right.get(name)]
    if (a === undefined) return [`${path}: added ${name}`]
    if (b === undefined) return [`${path}: removed ${name}`]
    return compareDocuments(a, b, `${path}.${name}`)
  })
  const common = (all: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): string =>
    [...all.keys()].filter((name) => other.has(name)).join(', ')
  if (common(left, right) !== common(right, left)) lines.push(`${path}: order changed`)
  return lines
}

function byName(list: readonly unknown[]): Map<string, unknown> | undefined {
  const named = new Map<string, unknown>()
  for (const item of list) {
    const name = isRecord(item) ? (item['recipe'] ?? item['name']) : undefined
    if (typeof name !== 'string' || named.has(name)) return undefined
    named.set(name, item)
  }
  return named
}

function firstChange(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')]
  const at = a.findIndex((line, index) => line !== b[index])
  const line = at === -1 ? a.length : at
  const where = a.length > 1 || b.length > 1 ? `line ${line + 1}: ` : ''
  return `${where}${show(a[line])} -> ${show(b[line])}`
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
