/**
 * A word as a POSIX shell reads it back: in quotes where it holds anything else than plain text.
 */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Words of a command of a POSIX shell, joined by blanks. */
export function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}
