import { digestOf, type Digest } from '../base/digest.ts'
import { lastChange, stateOf } from '../base/file-states.ts'
import { beginNote, readNote } from '../base/notes.ts'
import { contentOf, filesOf } from './host-files.ts'
import { hostView } from '../sandbox/host-view.ts'

/** Form of the note of a host. */
const FORM = 'host 2'

/**
 * Decides whether an artifact of a host layer may be used again: everything that its steps could
 * run or read ({@link hostView}) had these bytes and modes. Times and owners have no say, so
 * machines with the same packages agree. What it came to is noted in the file `notes`, whose loss
 * costs the reading of all files. In no key.
 */
export function hostFingerprint(notes?: string, root = '/'): Digest {
  const view = hostView(root)
  const files = filesOf(view, root)
  const state = stateOf(files)
  const [known, noted] = (notes === undefined ? '' : (readNote(notes, FORM) ?? '')).split(' ')
  let content = noted
  if (known !== state || content === undefined) {
    const write = notes === undefined ? undefined : beginNote(notes, FORM)
    content = contentOf(files, root)
    write?.(`${state} ${content}`, lastChange(files))
  }
  return digestOf([...view.links.flat(), content].join('\0'))
}
