import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../base/digest.ts'
import { ifThere } from '../../base/files.ts'
import { folderName, type RecipeId } from '../../base/recipe-id.ts'
import type { Logs } from '../rooms.ts'
import { NO_FILE, unreadable } from './layout.ts'

/** Logs as `logs/LAYER@RECIPE/KEY.log`, and kept work folders as `kept/LAYER@RECIPE`. */
export class LocalLogs implements Logs {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async path(recipe: RecipeId, key: Digest): Promise<string> {
    const folder = this.#folder(recipe)
    await mkdir(folder, { recursive: true })
    const path = join(folder, `${key}.log`)
    await timeOf(path)
    return path
  }

  async newest(recipe: RecipeId): Promise<string | undefined> {
    const folder = this.#folder(recipe)
    const paths = (await readdir(folder).catch(() => [])).map((name) => join(folder, name))
    const dated = await Promise.all(
      paths.map(async (path) => ({ path, time: (await timeOf(path)) ?? 0 })),
    )
    return dated.sort((a, b) => b.time - a.time)[0]?.path
  }

  keptFolder(recipe: RecipeId): string {
    return join(this.#root, 'kept', folderName(recipe))
  }

  #folder(recipe: RecipeId): string {
    return join(this.#root, 'logs', folderName(recipe))
  }
}

/** When a log was last written. Fails with `store-unreadable` for what is no file. */
async function timeOf(path: string): Promise<number | undefined> {
  const stat = await ifThere(lstat(path))
  if (stat?.isFile() === false) throw unreadable(path, NO_FILE)
  return stat?.mtimeMs
}
