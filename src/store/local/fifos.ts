import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Fifos are made by mkfifo(1), since Node cannot make any: some at a time. */
const AT_ONCE = 4

/**
 * Fifos that are used one after the other. One is empty whenever nobody has it open: the kernel
 * drops what was not read.
 */
export class Fifos {
  readonly #freshPath: () => Promise<string>
  #free: Promise<string[]> = Promise.resolve([])

  /** `freshPath` names a path in a folder that nobody else writes to. */
  constructor(freshPath: () => Promise<string>) {
    this.#freshPath = freshPath
  }

  /** A fifo that nobody has open. */
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

  /** Takes back a fifo that has been closed by all who had it open. */
  give(path: string): void {
    this.#free = this.#free.then((paths) => [...paths, path])
  }

  async #make(): Promise<string[]> {
    const paths: string[] = []
    while (paths.length < AT_ONCE) paths.push(await this.#freshPath())
    await run('mkfifo', ['-m', '600', ...paths])
    return paths
  }
}
