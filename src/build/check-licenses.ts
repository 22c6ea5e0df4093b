import { closeSync, readFileSync } from 'node:fs'
import { beneath } from '../base/beneath.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { systemReason } from '../base/system-error.ts'
import { LARGEST_LICENSE, licenseText, splitInner, type LicenseFile } from '../metadata/model.ts'
import type { Action } from './executor.ts'

/**
 * Compares the license files of an action's sources with what was unpacked to `folder`, its $SRC,
 * and not changed since. What is not unpacked there is left out: sources that stay packed, and
 * tarballs in sources. Follows no link. Fails with `license-changed`, which names every file.
 */
export function checkLicenses(folder: string, { recipe, sources }: Action): void {
  const changes: string[] = []
  for (const { name, to, licenseFiles = [] } of sources) {
    if (to === undefined) continue
    for (const file of licenseFiles) {
      const change = changeOf(folder, to === '.' ? file.path : `${to}/${file.path}`, file)
      if (change === undefined) continue
      const { first, last } = file.lines ?? {}
      const lines = file.lines === undefined ? '' : `, lines ${first}-${last}`
      changes.push(`source "${name}", file "${file.path}"${lines}: ${change}`)
    }
  }
  if (changes.length === 0) return
  throw new FixpointError(
    'license-changed',
    `Cannot build ${recipe}: the text of a license is not the one that its recipe states\n` +
      changes.map((change) => `    ${change}`).join('\n'),
    { facts: { recipe } },
  )
}

/** How a file differs from what is stated, in words; undefined: not at all. */
function changeOf(root: string, path: string, file: LicenseFile): string | undefined {
  if (splitInner(file.path) !== undefined) return undefined
  try {
    return beneath(root, path, (folder, name) => {
      const { fd, stat } = folder.openFile(name)
      try {
        if (stat.size > LARGEST_LICENSE) return 'it is larger than any license'
        const text = licenseText(readFileSync(fd), file)
        return typeof text === 'string' ? text : undefined
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
