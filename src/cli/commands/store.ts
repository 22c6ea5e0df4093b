import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { knownTo } from '../../build/known.ts'
import { sourceDigest } from '../../plan/document.ts'
import { graphOf } from '../../plan/graph.ts'
import { plan } from '../../plan/plan.ts'
import { collectGarbage, verifyStore } from '../../store/maintain.ts'
import type { Engine } from '../engine.ts'
import { formatBytes } from '../view/format.ts'

/** `store verify`: hashes everything in the store; exit code 4 when something is damaged. */
export async function storeVerifyCommand(engine: Engine): Promise<void> {
  const faults = await verifyStore(await engine.store())
  for (const { what, digest, reason } of faults) {
    await engine.result([`${what} ${digest}: ${reason}`], { type: 'damaged', what, digest, reason })
  }
  if (faults.length === 0) {
    await engine.result(['every blob and tree is what its name says'], { type: 'sound' })
    return
  }
  throw new FixpointError('fetch', 'store-damaged', `Found ${String(faults.length)} damaged parts of the store`, {
    hint: 'The next build that uses them sets them aside and makes them anew',
  })
}

/** `store gc`: removes what the recipes, as they are now, do not use. */
export async function storeGcCommand(engine: Engine, flags: { dryRun?: boolean }): Promise<void> {
  const metadata = await engine.metadata()
  const store = await engine.store()
  const targets = [...metadata.recipes.keys()]
  const keep = new Set<Digest>()
  for (const recipe of metadata.recipes.values()) for (const source of recipe.sources) keep.add(sourceDigest(source))
  const known = knownTo(store, engine.nameOf)
  for (const { artifact, key, node } of plan(graphOf(metadata, targets), targets, known).values()) {
    const used = artifact ?? (key === undefined ? undefined : known.artifactOf(key, node.recipe.host))
    if (used !== undefined) keep.add(used)
  }
  const dryRun = flags.dryRun === true
  const { blobs, trees, bytes } = await collectGarbage(store, keep, dryRun)
  const done = dryRun ? 'would remove' : 'removed'
  await engine.result([`${done} ${String(blobs)} blobs (${formatBytes(bytes)}) and ${String(trees)} trees`], {
    type: 'collected',
    dryRun,
    blobs,
    trees,
    bytes,
  })
}
