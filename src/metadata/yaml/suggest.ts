/**
 * The candidate nearest to a misspelt `word`, or undefined when none is near: at most a third of
 * its letters (at least one) wrong, missing, surplus or swapped with the next. Of several equally
 * near ones the first.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let limit = Math.max(1, Math.floor(word.length / 3))
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) > limit) continue
    const found = distance(word, candidate)
    if (found > limit) continue
    best = candidate
    limit = found - 1
    if (limit <= 0) break
  }
  return best
}

/** `Did you mean "…"?`, or undefined when nothing is near. */
export function suggestion(word: string, candidates: Iterable<string>): string | undefined {
  const found = nearest(word, candidates)
  return found === undefined ? undefined : didYouMean(found)
}

/** The hint for a name that was found near a misspelt one. */
export function didYouMean(found: string): string {
  return `Did you mean "${found}"?`
}

/**
 * Edits (insert, delete, replace, swap of neighbours) that make `a` into `b`: Damerau and
 * Levenshtein's distance, restricted.
 */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
