import { compareDocuments } from '../../plan/compare-documents.ts'
import type { Store } from '../../store/store.ts'
import type { CommandContext } from '../context.ts'
import { readImageRecord, type ImageRecord } from '../../image/read-record.ts'

type Built = ImageRecord['recipes'][number]

/**
 * `changes OLD NEW`: from the records of two images, which packages differ, and why each was built
 * again.
 */
export async function changesCommand(
  command: CommandContext,
  oldPath: string,
  newPath: string,
): Promise<void> {
  const [before, after] = [await readImageRecord(oldPath), await readImageRecord(newPath)]
  const store = await command.store()
  const earlier = new Map(before.recipes.map((built) => [built.recipe, built]))
  const later = new Set(after.recipes.map(({ recipe }) => recipe))
  let same = 0
  for (const built of after.recipes) {
    const was = earlier.get(built.recipe)
    if (was?.key === built.key && comparisonOf(was, built) !== 'other') same += 1
    else await tell(command, store, was, built)
  }
  for (const gone of before.recipes.filter(({ recipe }) => !later.has(recipe)))
    await command.result([`${gone.recipe} ${gone.version}: no longer used`], {
      type: 'changed',
      ...gone,
      why: [],
    })
  await command.result([`unchanged: ${String(same)} of ${String(after.recipes.length)}`], {
    type: 'unchanged',
    same,
  })
}

async function tell(
  command: CommandContext,
  store: Store,
  was: Built | undefined,
  built: Built,
): Promise<void> {
  const version =
    was === undefined || was.version === built.version
      ? built.version
      : `${was.version} -> ${built.version}`
  const what = was === undefined ? 'new' : WHAT[comparisonOf(was, built)]
  const why = was === undefined ? [] : reasons(command, store, was, built)
  await command.result([`${built.recipe} ${version}: ${what}`, ...why.map((line) => `  ${line}`)], {
    type: 'changed',
    ...built,
    why,
  })
}

/** Whether two artifacts are the same. A record may have only the key of a build input. */
function comparisonOf(was: Built, built: Built): 'same' | 'other' | 'unknown' {
  if (was.artifact === undefined || built.artifact === undefined) return 'unknown'
  return was.artifact === built.artifact ? 'same' : 'other'
}

const WHAT = {
  same: 'built again, same bytes',
  other: 'built again, other bytes',
  unknown: 'another action; the records do not say whether its bytes differ',
} as const

/** Why the key is another, as far as the store remembers both actions. */
function reasons(command: CommandContext, store: Store, was: Built, built: Built): string[] {
  if (was.key === built.key)
    return built.host === true
      ? ['the same action: its host or compiler is another']
      : [`the same action: it is not reproducible; see \`fixpoint verify ${built.recipe}\``]
  const [old, now] = [was.key, built.key].map((key) => {
    // Under its key, or bound to this host, as what saw it is.
    const entry = store.index.find(key) ?? store.index.find(command.indexName(key, true))
    return entry?.document
  })
  if (old === undefined || now === undefined) return ['the store does not remember both actions']
  return compareDocuments(old, now)
}
