import { FixpointError } from '../../base/error.ts'
import { counted, formatCount } from '../../base/format.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { Metadata } from '../../metadata/model.ts'
import { findNewer, type Checked } from '../../fetch/versions/newer.ts'
import type { CommandContext } from '../context.ts'
import { SUITES } from '../defaults.ts'
import { resolveTarget } from '../targets.ts'
import { inColumns } from '../view/columns.ts'

/** Options of `outdated`. */
export interface OutdatedFlags {
  readonly suite?: readonly string[]
  readonly all?: boolean
  readonly offline?: boolean
}

/** `outdated [RECIPE|LAYER…]`: which sources have newer versions where they come from. */
export async function outdatedCommand(
  command: CommandContext,
  words: readonly string[],
  { suite: suites = SUITES, all, offline }: OutdatedFlags,
): Promise<void> {
  if (offline === true)
    throw new FixpointError(
      'versions-offline',
      'Cannot look for newer versions offline: only the places of sources know them',
    )
  const metadata = await command.metadata()
  const { recipes } = metadata
  const ids = words.length > 0 ? words.flatMap((word) => meant(metadata, word)) : recipes.keys()
  const wanted = [...new Set(ids)].flatMap((id) => recipes.get(id) ?? [])
  const { debian, npm } = await command.configuration()
  const { signal } = command
  const checked = await findNewer(wanted, { debian, npm, suites, signal })
  await printAll(command, checked, all === true)
  failWhere(checked)
}

/** The recipes of a layer, or the one that a word means. */
function meant(metadata: Metadata, word: string): readonly RecipeId[] {
  if (!metadata.layers.includes(word)) return [resolveTarget(metadata, word)]
  return [...metadata.recipes.keys()].filter((id) => id.startsWith(`${word}/`))
}

async function printAll(
  command: CommandContext,
  checked: readonly Checked[],
  isAll: boolean,
): Promise<void> {
  const isShown = ({ newer, unknown }: Checked): boolean =>
    isAll || newer.length > 0 || unknown !== undefined
  const lines = inColumns(
    checked
      .filter(isShown)
      .map((one) => [one.recipe, one.package, one.version ?? '', answerOf(one)]),
  )
  for (const one of checked) {
    const line = isShown(one) ? lines.shift() : undefined
    await command.result(line === undefined ? [] : [line], { type: 'outdated', ...one })
  }
  await printSum(command, checked)
}

function answerOf({ newer, unknown }: Checked): string {
  if (unknown !== undefined)
    return `${unknown.kind === 'mute' ? 'cannot be asked' : 'not known'}: ${unknown.reason}`
  if (newer.length === 0) return 'is the newest'
  return `-> ${newer.map(({ version, where }) => `${version} (${where})`).join(', ')}`
}

async function printSum(command: CommandContext, checked: readonly Checked[]): Promise<void> {
  const outdated = checked.filter(({ newer }) => newer.length > 0).length
  const unknown = checked.filter((one) => one.unknown !== undefined).length
  const newest = checked.length - outdated - unknown
  const rest = unknown === 0 ? '' : `, not known: ${formatCount(unknown)}`
  await command.result(
    [`packages: ${formatCount(outdated)} outdated, ${formatCount(newest)} newest${rest}`],
    { type: 'outdated-sum', outdated, newest, unknown },
  )
}

/** Fails with `versions-unavailable` where a place should have known, and did not say. */
function failWhere(checked: readonly Checked[]): void {
  const failed = checked.filter(({ unknown }) => unknown?.kind === 'failed')
  if (failed.length === 0) return
  const reasons = new Map<string, string[]>()
  for (const { unknown, ...one } of failed)
    reasons.set(unknown?.reason ?? '', [...(reasons.get(unknown?.reason ?? '') ?? []), one.package])
  const lines = [...reasons].map(([why, names]) => `\n  ${[...new Set(names)].join(', ')}: ${why}`)
  throw new FixpointError(
    'versions-unavailable',
    `Cannot look up versions of ${counted(failed.length, 'package')}${lines.join('')}`,
  )
}
