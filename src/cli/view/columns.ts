/** Rows as lines: columns one below the other, two blanks apart. `right` are those of numbers. */
export function inColumns(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const widths = new Map<number, number>()
  for (const row of rows)
    for (const [at, cell] of row.entries())
      widths.set(at, Math.max(widths.get(at) ?? 0, cell.length))
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths.get(at) ?? 0
        return right.includes(at) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
