import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Fifos are made by mkfifo(1), since Node cannot make any: some at a time. */
const AT_ONCE = 16

/**
 * Fifos for actions. Each is used once: a step owns its mode and its ACL, and would so have a say
 * in the next action.
 */
export class Fifos {
  readonly #freshPath: () => Promise<string>
  #free: Promise<string[]> = Promise.resolve([])

  /** `freshPath` names a path in a folder that nobody else writes to. */
  constructor(freshPath: () => Promise<string>) {
    this.#freshPath = freshPath
  }

  /** A fifo that nobody has had open. */
  async take(): Promise<string> {
    const free = this.#free.then((paths) => (paths.length > 0 ? paths : this.#make()))
    this.#free = free.then(
      (paths) => paths.slice(1),
      () => [],
    )
    const [path] = await free
    if (path === undefined) throw new TypeError('no fifo was made')
    return path
  }

  /** Removes a fifo that has served. */
  drop(path: string): void {
    rmSync(path, { force: true })
  }

  async #make(): Promise<string[]> {
    const paths: string[] = []
    while (paths.length < AT_ONCE) paths.push(await this.#freshPath())
    await run('mkfifo', ['-m', '600', ...paths])
    return paths
  }
}
