import { digestOf } from '../../base/digest.ts'
import { linesOf } from '../../base/lines.ts'
import type { LicenseFile } from './recipe.ts'

/** Bytes of a license file. The longest known, which join hundreds of texts, have a hundredth. */
export const LARGEST_LICENSE = 16 << 20

/** A tarball in a source, and the file in that. */
const INNER = /^(?<tarball>.*?\.(?:tar(?:\.(?:gz|xz|bz2))?|tgz))\/(?<path>.*)$/

/** The path of a file that is in a tarball in a source, taken apart; undefined for others. */
export function splitInner(
  path: string,
): { readonly tarball: string; readonly path: string } | undefined {
  const { tarball, path: inner } = INNER.exec(path)?.groups ?? {}
  return tarball === undefined || inner === undefined ? undefined : { tarball, path: inner }
}

/** What of the bytes of a license file counts; or, in words, how it differs from what is stated. */
export function licenseText(bytes: Buffer, { sha256, lines }: LicenseFile): Buffer | string {
  const text = lines === undefined ? bytes : linesOf(bytes, lines)
  if (text === undefined) return `it has no line ${lines?.last ?? 0}`
  const actual = digestOf(text)
  return actual === sha256 ? text : `sha256 is ${actual}, recipe wants ${sha256}`
}
