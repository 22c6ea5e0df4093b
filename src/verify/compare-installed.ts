import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOfFile, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { readDisk } from '../image/disk.ts'
import type { Plan } from '../plan/plan.ts'
import type { InstalledArtifact } from '../store/local/installed.ts'
import type { Store } from '../store/store.ts'
import { firstDifferentByte } from './compare-files.ts'
import { firstDifference } from './first-difference.ts'

/** What was built, and where it is kept when it differs. */
export interface BuiltAgain {
  readonly plan: Plan
  readonly store: Store
  readonly folder: string
}

/**
 * Compares what was built with artifacts that are installed below `root`. Fails with
 * `rebuild-differs`, which names the first difference by package and file.
 */
export async function compareArtifacts(
  { plan, store, folder }: BuiltAgain,
  root: string,
  wanted: readonly InstalledArtifact[],
): Promise<void> {
  const different = wanted.filter(({ recipe, artifact }) => plan.get(recipe)?.artifact !== artifact)
  // The first in the order of building is where the difference began.
  const order = [...plan.keys()]
  const [first] = different.sort((a, b) => order.indexOf(a.recipe) - order.indexOf(b.recipe))
  if (first === undefined) return
  const built = plan.get(first.recipe)
  if (built?.artifact === undefined)
    throw differs(folder, `${first.recipe} is installed, but was not built`)
  const difference = await firstDifference(
    { folder: root, listing: first.listing },
    await store.trees.unpack(built.artifact),
  )
  const where =
    difference !== undefined
      ? `"${difference.path}": ${difference.what}; ${difference.count} entries differ`
      : built.key === first.key
        ? `the artifacts are ${first.artifact} and ${built.artifact}`
        : 'its recipe has another key than what is installed'
  throw differs(folder, `${first.recipe}: ${where} (${different.length} packages differ)`)
}

/**
 * Compares an image that was built, the file `built`, with the first `size` bytes of `disk`, byte
 * for byte, and resolves with its digest. `folder` is where it is kept. Fails with
 * `rebuild-differs`.
 */
export async function compareImage(
  built: string,
  disk: string,
  size: number,
  folder: string,
): Promise<Digest> {
  const offset = await firstDifferentByte(disk, built, Math.max(size, (await stat(built)).size))
  if (offset === undefined) return digestOfFile(built)
  const { partitions } = await readDisk(built)
  const part = partitions.find(
    ({ start, size: length }) => offset >= start && offset < start + length,
  )
  const where =
    part === undefined
      ? 'outside the partitions'
      : `partition "${part.name}", offset ${offset - part.start}`
  throw differs(
    folder,
    `every package is the same, but byte ${offset} of ${disk} is not (${where})`,
  )
}

/** Bytes of all files of some installed artifacts, as they are below `root`. */
export async function bytesOf(
  artifacts: readonly InstalledArtifact[],
  root: string,
): Promise<number> {
  let sum = 0
  for (const { listing } of artifacts) {
    for (const entry of listing)
      if (entry.type === 'file') sum += (await stat(join(root, entry.path))).size
  }
  return sum
}

function differs(folder: string, where: string): FixpointError {
  return new FixpointError(
    'rebuild-differs',
    `What was built is not what this system runs from: ${where}`,
    { facts: { folder } },
  )
}
