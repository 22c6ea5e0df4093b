import { ndjsonView } from './ndjson.ts'
import { plainView } from './plain.ts'
import type { View } from './port.ts'

/** What decides which view is shown. */
export interface ViewOptions {
  readonly json: boolean
  /**
   * Whether a person watches: standard error is a terminal, and neither CI nor TERM=dumb say
   * otherwise.
   */
  readonly live: boolean
  readonly now: () => number
}

/**
 * Events go to standard error, drawn live or as lines; or, with `json`, as NDJSON to standard
 * output for programs.
 */
export async function openView({ json, live, now }: ViewOptions): Promise<View> {
  if (live && !json) {
    // Loaded only when it is shown: it takes a noticeable part of the time that a command with
    // nothing to do may take.
    const { terminalView } = await import('./terminal.ts')
    return terminalView(now)
  }
  const stream = json ? process.stdout : process.stderr
  const write = (line: string): void => {
    stream.write(`${line}\n`)
  }
  const nothing = (): Promise<void> => Promise.resolve()
  return { emit: json ? ndjsonView(write) : plainView(write), settle: nothing, close: nothing }
}

/**
 * True when a live view makes sense. A Node built without Intl cannot measure text, which the live
 * view needs.
 */
export function isWatched(env: Readonly<Record<string, string | undefined>>): boolean {
  return (
    process.stderr.isTTY &&
    (env['CI'] ?? '') === '' &&
    env['TERM'] !== 'dumb' &&
    typeof Intl !== 'undefined' &&
    'Segmenter' in Intl
  )
}
