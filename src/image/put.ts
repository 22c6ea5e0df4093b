import { lstat, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { beneath, type Folder } from '../base/beneath.ts'
import { digestOf, digestOfFile, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { makeFolder } from '../base/files.ts'
import { byCodeUnit } from '../base/order.ts'
import { partName } from '../base/part-name.ts'
import { copyBeneath, putFile } from '../base/put-file.ts'
import type { Plan } from '../plan/plan.ts'
import type { Listing } from '../store/artifact/listing.ts'
import {
  describeImage,
  RECORD_SUFFIX,
  recordedKeys,
  recordsKeysOf,
  type RecordContext,
} from './record.ts'

/** What {@link putImage} works with. */
export interface PutContext extends RecordContext {
  readonly signal: AbortSignal
}

/**
 * Writes an image and its record, NAME.json, into `folder` and returns their paths. Files that
 * already match are kept; one that was changed after the record is hashed again. Fails with
 * `record-in-the-way`, `disk-full` or `host-refuses`.
 */
export async function putImage(
  plan: Plan,
  id: RecipeId,
  folder: string,
  context: PutContext,
): Promise<string[]> {
  const { store, signal } = context
  const artifact = plan.get(id)?.artifact
  if (artifact === undefined) throw new TypeError(`"${id}" is not built`)
  const files = (await store.trees.listing(artifact)).filter((entry) => entry.type === 'file')
  const recordName = `${id.split('/')[1] ?? ''}${RECORD_SUFFIX}`
  if (files.some(({ path }) => path === recordName)) {
    throw new FixpointError(
      'record-in-the-way',
      `Cannot put ${id} into "${folder}": a file of the image is called "${recordName}", as ` +
        `its record`,
    )
  }
  const record = join(folder, recordName)
  const paths = [...files.map(({ path }) => join(folder, path)), record]
  const stale = (): ReturnType<typeof whatIsStale> => whatIsStale(record, artifact, files, plan, id)
  if ((await stale()) !== undefined) {
    await makeFolder(folder)
    // Several engines may be asked to put an image there.
    const lock = await store.session.lock(`export-${digestOf(await realpath(folder))}`, signal)
    try {
      const what = await stale()
      if (what === 'image') {
        const unpacked = await store.trees.unpack(artifact)
        for (const { path } of files) {
          // The lock is that of the store, and so its runs alone clean up after each other.
          const part = partName(`${store.root}\0${path}`)
          await copyBeneath(unpacked.folder, path, folder, path, part)
        }
      }
      if (what !== undefined) {
        const text = await describeImage(plan, id, files, context)
        await putFile(folder, recordName, (part) => writeFile(part, text, { flag: 'wx' }))
      }
    } finally {
      await lock.release()
    }
  }
  return paths.map((path) => relative('', path))
}

/**
 * Copies what {@link putImage} put into the folder `name` of `data` into another, the record
 * last.
 */
export async function copyPutImage(data: string, name: string, to: string): Promise<void> {
  const paths = beneath(data, name, filesIn).sort(
    (a, b) =>
      Number(a.endsWith(RECORD_SUFFIX)) - Number(b.endsWith(RECORD_SUFFIX)) || byCodeUnit(a, b),
  )
  for (const path of paths) await copyBeneath(data, `${name}/${path}`, to, path)
}

/** Paths of all regular files in the folder `name`, relative to it. */
function filesIn(parent: Folder, name: string): string[] {
  const folder = parent.folder(name)
  try {
    return folder.names().flatMap((bytes) => {
      const entry = bytes.toString()
      const found = folder.stat(entry)
      if (found?.isDirectory()) return filesIn(folder, entry).map((path) => `${entry}/${path}`)
      return found?.isFile() ? [entry] : []
    })
  } finally {
    folder.close()
  }
}

/**
 * What in a folder is not that of an image's artifact: the image, only the record, or nothing. The
 * same bytes may come from other keys, so the record may be stale where the image is not.
 */
async function whatIsStale(
  record: string,
  artifact: Digest,
  files: Listing,
  plan: Plan,
  id: RecipeId,
): Promise<'image' | 'record' | undefined> {
  const recorded = await recordedKeys(record)
  if (recorded?.artifact !== artifact || !(await present(files, record))) return 'image'
  return recordsKeysOf(recorded, plan, id) ? undefined : 'record'
}

/**
 * Whether the files beside a record are as they are listed. One that was changed after the record,
 * as by a machine that ran from it, is read whole. The times are those of inodes: others may be set
 * back, as `cp -p` of an older image does.
 */
async function present(files: Listing, record: string): Promise<boolean> {
  const { ctimeMs: recordedAt } = await stat(record)
  for (const entry of files) {
    const path = join(dirname(record), entry.path)
    const found = await lstat(path).catch(() => undefined)
    if (entry.type !== 'file' || found?.isFile() !== true || found.size !== entry.size) return false
    if (found.ctimeMs > recordedAt && (await digestOfFile(path)) !== entry.sha256) return false
  }
  return true
}
