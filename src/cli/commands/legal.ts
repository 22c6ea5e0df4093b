import type { RecipeId } from '../../base/recipe-id.ts'
import { readRecordOf, recordsKeysOf } from '../../image/record.ts'
import { graphOf, type Graph } from '../../plan/graph.ts'
import type { Plan } from '../../plan/plan.ts'
import { requireRecorded, writePapers } from '../../report/legal/legal.ts'
import { buildContext, findSources, type BuildFlags } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'

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
  const metadata = await command.metadata()
  const image = resolveTarget(metadata, recorded.record.recipe)
  const planned = async (mirrors: boolean): Promise<{ graph: Graph; plan: Plan }> => {
    const graph = graphOf(metadata, [image], { mirrors })
    return { graph, plan: await command.plan(graph, [image]) }
  }
  // An image may have been built without its mirror, as an option of the build.
  const withMirror = await planned(true)
  const { graph, plan } = recordsKeysOf(recorded.record, withMirror.plan, image)
    ? withMirror
    : await planned(false)
  const { signal } = command
  await requireRecorded(path, recorded, plan, signal)
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
    `${target}: ${recipes} recipes, ${texts} texts of licenses, ${copyleft} copyleft parts`,
    ...(copied > 0 ? [`copied: ${copied} source files`] : []),
    ...(hasMirror || copyleft === 0
      ? []
      : ['The image holds no source files: those of the copyleft parts must go with it']),
  ]
}
