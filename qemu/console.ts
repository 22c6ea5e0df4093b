/**
 * Bytes that a terminal would act on rather than show: escape sequences, and carriage returns and
 * other control characters but line feed and tab.
 */
const UNSEEN =
  /\x1b\[[0-9:;<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^-~]|[\x00-\x08\x0b-\x1f\x7f]/g

/** The tail of a text that may go on to be an escape sequence. */
const UNFINISHED = /\x1b(?:\[[0-9:;<=>?]*[ -/]*|\][^\x07\x1b]*\x1b?|[ -/]*)$/

/**
 * What a serial console has printed, as a person would read it: boot loaders paint with escape
 * sequences, which would otherwise fall in the midst of the words that one waits for.
 */
export class ConsoleText {
  #seen = ''
  #pending = ''
  #position = 0
  readonly #decoder = new TextDecoder()

  /** Takes the next bytes from the guest. */
  append(bytes: Uint8Array): void {
    const text = this.#pending + this.#decoder.decode(bytes, { stream: true })
    const cut = UNFINISHED.exec(text)?.index ?? text.length
    this.#pending = text.slice(cut)
    this.#seen += text.slice(0, cut).replace(UNSEEN, '')
  }

  /** Everything printed so far. */
  get transcript(): string {
    return this.#seen
  }

  /** The last `count` lines of the transcript. */
  tail(count: number): string {
    return this.#seen.trimEnd().split('\n').slice(-count).join('\n')
  }

  /**
   * The first match of `pattern` after the previous match's end, which it then moves; undefined
   * while there is none.
   */
  take(pattern: string | RegExp): RegExpExecArray | undefined {
    const expression =
      typeof pattern === 'string'
        ? new RegExp(escapePattern(pattern))
        : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
    const match = expression.exec(this.#seen.slice(this.#position))
    if (match === null) return undefined
    this.#position += match.index + match[0].length
    return match
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
