import { counted } from '../../base/format.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { readRecordOf, requireRecorded } from '../../image/read-record.ts'
import { recordedPlan } from '../../image/recorded-plan.ts'
import { writePapers, type WrittenPapers } from '../../report/legal/legal.ts'
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

function linesOf(image: RecipeId, target: string, written: WrittenPapers): string[] {
  const { license, recipes, installed, copyleft, texts } = written
  const linked = recipes - installed
  return [
    `${image}: ${license}`,
    `${target}: papers of ${counted(recipes, 'recipe')} ` +
      `(${installed} installed, ${linked} linked into others)`,
    `  ${counted(texts, 'license text')}; ${counted(copyleft, 'copyleft part')}, ` +
      `each with its recipe and patches`,
    ...sourceLines(written),
  ]
}

/** Where the source files are that whoever passes the image on has to pass on, too. */
function sourceLines({ sourceFiles, copied, hasMirror }: WrittenPapers): string[] {
  if (sourceFiles === 0) return []
  const files = `${counted(sourceFiles, 'source file')} of the copyleft parts`
  if (copied > 0) return [`  ${files}: pass the folder on with the image`]
  return hasMirror
    ? ['The image itself holds the source files of all its parts']
    : [`The image holds no source files: pass on the ${files}, too; --sources copies them`]
}
