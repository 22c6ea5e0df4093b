import { CODES, type ErrorCode } from '../../src/base/codes.ts'
import { FixpointError } from '../../src/base/error.ts'
import { EXIT, type FailureKind, MEANINGS } from '../../src/base/exit.ts'
import { byCodeUnit } from '../../src/base/order.ts'
import { hintOf } from '../../src/cli/view/hints.ts'

/** Columns of a line of the page. */
const WIDTH = 100

const HEAD = `# Errors

Every error has a code, which says what it means and decides the exit status of the command. An
error message names the file or recipe that it is about. A line \`hint:\` below it says what to do
next, where that is known. A command that finds several faults reports all of them.

Exit status 0 means success. \`lint\` reports findings in the same form; their codes start with
\`lint-\`.

This page is printed from the tables in \`src/base/codes\`. A unit test compares them.
`

/**
 * docs/errors.md: every code of an error, what it means, and the hint that says what to do. By exit
 * status and code.
 */
export function errorsPage(): string {
  const kinds = (Object.keys(MEANINGS) as FailureKind[]).sort((a, b) => EXIT[a] - EXIT[b])
  const sections = kinds.map((kind) => {
    const rows = Object.entries<string>(CODES[kind])
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([code, what]) => wrapped(`- \`${code}\`: ${what}${hintAbout(code as ErrorCode)}`))
    return `## ${EXIT[kind]}: ${MEANINGS[kind]}\n\n${rows.join('\n')}\n`
  })
  return [HEAD, ...sections].join('\n')
}

/** The hint as a sentence of its own; none where it depends on facts of the error. */
function hintAbout(code: ErrorCode): string {
  const hint = hintOf(new FixpointError(code, ''), {})
  return hint === undefined ? '' : ` ${hint}.`
}

/** A list item on lines that fit the page. */
function wrapped(item: string): string {
  const lines: string[] = []
  // A command in backquotes stays on one line.
  for (const word of item.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    const last = lines.at(-1)
    if (last === undefined) lines.push(word)
    else if (`${last} ${word}`.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`  ${word}`)
  }
  return lines.join('\n')
}
