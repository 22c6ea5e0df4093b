import { replaceFile } from '../../base/replace-file.ts'
import type { Turns } from '../../base/turns.ts'
import { examine } from './examine.ts'
import { inTheWay, type MirrorFile } from './list.ts'
import type { OpenMirror } from './open.ts'

/** Where a mirror has a file, or is to have it. */
export interface MirrorPlace extends MirrorFile {
  /** Whether the right bytes are there. */
  readonly isThere: boolean
}

/**
 * Finds the place of a file in a mirror: its name or, where another file has that, its digest.
 * Nothing is read through a link. Fails with `mirror-entry` for what is in the way.
 */
export async function placeIn(
  mirror: OpenMirror,
  { name, digest }: MirrorFile,
  turns: Turns,
): Promise<MirrorPlace> {
  const meant = mirror.sums.get(name)
  if (meant === undefined || meant === digest) {
    const isThere = await isRight(mirror, { name, digest }, turns)
    const isOurs = meant === digest || mirror.folder.stat(name) === undefined
    if (isThere || isOurs) return { name, digest, isThere }
  }
  const byDigest = { name: digest, digest }
  return { ...byDigest, isThere: await isRight(mirror, byDigest, turns) }
}

/**
 * Makes a file right at its place and lists it. `put` makes it at a path where nothing is. What is
 * at the place gives way: a damaged file, or a link.
 */
export async function bring(
  mirror: OpenMirror,
  { name, digest, isThere }: MirrorPlace,
  put: (part: string) => Promise<void>,
): Promise<void> {
  if (!isThere) await replaceFile(mirror.folder, name, put, `.${digest}.part`)
  await mirror.add({ name, digest })
}

/** Whether the right bytes are there. Fails with `mirror-entry` for what is no file or link. */
async function isRight({ folder }: OpenMirror, file: MirrorFile, turns: Turns): Promise<boolean> {
  const found = folder.stat(file.name)
  if (found?.isFile() === false && !found.isSymbolicLink())
    throw inTheWay(folder, file.name, 'is no file')
  return (await examine(folder, file, turns)) === undefined
}
