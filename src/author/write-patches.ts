import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists, explainDiskFull, syncPath } from '../base/files.ts'
import { partName } from '../base/part-name.ts'
import { removeTree } from '../base/remove-tree.ts'
import { forbidden } from '../base/system-error.ts'
import { makeWholeFolder } from '../base/whole-folder.ts'
import type { NewPatch } from './patches.ts'

/** Where patches go. */
export interface PatchesPlace {
  readonly folder: string
  /** Text of the amend.yaml that has to be made there; undefined when the folder is there. */
  readonly amendment: string | undefined
}

/** Undoes what was written. */
export type Undo = () => Promise<void>

/**
 * Puts patches into the folder in which a user changes a recipe, and makes that if it has to be.
 * They come all or not at all. Fails with `disk-full`, and with `host-refuses` where this user may
 * not write.
 */
export async function writePatches(
  { folder, amendment }: PatchesPlace,
  patches: readonly NewPatch[],
): Promise<Undo> {
  try {
    if (amendment !== undefined) {
      await makeWholeFolder(folder, async (part) => {
        await writeFile(join(part, 'amend.yaml'), amendment, { flag: 'wx' })
        await mkdir(join(part, 'patches'))
        await writeAll(join(part, 'patches'), patches)
      })
      return () => removeTree(folder)
    }
    const target = join(folder, 'patches')
    if (!(await exists(target))) {
      await makeWholeFolder(target, (part) => writeAll(part, patches))
      return () => removeTree(target)
    }
    return await addAll(target, patches)
  } catch (error) {
    throw forbidden('write', join(folder, 'patches'), error) ?? explainDiskFull(error, folder)
  }
}

async function addAll(folder: string, patches: readonly NewPatch[]): Promise<Undo> {
  const added: string[] = []
  const undo = async (): Promise<void> => {
    for (const path of added.splice(0)) await rm(path, { force: true })
  }
  const part = join(dirname(folder), partName())
  await mkdir(part)
  try {
    await writeAll(part, patches)
    for (const { name } of patches) {
      await rename(join(part, name), join(folder, name))
      added.push(join(folder, name))
    }
    await syncPath(folder)
    return undo
  } catch (error) {
    await undo()
    throw error
  } finally {
    await removeTree(part)
  }
}

async function writeAll(folder: string, patches: readonly NewPatch[]): Promise<void> {
  for (const { name, bytes } of patches)
    await writeFile(join(folder, name), bytes, { flag: 'wx', flush: true })
}
