/**
 * Rows of a screen after a program wrote `output` to it: the part of a terminal that progress
 * displays use. Trailing blanks are left out.
 */
export function screenAfter(
  output: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): { readonly lines: readonly string[]; readonly cursorVisible: boolean } {
  let lines: string[][] = [[]]
  let [row, column, cursorVisible] = [0, 0, true]
  const down = (): void => {
    row += 1
    while (lines.length <= row) lines.push([])
    if (lines.length > rows) {
      lines = lines.slice(-rows)
      row = rows - 1
    }
  }
  for (const [token, parameters = '', final] of output.matchAll(
    /\u001b\[([?\d;]*)([A-Za-z])|[^]/gu,
  )) {
    const count = Math.max(1, Number.parseInt(parameters) || 1)
    if (final === undefined) {
      if (token === '\n') down()
      else if (token === '\r') column = 0
      else if (token >= ' ') {
        if (column === columns) {
          column = 0
          down()
        }
        const line = lines[row]!
        while (line.length < column) line.push(' ')
        line[column] = token
        column += 1
      }
    } else if (final === 'A') row = Math.max(0, row - count)
    else if (final === 'B') row = Math.min(lines.length - 1, row + count)
    else if (final === 'G') column = count - 1
    else if (final === 'K') lines[row] = parameters === '2' ? [] : lines[row]!.slice(0, column)
    else if (final === 'J') {
      lines[row] = lines[row]!.slice(0, column)
      lines.length = row + 1
    } else if (parameters === '?25') cursorVisible = final === 'h'
    else if (final !== 'm')
      throw new Error(`this screen does not know the sequence ${JSON.stringify(token)}`)
  }
  return {
    lines: lines.map((line) => line.join('').trimEnd()).filter((line) => line !== ''),
    cursorVisible,
  }
}
