import { isScalar, parseDocument, type Scalar } from 'yaml'

/** A text in a YAML file that is to be another. */
export interface TextChange {
  /** Names of fields and indices of elements that lead to it. */
  readonly path: readonly (string | number)[]
  readonly text: string
}

/**
 * The file's text with other values, and all else as it was: comments, order and blanks. Undefined
 * when one of the values is not there, or is more than a word in one line.
 */
export function withTexts(yaml: string, changes: readonly TextChange[]): string | undefined {
  const document = parseDocument(yaml)
  const places: { readonly start: number; readonly end: number; readonly text: string }[] = []
  for (const { path, text } of changes) {
    const node: unknown = document.getIn(path, true)
    if (!isScalar(node) || !isInline(node)) return undefined
    const [start, end] = node.range ?? [0, 0]
    places.push({ start, end, text: quotedLike(node, text) })
  }
  places.sort((a, b) => b.start - a.start)
  return places.reduce(
    (whole, { start, end, text }) => whole.slice(0, start) + text + whole.slice(end),
    yaml,
  )
}

function isInline({ type }: Scalar): boolean {
  return type === 'PLAIN' || type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE'
}

/** In the quotes that the value had; else in quotes where YAML would take it for something else. */
function quotedLike({ type }: Scalar, text: string): string {
  if (type === 'QUOTE_DOUBLE') return JSON.stringify(text)
  return type === 'PLAIN' && isPlainText(text) ? text : `'${text.replaceAll("'", "''")}'`
}

function isPlainText(text: string): boolean {
  // Also where blanks and a comment follow.
  const document = parseDocument(`field: ${text} # comment\n`)
  return document.errors.length === 0 && document.getIn(['field']) === text
}
