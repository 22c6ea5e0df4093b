import { join } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { runningDisk } from '../../image/running-disk.ts'
import { rebuild, type Rebuilt } from '../../verify/rebuild.ts'
import { buildContext, buildTargets, putBuiltImage, type BuildFlags } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'

/** Options of `rebuild`. */
export interface RebuildFlags extends BuildFlags {
  /** Recipes, separated by commas. */
  readonly only?: string
  /** File or disk that holds the image to compare with. */
  readonly against?: string
  readonly output?: string
}

/** `rebuild [IMAGE]`: builds the image that this system runs from again, and compares. */
export async function rebuildCommand(
  command: CommandContext,
  word: string,
  flags: RebuildFlags,
): Promise<void> {
  const { installed: root } = await command.configuration()
  if (root === undefined) {
    throw new FixpointError(
      'no-installed-image',
      'Cannot rebuild this system: it does not run from an image',
    )
  }
  const metadata = await command.ownMetadata()
  const image = resolveTarget(metadata, word)
  const only = flags.only?.split(',').map((name) => resolveTarget(metadata, name))
  const disk = flags.against ?? (await runningDisk())
  let own = command
  const rebuilt = await rebuild({
    metadata,
    image,
    only: only && [...new Set(only)],
    root,
    disk,
    beside: (await command.store()).root,
    open: async (store, lower) => {
      own = command.beside(store, lower)
      return { context: await buildContext(own, flags), close: () => own.closeStore() }
    },
    build: (graph, targets, context) =>
      buildTargets(own, graph, targets, flags, context, { hasOwnStore: true }),
    put: async (plan, context) =>
      flags.output === undefined
        ? []
        : putBuiltImage(own, plan, image, join(flags.output), context),
  })
  const lines =
    only === undefined ? allLines(rebuilt, image, disk) : someLines(rebuilt, image, disk)
  const { digest, size, actions, files } = rebuilt
  await command.result(lines, { type: 'rebuilt', image, digest, size, actions, files })
}

function allLines(rebuilt: Rebuilt, image: string, disk: string): string[] {
  const { graph, size, sources, digest, files } = rebuilt
  return [
    `actions in the graph: ${graph}`,
    runLine(rebuilt),
    'taken from the store: 0',
    shareLine(rebuilt),
    `of the image: ${size - sources} bytes built, ${sources} the sources, each compared ` +
      `with its digest`,
    `identical: ${disk} and what was built from its sources, all ${size} bytes`,
    `${String(digest)}  ${image}`,
    ...files,
  ]
}

function someLines(rebuilt: Rebuilt, image: string, disk: string): string[] {
  const { compared, digest } = rebuilt
  return [
    ...compared.map(({ recipe, artifact }) => `${recipe} ${artifact}: identical`),
    ...(digest === undefined ? [] : [`${image} ${digest}: identical to ${disk}`]),
    runLine(rebuilt),
    // An image is not installed in itself.
    ...(compared.length > 0 ? [shareLine(rebuilt)] : []),
  ]
}

function runLine({ actions, before }: Rebuilt): string {
  const rest = before > 0 ? `, ${before} of them before this rebuild was interrupted` : ''
  return `run: ${actions}${rest}`
}

function shareLine({ bytes: { compared, installed } }: Rebuilt): string {
  const percent = ((100 * compared) / installed).toFixed(1)
  return `rebuilt: ${percent} % of the ${installed} bytes that are installed`
}
