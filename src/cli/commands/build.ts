import { FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { Metadata } from '../../metadata/model.ts'
import { graphOf } from '../../plan/graph.ts'
import {
  buildContext,
  buildTargets,
  coresOf,
  putBuiltImage,
  type BuildFlags,
} from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { layersFile, OWN_LAYERS } from '../defaults.ts'
import type { ProjectTarget } from '../project.ts'
import { resolveTarget, resolveTargets } from '../targets.ts'

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
  const { target } = await command.project()
  const targets =
    words.length > 0 ? resolveTargets(metadata, words) : [defaultTarget(command, metadata, target)]
  if (flags.output !== undefined && !targets.some((id) => metadata.recipes.get(id)?.image === true))
    throw noImage(flags.output)
  const graph = graphOf(metadata, targets, { mirrors: flags.withoutMirror !== true })
  if (flags.dryRun === true) {
    const { printPlan } = await import('./print-plan.ts')
    const plan = await command.plan(graph, targets)
    await printPlan(command, graph, plan, await coresOf(command, flags))
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

/** The image that the engine's own layers are there for, beside the appliance. */
const OWN_TARGET = 'tiny'

/** What is built when nothing is named. Fails with `no-target`, as {@link resolveTarget} does. */
function defaultTarget(
  { options }: CommandContext,
  metadata: Metadata,
  ofProject: ProjectTarget | undefined,
): RecipeId {
  if (ofProject !== undefined) return resolveTarget(metadata, ofProject.word, ofProject.position)
  if (layersFile(options.layers) === OWN_LAYERS) return resolveTarget(metadata, OWN_TARGET)
  const images = [...metadata.recipes.values()].filter(({ image }) => image).map(({ id }) => id)
  const list = images.length === 0 ? 'they have no image' : `their images are ${images.join(', ')}`
  throw new FixpointError('no-target', `Cannot build these layers without a target: ${list}`)
}

function noImage(folder: string): FixpointError {
  return new FixpointError(
    'no-image-target',
    `Cannot put an image into "${folder}": no target is an image`,
  )
}
