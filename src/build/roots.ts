import { chmod, mkdir, utimes } from 'node:fs/promises'
import { EPOCH } from '../base/constants.ts'
import { frameOf, type FrameOptions } from '../sandbox/frame.ts'
import { composeUnion, type ComposeOptions, type Part } from '../sandbox/sysroot.ts'

/**
 * Composes the root of a sandbox as `target`, which is not there yet: the inputs and what the engine
 * adds. Fails as {@link frameOf} and {@link composeUnion} do.
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

/**
 * Roots of sandboxes. Each is composed once and then shared by all actions that have the same
 * inputs: a sandbox shows its root read-only.
 */
export class Roots {
  readonly #freshPath: () => Promise<string>
  readonly #roots = new Map<string, Promise<string>>()

  /** `freshPath` names a path on the store's file system, in a folder that is removed in the end. */
  constructor(freshPath: () => Promise<string>) {
    this.#freshPath = freshPath
  }

  /** The root of these inputs. Fails as {@link composeRoot} does. */
  rootOf(inputs: readonly Part[], frame: FrameOptions, options: ComposeOptions): Promise<string> {
    const key = JSON.stringify([inputs.map(({ recipe, tree }) => [recipe, tree]), frame])
    let root = this.#roots.get(key)
    if (root === undefined) {
      root = this.#freshPath().then(async (path) => {
        await composeRoot(inputs, path, frame, options)
        return path
      })
      this.#roots.set(key, root)
      root.catch(() => this.#roots.delete(key))
    }
    return root
  }
}
