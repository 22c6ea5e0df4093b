import { linkSync, mkdirSync, renameSync, rmdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { beneath, Folder } from '../../base/beneath.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode, syncPath } from '../../base/files.ts'
import { folderBelow, moveBeneath } from '../../base/put-file.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { KIT } from '../kit/layout.ts'

/** How the folders begin that repairs work in, below the folder of what was set aside. */
const NEW = 'new-'

/**
 * The folder of a kit in which a repair works, and to which it moves what it replaces: `damaged/N`
 * has the old files of one repair, under their paths. A killed repair leaves `damaged/new-N`
 * as well; the next one takes whole files from there, and removes it.
 */
export class DamagedFolder {
  /** Folder for new files. */
  readonly scratch: string
  readonly #kit: string
  readonly #number: string
  #isUsed = false

  private constructor(kit: string, number: string) {
    this.#kit = kit
    this.#number = number
    this.scratch = join(kit, KIT.damaged, `${NEW}${number}`)
  }

  /** Makes both folders, of the next number. Fails with `unsafe-path` for a link in its place. */
  static make(kit: string): DamagedFolder {
    const folder = folderBelow(kit, [KIT.damaged])
    try {
      for (let number = 1; ; number++) {
        const names = [String(number), `${NEW}${number}`]
        if (names.some((name) => folder.stat(name) !== undefined)) continue
        for (const name of names) mkdirSync(folder.at(name))
        return new DamagedFolder(kit, String(number))
      }
    } catch (error) {
      // A full disk may have had room for one of them.
      for (const name of folder.names()) removeIfEmpty(folder.at(name.toString()))
      removeIfEmpty(join(kit, KIT.damaged))
      throw error
    } finally {
      folder.close()
    }
  }

  /** Path below the kit where what was set aside lies; undefined when nothing was. */
  get aside(): string | undefined {
    return this.#isUsed ? `${KIT.damaged}/${this.#number}` : undefined
  }

  /**
   * Puts a new file of {@link scratch} in its place. What was there lies in the folder of damaged
   * files before, so no moment has neither.
   */
  async put(path: string): Promise<void> {
    this.setAside(path, true)
    await moveBeneath(this.scratch, path, this.#kit)
  }

  /** Moves a folder that is in the way of a file, with all that is in it. */
  makeWay(path: string): void {
    if (beneathIfThere(this.#kit, path)?.isDirectory() === true) this.setAside(path)
  }

  /** Moves what is at a path to the folder of damaged files. With `keep`, a file also stays. */
  setAside(path: string, keep = false): void {
    const found = beneathIfThere(this.#kit, path)
    if (found === undefined) return
    const parts = [KIT.damaged, this.#number, ...path.split('/')]
    const name = parts.pop() ?? ''
    const target = folderBelow(this.#kit, parts)
    try {
      this.#isUsed = true
      beneath(this.#kit, path, (folder, old) => {
        if (!(keep && found.isFile() && isLinked(folder.at(old), target.at(name))))
          renameSync(folder.at(old), target.at(name))
      })
    } finally {
      target.close()
    }
  }

  /** Removes the folders for new files, those of killed repairs too, and what is empty. */
  async close(): Promise<void> {
    const folder = folderBelow(this.#kit, [KIT.damaged])
    try {
      const names = folder.names().map((name) => name.toString())
      for (const name of names)
        if (name.startsWith(NEW)) await removeTree(join(this.#kit, KIT.damaged, name))
      for (const name of names) if (!name.startsWith(NEW)) removeIfEmpty(folder.at(name))
    } finally {
      folder.close()
    }
    removeIfEmpty(join(this.#kit, KIT.damaged))
    await syncPath(this.#kit)
  }

  /** Removes the folder for new files of a repair that failed. */
  async giveUp(): Promise<void> {
    await removeTree(this.scratch)
    Folder.with(join(this.#kit, KIT.damaged), (folder) => removeIfEmpty(folder.at(this.#number)))
    removeIfEmpty(join(this.#kit, KIT.damaged))
  }
}

/** What lies at a path, itself; undefined where nothing does or a folder above it is none. */
function beneathIfThere(root: string, path: string): Stats | undefined {
  try {
    return beneath(root, path, (folder, name) => folder.stat(name))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined
    if (error instanceof FixpointError && error.code === 'unsafe-path') return undefined
    throw error
  }
}

/** Gives a file a second name. Some file systems have no links. */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) throw error
  }
}
