import type { Folder } from '../../base/beneath.ts'
import { errorCode } from '../../base/files.ts'
import { readRegular } from '../../base/regular.ts'
import { systemReason } from '../../base/system-error.ts'
import type { Fault } from './faults.ts'

/** Bytes that a list may have: some 100,000 lines. */
const LARGEST_LIST = 16 << 20

/** Bytes of a path at most: PATH_MAX of Linux. */
const LONGEST_PATH = 4096

/** What one list of a kit says. */
export interface KitList {
  /** Path to digest, in the list's order. Every path stays in the kit. */
  readonly entries: ReadonlyMap<string, string>
  readonly faults: readonly Fault[]
}

/**
 * Reads a list of a kit, the file `name` of `folder`. Its lines are a digest of `digits` hexadecimal
 * digits, blanks, and a path, as sha256sum(1) and BagIt write them. `shown` is the list's path in
 * the kit. Never fails because of what the list holds.
 */
export async function readKitList(
  folder: Folder,
  name: string,
  digits: 64 | 128,
  shown = name,
): Promise<KitList> {
  const text = await readList(folder, name, shown)
  if (typeof text !== 'string') return { entries: new Map(), faults: [text] }
  return parseKitList(text, digits, shown)
}

/** Like {@link readKitList}, of the list's text. */
export function parseKitList(text: string, digits: 64 | 128, shown: string): KitList {
  const entries = new Map<string, string>()
  const faults: Fault[] = []
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  if (text === '') return { entries, faults: [{ kind: 'no-list', path: shown, reason: 'empty' }] }
  const form = new RegExp(`^([0-9a-f]{${digits}})[ \\t]+\\*?(\\S.*)$`)
  for (const [at, line] of lines.entries()) {
    const [, digest = '', written = ''] = form.exec(line) ?? []
    const path = decodePath(written)
    const where = { path: shown, line: at + 1 }
    if (digest === '' || path === undefined) faults.push({ kind: 'garbled', ...where })
    else if (!isInside(path)) faults.push({ kind: 'unsafe', ...where })
    else if (entries.has(path)) faults.push({ kind: 'repeated', ...where })
    else entries.set(path, digest)
  }
  return { entries, faults }
}

/** The text of a list, or why there is none. */
async function readList(folder: Folder, name: string, shown: string): Promise<string | Fault> {
  const found = folder.stat(name)
  if (found === undefined) return { kind: 'missing', path: shown }
  if (!found.isFile()) return { kind: 'not-a-file', path: shown }
  try {
    const text = await readRegular(folder.at(name), LARGEST_LIST, 'refuse')
    return text ?? { kind: 'no-list', path: shown, reason: 'too-large' }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { kind: 'missing', path: shown }
    return { kind: 'unreadable', path: shown, reason: systemReason(error) ?? String(error) }
  }
}

/** RFC 8493, 2.1.3: line ends and percent signs in paths are written as %0A, %0D and %25. */
function decodePath(written: string): string | undefined {
  if (written === '') return undefined
  return written.replace(/%(0A|0D|25)/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

/**
 * Whether a path stays below the folder that it is relative to, and can be printed and typed: no
 * control characters, no backslash, which other systems take for a slash.
 */
export function isInside(path: string): boolean {
  if (Buffer.byteLength(path) > LONGEST_PATH) return false
  if (/[\u0000-\u001f\u007f\\\ufffd]/.test(path)) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
