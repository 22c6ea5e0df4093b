import { FixpointError, FixpointErrors, type Place } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'

/**
 * Every fault found in a tree of metadata; one at the same place with the same words counts once.
 */
export class Faults {
  readonly #found = new Map<string, FixpointError>()

  /**
   * Notes a fault; `code` is what tests and tools read, `message` starts with what cannot be done.
   */
  add(code: string, message: string, place: Place, hint?: string): void {
    const id = `${code}\n${place.file}\n${String(place.line)}\n${String(place.column)}\n${message}`
    if (!this.#found.has(id))
      this.#found.set(id, new FixpointError('metadata', code, message, { place, hint }))
  }

  get count(): number {
    return this.#found.size
  }

  /** All faults, by file, line and column. */
  sorted(): FixpointError[] {
    return [...this.#found.values()].sort(
      ({ place: a }, { place: b }) =>
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
