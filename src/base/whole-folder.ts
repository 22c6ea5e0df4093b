import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FixpointError } from './error.ts'
import { errorCode, explainDiskFull, makeFolder, noFolder, syncPath } from './files.ts'
import { partName } from './part-name.ts'
import { removeTree } from './remove-tree.ts'
import { forbidden } from './system-error.ts'

/** What was made, and its path. */
export interface Made<T> {
  readonly result: T
  readonly made: string
}

/**
 * Lets `write` fill a folder beside `target`, and renames what it made to that: the folder itself,
 * or something in it. So it comes whole or not at all. Folders above it are made. `owner` names
 * whoever keeps others of that name from making `target` meanwhile, as by a lock: what a killed run
 * of it left is removed. Rejects as `write` does, and with `no-folder`, `disk-full`, `host-refuses`
 * where this user may make nothing, or `new-there` when another run was first.
 */
export async function makeWhole<T>(
  target: string,
  write: (part: string) => Promise<Made<T>>,
  owner?: string,
): Promise<T> {
  await makeFolder(dirname(target))
  const name = partName(owner === undefined ? undefined : `${owner}\0${target}`)
  const part = join(dirname(target), name)
  await removeTree(part) // of a killed run
  await mkdir(part).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') throw noFolder(target, error)
    throw forbidden('make', target, error) ?? error
  })
  try {
    const { result, made } = await write(part)
    await rename(made, target).catch((error: unknown) => {
      throw isTaken(error) ? somethingThere(target, error) : error
    })
    await syncPath(dirname(target))
    if (made !== part) await removeTree(part)
    return result
  } catch (error) {
    await removeTree(part).catch(() => undefined) // the first error says more
    throw explainDiskFull(error, dirname(target))
  }
}

/** Like {@link makeWhole}, where the folder itself is what is made. */
export async function makeWholeFolder<T>(
  target: string,
  write: (part: string) => Promise<T>,
  owner?: string,
): Promise<T> {
  return makeWhole(target, async (part) => ({ result: await write(part), made: part }), owner)
}

/** The codes by which rename(2) says that something else is where a folder or file is to be. */
function isTaken(error: unknown): boolean {
  return ['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'].includes(errorCode(error) ?? '')
}

/** The error of something new where something is already. */
export function somethingThere(target: string, cause?: unknown): FixpointError {
  return new FixpointError('new-there', `Cannot make "${target}": something is there`, { cause })
}
