/**
 * Milliseconds that count as gone as expected before anything else does, so that a few small
 * actions do not decide what the large ones will take.
 */
const AS_EXPECTED = 60_000

/** What actions took in relation to what was expected of them. */
export class Pace {
  #took = AS_EXPECTED
  #expected = AS_EXPECTED

  /** Takes one action, in milliseconds. */
  add(took: number, expected: number): void {
    this.#took += took
    this.#expected += expected
  }

  /** More than 1: they took longer than expected. */
  get factor(): number {
    return this.#took / this.#expected
  }
}
