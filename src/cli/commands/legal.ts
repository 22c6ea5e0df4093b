import { counted } from '../../base/format.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { readRecordOf, requireRecorded } from '../../image/read-record.ts'
import { recordedPlan } from '../../image/recorded-plan.ts'
import { writePapers } from '../../report/legal/legal.ts'
import { buildContext, findSources, type BuildFlags } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'

/** Options of `legal`. */
export interface LegalFlags extends Pick<BuildFlags, 'mirror' | 'offline'> {
  readonly sources?: boolean
}

/** `legal IMAGE DIR`: licenses, their texts, and what belongs to the source of copyleft parts. */
export async function legalCommand(
  command: CommandContext,
  path: string,
  target: string,
  flags: LegalFlags,
): Promise<void> {
  const recorded = await readRecordOf(path)
  const { graph, plan } = recordedPlan(recorded, await command.metadata())
  const image = recorded.record.recipe as RecipeId
  const { signal } = command
  await requireRecorded(path, recorded, signal)
  const context = await buildContext(command, flags)
  const find = findSources(command, context)
  const written = await writePapers(
    { image, target, sources: flags.sources ?? false },
    { graph, plan, store: context.store, find, signal },
  )
  await command.result(linesOf(image, target, written), {
    type: 'papers',
    folder: target,
    image,
    ...written,
  })
}

function linesOf(
  image: RecipeId,
  target: string,
  written: Awaited<ReturnType<typeof writePapers>>,
): string[] {
  const { license, recipes, copyleft, texts, copied, hasMirror } = written
  return [
    `${image}: ${license}`,
    `${target}: ${counted(recipes, 'recipe')}, ${counted(texts, 'license text')}, ` +
      counted(copyleft, 'copyleft part'),
    ...(copied > 0 ? [`copied: ${counted(copied, 'source file')}`] : []),
    ...(hasMirror || copyleft === 0
      ? []
      : ['The image holds no source files: those of the copyleft parts must go with it']),
  ]
}
