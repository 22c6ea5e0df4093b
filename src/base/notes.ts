import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { digestOf } from './digest.ts'

/** Milliseconds; no file system keeps times more coarsely. */
const COARSEST = 2000

/**
 * The text that was noted in `file` under the name and version of its `form`. Undefined when there
 * is none, it has another form, or it is damaged.
 */
export function readNote(file: string, form: string): string | undefined {
  return textOfNote(attempt(() => readFileSync(file, 'utf8')) ?? '', form)
}

/** What a file holds that notes `text` under the name and version of its `form`. */
export function noteOf(form: string, text: string): string {
  return headOf(form, text) + text
}

/** The text of such a note. Undefined when it has another form, or is damaged. */
export function textOfNote(note: string, form: string): string | undefined {
  const head = note.slice(0, note.indexOf('\n') + 1)
  const text = note.slice(head.length)
  return head === headOf(form, text) ? text : undefined
}

/**
 * Begins a note of what is read from now on. The function that it returns writes it, if nothing
 * that was read has `changed` (milliseconds since 1970) just before: that might change once more
 * within one tick of the clock, and nobody would see. A note that cannot be written is left out.
 */
export function beginNote(file: string, form: string): (text: string, changed: number) => void {
  const fresh = `${file}.new`
  const began = attempt(() => timeOfNew(fresh))
  return (text, changed) => {
    attempt(() => {
      if (began !== undefined && changed < began - COARSEST) {
        writeFileSync(fresh, noteOf(form, text))
        renameSync(fresh, file)
      } else rmSync(fresh, { force: true })
    })
  }
}

function headOf(form: string, text: string): string {
  return `${form} ${digestOf(text)}\n`
}

/** Makes an empty file and tells its time, by the clock that files have. */
function timeOfNew(path: string): number {
  const fd = openSync(path, 'w')
  try {
    return fstatSync(fd).mtimeMs
  } finally {
    closeSync(fd)
  }
}

/** Undefined for what the system does not do: a disk may be full, and the store another user's. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
