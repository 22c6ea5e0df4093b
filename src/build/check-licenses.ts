import { closeSync, readFileSync } from 'node:fs'
import { beneath } from '../base/beneath.ts'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { systemReason } from '../base/system-error.ts'
import { LARGEST_LICENSE, licenseText, splitInner, type LicenseFile } from '../metadata/model.ts'
import type { Action } from './executor.ts'

/**
 * Compares the license files of an action's sources with what was unpacked to `folder`, its $SRC,
 * and not changed since. Answers their texts by digest. What is not unpacked there is left out:
 * sources that stay packed, and tarballs in sources. Follows no link. Fails with
 * `license-changed`, which names every file.
 */
export function checkLicenses(
  folder: string,
  { recipe, sources }: Action,
): ReadonlyMap<Digest, Buffer> {
  const texts = new Map<Digest, Buffer>()
  const changes: string[] = []
  for (const { name, to, licenseFiles = [] } of sources) {
    if (to === undefined) continue
    for (const file of licenseFiles) {
      if (splitInner(file.path) !== undefined) continue
      const found = textOf(folder, to === '.' ? file.path : `${to}/${file.path}`, file)
      if (typeof found !== 'string') {
        texts.set(file.sha256, found)
        continue
      }
      const { first, last } = file.lines ?? {}
      const lines = file.lines === undefined ? '' : `, lines ${first}-${last}`
      changes.push(`source "${name}", file "${file.path}"${lines}: ${found}`)
    }
  }
  if (changes.length === 0) return texts
  throw new FixpointError(
    'license-changed',
    `Cannot build ${recipe}: the text of a license is not the one that its recipe states\n` +
      changes.map((change) => `    ${change}`).join('\n'),
    { facts: { recipe } },
  )
}

/** The text of a file; or, in words, how it differs from what is stated. */
function textOf(root: string, path: string, file: LicenseFile): Buffer | string {
  try {
    return beneath(root, path, (folder, name) => {
      const { fd, stat } = folder.openFile(name)
      try {
        if (stat.size > LARGEST_LICENSE) return 'it is larger than any license'
        return licenseText(readFileSync(fd), file)
      } finally {
        closeSync(fd)
      }
    })
  } catch (error) {
    if (error instanceof FixpointError) return 'it is no regular file, or behind a link'
    const reason = errorCode(error) === 'ENOENT' ? 'there is no such file' : systemReason(error)
    if (reason === undefined) throw error
    return reason
  }
}
