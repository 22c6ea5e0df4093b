import { counted } from '../../base/format.ts'
import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { planOn, storeAsKnown } from '../../store/plan-view.ts'
import type { Metadata } from '../../metadata/model.ts'
import { sourceDigest } from '../../plan/action-document.ts'
import { graphOf } from '../../plan/graph.ts'
import { collectGarbage } from '../../store/collect-garbage.ts'
import { artifactsNotKept, type NotKept } from '../../store/not-kept.ts'
import type { Store } from '../../store/store.ts'
import type { CommandContext } from '../context.ts'
import { formatBytes } from '../view/format.ts'

/** Options of `store gc`. */
export interface GcFlags {
  readonly dryRun?: boolean
  /** Artifacts of recipes that these layers do not have may go too. */
  readonly force?: boolean
}

/**
 * `store gc`: removes what the recipes, as they are now, do not use, and says of which recipes it
 * was. Stores are shared: fails with `other-layers` when some is of recipes that the layers in
 * effect do not have.
 */
export async function storeGcCommand(command: CommandContext, flags: GcFlags): Promise<void> {
  const metadata = await command.metadata()
  const store = await command.store()
  const keep = usedBy(metadata, store, command)
  const dryRun = flags.dryRun === true
  const recipes = await artifactsNotKept(store, keep)
  if (!dryRun && flags.force !== true) refuseOthers(store, recipes, metadata)
  const { blobs, trees, bytes } = await collectGarbage(store, keep, dryRun)
  const done = dryRun ? 'would remove' : 'removed'
  await command.result(
    [
      ...recipes.map((row) => `${done} of ${row.recipe}: ${describeRow(row)}`),
      `${done} ${counted(blobs, 'blob')} (${formatBytes(bytes)}) and ${counted(trees, 'tree')}`,
    ],
    { type: 'collected', dryRun, blobs, trees, bytes, recipes },
  )
}

function refuseOthers(store: Store, recipes: readonly NotKept[], metadata: Metadata): void {
  const others = recipes.filter(({ recipe }) => !metadata.recipes.has(recipe))
  if (others.length === 0) return
  const rows = others.map((row) => `\n  ${row.recipe}: ${describeRow(row)}`).join('')
  throw new FixpointError(
    'other-layers',
    `Cannot collect garbage in "${store.root}": it holds artifacts of recipes that these ` +
      `layers do not have${rows}`,
  )
}

function describeRow({ artifacts, bytes }: NotKept): string {
  const noun = artifacts === 1 ? 'artifact' : 'artifacts'
  return `${artifacts} ${noun} (${formatBytes(bytes)})`
}

/** Sources, texts of licenses and artifacts of all recipes, as they are now. */
function usedBy(metadata: Metadata, store: Store, command: CommandContext): ReadonlySet<Digest> {
  const targets = [...metadata.recipes.keys()]
  const keep = new Set<Digest>()
  for (const recipe of metadata.recipes.values())
    for (const source of recipe.sources) {
      keep.add(sourceDigest(source))
      for (const { sha256 } of source.licenseFiles ?? []) keep.add(sha256)
    }
  const view = { store, indexName: command.indexName }
  const known = storeAsKnown(view)
  for (const { artifact, key, node } of planOn(
    view,
    graphOf(metadata, targets),
    targets,
  ).values()) {
    const used =
      artifact ?? (key === undefined ? undefined : known.artifactOf(key, node.recipe.host))
    if (used !== undefined) keep.add(used)
  }
  return keep
}
