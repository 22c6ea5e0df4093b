import type { ErrorCode, MetadataCode } from '../../base/codes.ts'
import { FixpointError, FixpointErrors, type Position } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'

/**
 * Every fault found in files of one kind. Two with the same words at the same position count once.
 */
export class Faults {
  readonly #codeOf: (code: MetadataCode) => ErrorCode
  readonly #found = new Map<string, FixpointError>()

  /** `codeOf` turns codes into those of a kind of file that has its own. */
  constructor(codeOf: (code: MetadataCode) => ErrorCode = (code) => code) {
    this.#codeOf = codeOf
  }

  /** Notes a fault: tests and tools read `code`; `message` starts with what cannot be done. */
  add(code: MetadataCode, message: string, position: Position, hint?: string): void {
    const id = JSON.stringify([code, position.file, position.line, position.column, message])
    if (this.#found.has(id)) return
    const details = { position, hint }
    this.#found.set(id, new FixpointError(this.#codeOf(code), message, details))
  }

  get count(): number {
    return this.#found.size
  }

  /** All faults, by file, line and column. */
  sorted(): FixpointError[] {
    return [...this.#found.values()].sort(
      ({ position: a }, { position: b }) =>
        byCodeUnit(a?.file ?? '', b?.file ?? '') ||
        (a?.line ?? 0) - (b?.line ?? 0) ||
        (a?.column ?? 0) - (b?.column ?? 0),
    )
  }

  /** Throws all faults as one FixpointErrors if there is any. */
  throwIfAny(): void {
    if (this.#found.size > 0) throw new FixpointErrors(this.sorted())
  }
}
