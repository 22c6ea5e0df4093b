import { digestOf, type Digest } from '../base/digest.ts'
import { contentOf, filesOf, lastChange, stateOf } from './host-files.ts'
import { hostView } from '../sandbox/host-view.ts'
import { noted } from './noted.ts'

/**
 * Decides whether an artifact of a host layer may be used again: everything that its steps could
 * run or read ({@link hostView}) had these bytes and modes. Times and owners have no say, so
 * machines with the same packages agree. What it came to is noted in the file `notes`, whose loss
 * costs the reading of all files. In no key.
 */
export function hostFingerprint(notes?: string, root = '/'): Digest {
  const view = hostView(root)
  const files = filesOf(view, root)
  const read = (): Digest => contentOf(files, root)
  const content =
    notes === undefined
      ? read()
      : noted(notes, { digest: stateOf(files), changed: lastChange(files) }, read)
  return digestOf([...view.links.flat(), content].join('\0'))
}
