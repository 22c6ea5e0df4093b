import { FixpointError } from '../../base/error.ts'
import { graphOf } from '../../plan/graph.ts'
import { buildContext, buildTargets, putBuiltImage, type BuildFlags } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { resolveTargets } from '../targets.ts'

/** Options of `build`. */
export interface BuildCommandFlags extends BuildFlags {
  readonly dryRun?: boolean
  readonly output?: string
  readonly withoutMirror?: boolean
}

/** `build [TARGET…]`: builds what is missing in the store; puts images into the output folder. */
export async function buildCommand(
  command: CommandContext,
  words: readonly string[],
  flags: BuildCommandFlags,
): Promise<void> {
  const metadata = await command.metadata()
  const targets = resolveTargets(metadata, words)
  if (flags.output !== undefined && !targets.some((id) => metadata.recipes.get(id)?.image === true))
    throw noImage(flags.output)
  const graph = graphOf(metadata, targets, { mirrors: flags.withoutMirror !== true })
  if (flags.dryRun === true) {
    const { printPlan } = await import('./print-plan.ts')
    await printPlan(command, graph, await command.plan(graph, targets))
    return
  }
  const context = await buildContext(command, flags, { share: true })
  const { plan } = await buildTargets(command, graph, targets, flags, context)
  for (const id of targets) {
    const { artifact, node } = plan.get(id) ?? {}
    // Nothing ran and nothing failed, and yet it is missing: never to be taken for success.
    if (artifact === undefined)
      throw new FixpointError('not-built', `Cannot build ${id}: its inputs have no digest`)
    const files =
      node?.recipe.image === true
        ? await putBuiltImage(command, plan, id, flags.output ?? 'out', context)
        : []
    const lines = [`${id} ${artifact}`, ...files]
    await command.result(lines, { type: 'target', recipe: id, artifact, files })
  }
}

function noImage(folder: string): FixpointError {
  return new FixpointError(
    'no-image-target',
    `Cannot put an image into "${folder}": no target is an image`,
  )
}
