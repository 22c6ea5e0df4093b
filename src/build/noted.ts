import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { asDigest, digestOf, type Digest } from '../base/digest.ts'

/** Form of the note; another one is not understood. */
const FORM = 'host 1'

/** Milliseconds; no file system keeps times more coarsely. */
const COARSEST = 2000

/** A state of files, and when one of them changed the last time. */
export interface State {
  readonly digest: Digest
  /** Milliseconds since 1970. */
  readonly changed: number
}

/**
 * What `read` makes of files in a state: taken from the note in the file `notes` when that is of
 * the same state, otherwise read and noted. A note that is missing or damaged, or cannot be
 * written, only costs the reading.
 */
export function noted(notes: string, state: State, read: () => Digest): Digest {
  const known = readNote(notes, state.digest)
  if (known !== undefined) return known
  const fresh = `${notes}.new`
  const began = attempt(() => timeOfNew(fresh))
  const content = read()
  // What changed just now might change once more within one tick of the clock: then its state would
  // not tell.
  const settled = began !== undefined && state.changed < began - COARSEST
  attempt(() => {
    if (settled) writeNote(fresh, notes, `${FORM} ${state.digest} ${content}`)
    else rmSync(fresh, { force: true })
  })
  return content
}

function readNote(notes: string, state: Digest): Digest | undefined {
  const [note = '', check] = attempt(() => readFileSync(notes, 'utf8'))?.split('\n') ?? []
  const head = `${FORM} ${state} `
  return note.startsWith(head) && check === digestOf(note)
    ? asDigest(note.slice(head.length))
    : undefined
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

function writeNote(fresh: string, notes: string, note: string): void {
  writeFileSync(fresh, `${note}\n${digestOf(note)}`)
  renameSync(fresh, notes)
}

/** Undefined for what the system does not do: a disk may be full, and the store another user's. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
