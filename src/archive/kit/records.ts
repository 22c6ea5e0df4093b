import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Folder } from '../../base/beneath.ts'
import type { Digest } from '../../base/digest.ts'
import { partName } from '../../base/part-name.ts'
import { folderBelow } from '../../base/put-file.ts'
import { readRegular } from '../../base/regular.ts'
import { replaceFile } from '../../base/replace-file.ts'
import { visible } from '../../base/visible.ts'
import { takeLock } from '../../store/local/lock.ts'
import { KIT } from './layout.ts'

/** Bytes that such a file may have: some 100,000 lines. */
const LARGEST = 16 << 20

/** What a person says about a copy of a kit. */
export interface CopyNote {
  /** Day, as YYYY-MM-DD. */
  readonly day: string
  readonly id: Digest
  /** What is written on it. */
  readonly label: string
  /** Kind of medium, such as `hdd`. */
  readonly medium: string
  /** Where it is kept. */
  readonly place: string
}

/** A check of a kit. */
export interface CheckNote {
  /** Day, as YYYY-MM-DD. */
  readonly day: string
  /** Faults that it found. */
  readonly faults: number
}

/** Names of the files in the folder of checks, and their first lines. */
const FILES = {
  copies: ['copies.tsv', 'day\tid\tlabel\tmedium\tplace'],
  checks: ['log.tsv', 'day\tfaults'],
} as const

/**
 * Appends a line about a copy to the records of the kit below `folder`. False where nothing can be
 * written there, as on a disk that is read-only.
 */
export function noteCopy(folder: string, note: CopyNote): Promise<boolean> {
  const fields = [note.day, note.id, note.label, note.medium, note.place]
  return append(folder, 'copies', fields)
}

/** Like {@link noteCopy}, about a check. */
export function noteCheck(folder: string, { day, faults }: CheckNote): Promise<boolean> {
  return append(folder, 'checks', [day, String(faults)])
}

/** Copies that the records of a kit name. Lines of another form are passed over. */
export async function notedCopies(folder: string): Promise<CopyNote[]> {
  const rows = await rowsOf(folder, 'copies')
  return rows.flatMap(([day = '', id = '', label = '', medium = '', place = '']) =>
    isDay(day) && /^[0-9a-f]{64}$/.test(id) && place !== ''
      ? [{ day, id: id as Digest, label, medium, place }]
      : [],
  )
}

/** Checks that the records of a kit name, the oldest first. */
export async function notedChecks(folder: string): Promise<CheckNote[]> {
  const rows = await rowsOf(folder, 'checks')
  return rows.flatMap(([day = '', faults = '']) =>
    isDay(day) && /^\d{1,9}$/.test(faults) ? [{ day, faults: Number(faults) }] : [],
  )
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text)
}

async function append(
  kit: string,
  which: keyof typeof FILES,
  fields: readonly string[],
): Promise<boolean> {
  const [name, head] = FILES[which]
  let folder: Folder | undefined
  try {
    folder = folderBelow(kit, [KIT.checks])
    // Never through a link or into a pipe: the kit may come from elsewhere.
    const found = folder.stat(name)
    if (found !== undefined && !found.isFile()) return false
    if (found === undefined) await begin(join(kit, KIT.checks), folder, name, head)
    await appendFile(folder.at(name), `${fields.map((field) => visible(field)).join('\t')}\n`)
    return true
  } catch {
    return false
  } finally {
    folder?.close()
  }
}

/** Makes a file with its first line. Of several runs that would, the one with the lock does. */
async function begin(path: string, folder: Folder, name: string, head: string): Promise<void> {
  const lock = await takeLock(path)
  try {
    if (folder.stat(name) === undefined)
      await replaceFile(folder, name, (part) => writeFile(part, `${head}\n`), partName(name))
  } finally {
    await lock?.release()
  }
}

async function rowsOf(kit: string, which: keyof typeof FILES): Promise<string[][]> {
  const [name] = FILES[which]
  let folder: Folder | undefined
  try {
    const above = Folder.open(kit)
    try {
      folder = above.folder(KIT.checks)
    } finally {
      above.close()
    }
    const text = await readRegular(folder.at(name), LARGEST, 'refuse')
    return (text ?? '').split('\n').map((line) => line.split('\t'))
  } catch {
    return [] // there are none
  } finally {
    folder?.close()
  }
}
