import { chmod, mkdir, utimes } from 'node:fs/promises'
import { EPOCH } from '../base/constants.ts'
import { frameOf, type FrameOptions } from '../sandbox/frame.ts'
import { composeUnion, type ComposeOptions, type Part } from '../sandbox/sysroot.ts'

/**
 * Composes the root of a sandbox as `target`, which is not there yet: the inputs and what the
 * engine adds. Fails as {@link frameOf} and {@link composeUnion} do.
 */
export async function composeRoot(
  inputs: readonly Part[],
  target: string,
  frame: FrameOptions,
  options: ComposeOptions,
): Promise<void> {
  const own = await frameOf(inputs, `${target}-frame`, frame)
  await mkdir(target)
  await chmod(target, 0o755) // umask, default ACLs and a setgid parent would show
  await composeUnion([...inputs, own], target, options)
  await utimes(target, EPOCH, EPOCH)
}

/** Roots that nobody uses and that stay all the same: the next actions often have the same inputs. */
const IDLE_ROOTS = 8

/** A root that is in use until it is released. */
export interface Root {
  readonly path: string
  readonly release: () => Promise<void>
}

/** A root that is composed, or will be. */
interface Entry {
  readonly path: Promise<string>
  users: number
}

/**
 * Roots of sandboxes. Each is composed once and then shared by all actions that have the same
 * inputs: a sandbox shows its root read-only.
 */
export class Roots {
  readonly #freshPath: () => Promise<string>
  readonly #discard: (folder: string) => Promise<void>
  /** The one that was asked for last comes last. */
  readonly #entries = new Map<string, Entry>()

  /**
   * `freshPath` names a path on the store's file system, in a folder that is removed in the end;
   * `discard` removes one before that.
   */
  constructor(freshPath: () => Promise<string>, discard: (folder: string) => Promise<void>) {
    this.#freshPath = freshPath
    this.#discard = discard
  }

  /** The root of these inputs, until it is released. Fails as {@link composeRoot} does. */
  async take(inputs: readonly Part[], frame: FrameOptions, options: ComposeOptions): Promise<Root> {
    const key = JSON.stringify([inputs.map(({ recipe, tree }) => [recipe, tree]), frame])
    const entry = this.#entries.get(key) ?? {
      path: this.#compose(inputs, frame, options),
      users: 0,
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users += 1
    try {
      return { path: await entry.path, release: () => this.#release(entry) }
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      throw error
    }
  }

  async #compose(
    inputs: readonly Part[],
    frame: FrameOptions,
    options: ComposeOptions,
  ): Promise<string> {
    const path = await this.#freshPath()
    await composeRoot(inputs, path, frame, options)
    return path
  }

  async #release(entry: Entry): Promise<void> {
    entry.users -= 1
    const idle = [...this.#entries].filter(([, { users }]) => users === 0)
    for (const [key, { path }] of idle.slice(0, -IDLE_ROOTS)) {
      this.#entries.delete(key)
      await this.#discard(await path)
    }
  }
}
