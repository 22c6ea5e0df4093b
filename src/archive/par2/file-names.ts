import { FixpointError } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'
import { visible } from '../../base/visible.ts'

/** Bytes of one component of a path, and of a path, as Linux has them. */
const MAX_COMPONENT = 255
const MAX_PATH = 4095

/**
 * Checks the names that parity protects: each is a path below the root, and none is a folder of
 * another. Throws `parity-refused`.
 */
export function requireSafeNames(names: readonly string[]): void {
  for (const name of names) {
    const reason = unsafeReason(name)
    if (reason !== undefined) throw refused(name, reason)
  }
  // A folder's name, with a slash behind it, comes right before those of what is in it.
  const sorted = names.map((name) => `${name}/`).sort(byCodeUnit)
  for (const [index, name] of sorted.entries()) {
    const before = sorted[index - 1]
    if (before !== undefined && name.startsWith(before))
      throw refused(name.slice(0, -1), 'it is the name, or is in the folder, of another file')
  }
}

/** Why a name is not a path below a root that every system shows as it is; undefined if it is. */
export function unsafeReason(name: string): string | undefined {
  if (visible(name) !== name) return 'it holds control characters'
  if (name.includes('\\')) return 'it holds a backslash'
  const parts = name.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'it is no plain path below a folder'
  if (parts.some((part) => Buffer.byteLength(part) > MAX_COMPONENT)) return 'it is too long'
  return Buffer.byteLength(name) > MAX_PATH ? 'it is too long' : undefined
}

function refused(name: string, reason: string): FixpointError {
  const shown = visible(name.slice(0, MAX_COMPONENT))
  return new FixpointError('parity-refused', `Cannot use the name "${shown}" of parity: ${reason}`)
}
