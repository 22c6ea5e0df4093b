import { rename } from 'node:fs/promises'
import { removeTree } from '../base/remove-tree.ts'

/**
 * Removes folders while other work goes on: the tree of a large build takes seconds of waiting for
 * the disk. What cannot be removed yet (a process of a killed sandbox still ending) is left to the
 * next engine's sweep.
 */
export class Discards {
  readonly #pending = new Set<Promise<void>>()
  #count = 0

  /** Takes `folder` away from where it is, if it can be, and begins to remove it. Never fails. */
  async take(folder: string): Promise<void> {
    this.#count += 1
    const gone = `${folder}.${String(this.#count)}.gone`
    const moved = await rename(folder, gone).then(
      () => true,
      () => false,
    )
    const removal = removeTree(moved ? gone : folder)
      .catch(() => undefined)
      .finally(() => this.#pending.delete(removal))
    this.#pending.add(removal)
  }

  /** Resolves when everything that was taken is removed. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending)
  }
}
