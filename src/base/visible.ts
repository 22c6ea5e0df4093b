/**
 * Controls of the direction of text, and separators of lines and paragraphs. Unicode calls the
 * first Bidi_Control, but the image's Node has no tables of Unicode.
 */
export const DIRECTIONS = '\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069'

/**
 * What a terminal acts on instead of showing it, or shows out of order: C0, DEL and C1,
 * {@link DIRECTIONS}, and surrogates without their half.
 */
const UNSEEN = new RegExp(`[\\u0000-\\u001f\\u007f-\\u009f${DIRECTIONS}\\ud800-\\udfff]`, 'gu')

/**
 * A text of others (a server, a file, a step) as it may be shown: what a terminal would act on is
 * written as `\xNN` or `\u{…}`. `lines` keeps newlines and tabs. Does nothing to its own result.
 */
export function visible(
  text: string,
  { lines = false }: { readonly lines?: boolean } = {},
): string {
  return text.replace(UNSEEN, (character) =>
    lines && (character === '\n' || character === '\t') ? character : escaped(character),
  )
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const digits = code.toString(16)
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits}}`
}
