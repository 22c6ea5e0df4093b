import { FixpointError } from '../../base/error.ts'
import type { Turns } from '../../base/turns.ts'
import { inverse, multiply, multiplyAdd } from './galois.ts'

/** A square matrix over GF(2^16), row by row. */
export interface Inverse {
  /** Indices of the rows that were taken, one for each column. */
  readonly rows: readonly number[]
  /** Row `k` holds what unknown `k` takes of each taken row. */
  readonly factors: readonly Uint16Array[]
}

/**
 * Takes as many of `count` rows as there are columns, the first that are independent, and inverts
 * the matrix of them. `row(index)` gives a new array of `columns` elements. Gauss-Jordan
 * elimination, 2 * columns^3 bytes of work. Fails with `parity-not-enough` when too few rows are
 * independent, as a few sets of exponents of PAR2 are not.
 */
export async function invert(
  columns: number,
  count: number,
  row: (index: number) => Uint16Array,
  turns: Turns,
): Promise<Inverse> {
  const reduced: Reduced[] = []
  const rows: number[] = []
  const pivots = new Set<number>()
  // No column before this one is without a pivot: all that is left of those is 0 or 1.
  let free = 0
  for (let index = 0; index < count && rows.length < columns; index++) {
    await turns.pass()
    const next = { left: row(index), right: new Uint16Array(columns), pivot: -1 }
    next.right[rows.length] = 1
    const add = (target: Reduced, { left, right }: Reduced, factor: number): void => {
      multiplyAdd(target.left.subarray(free), left.subarray(free), factor)
      multiplyAdd(target.right, right.subarray(0, rows.length + 1), factor)
    }
    for (const earlier of reduced) add(next, earlier, next.left[earlier.pivot] ?? 0)
    next.pivot = next.left.findIndex((value, at) => value !== 0 && !pivots.has(at))
    if (next.pivot === -1) continue
    scale(next, inverse(next.left[next.pivot] ?? 0))
    for (const earlier of reduced) add(earlier, next, earlier.left[next.pivot] ?? 0)
    reduced.push(next)
    rows.push(index)
    pivots.add(next.pivot)
    while (pivots.has(free)) free++
  }
  if (rows.length < columns)
    throw new FixpointError(
      'parity-not-enough',
      `Cannot rebuild ${columns} blocks: only ${rows.length} recovery blocks are independent`,
    )
  const factors = reduced.toSorted((a, b) => a.pivot - b.pivot).map(({ right }) => right)
  return { rows, factors }
}

/** A row of the matrix, and what it is made of; 1 at `pivot`, where all others have 0. */
interface Reduced {
  readonly left: Uint16Array
  readonly right: Uint16Array
  pivot: number
}

function scale({ left, right }: Reduced, factor: number): void {
  for (const values of [left, right])
    for (let at = 0; at < values.length; at++) values[at] = multiply(values[at] ?? 0, factor)
}
