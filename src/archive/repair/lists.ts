import { isDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { visible } from '../../base/visible.ts'
import { unsafeReason } from '../par2/file-names.ts'

/** The list of a kit's payload, and the list of its other files (BagIt 1.0, RFC 8493). */
export const MANIFEST = 'manifest-sha256.txt'
export const TAG_MANIFEST = 'tagmanifest-sha256.txt'

/** Folders of a kit that no list names: parity, the log of checks, what a repair set aside. */
export const PARITY = 'parity'
export const CHECKS = 'checks'
export const DAMAGED = 'damaged'

/** Bytes of a list at most. */
export const LARGEST_LIST = 16 << 20

/** What a list says, as far as its lines have the form of one. */
export interface List {
  readonly digests: ReadonlyMap<string, Digest>
  /** False when a line has another form, or a path comes twice. */
  readonly isIntact: boolean
}

/** Reads a list as sha256sum(1) writes it: digest, two blanks, path. */
export function parseList(text: string): List {
  const digests = new Map<string, Digest>()
  const lines = text.replace(/\n$/, '').split('\n')
  let isIntact = text.endsWith('\n')
  for (const line of lines) {
    const [digest, path] = [line.slice(0, 64), line.slice(66)]
    if (line.slice(64, 66) === '  ' && path !== '' && isDigest(digest) && !digests.has(path))
      digests.set(path, digest)
    else isIntact = false
  }
  return { digests, isIntact }
}

/** Fails with `kit-refused` for a path that leads out of a kit, or that no terminal shows as it is. */
export function requireSafePaths(paths: Iterable<string>, list: string): void {
  for (const path of paths) {
    const reason = unsafeReason(path)
    if (reason === undefined) continue
    throw new FixpointError(
      'kit-refused',
      `Cannot use "${list}" of the kit: it lists "${visible(path.slice(0, 255))}", and ${reason}`,
    )
  }
}
