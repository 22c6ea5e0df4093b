import { dirname } from 'node:path'
import { combineFailures, FixpointError } from '../../base/error.ts'
import { lint } from '../../metadata/lint.ts'
import { didYouMean } from '../../metadata/yaml/suggest.ts'
import { graphOf } from '../../plan/graph.ts'
import type { CommandContext } from '../context.ts'
import { layersFile, layersToChange } from '../defaults.ts'
import { misplacedProject } from '../project.ts'
import { resolveTarget } from '../targets.ts'

/** Options of `lint`. */
export interface LintFlags {
  readonly fix?: boolean
}

/**
 * `lint`: what is valid in the recipes and yet wrong or untidy; exit code 3 when there is anything.
 * With `fix`, it first mends what can be mended safely.
 */
export async function lintCommand(command: CommandContext, flags: LintFlags = {}): Promise<void> {
  if (flags.fix === true) await mendAll(command)
  const findings = [
    ...(await lint(layersFile(command.options.layers))),
    ...(await orderFault(command)),
    ...(await projectFault(command)),
    ...(await projectPlaceFault(command)),
  ]
  if (findings.length > 0) throw combineFailures(findings)
}

/** The circle that the recipes are in, if they are: each of them may be valid by itself. */
async function orderFault(command: CommandContext): Promise<FixpointError[]> {
  const metadata = await command.metadata()
  try {
    graphOf(metadata, [...metadata.recipes.keys()])
    return []
  } catch (error) {
    if (error instanceof FixpointError && error.kind === 'metadata') return [error]
    throw error
  }
}

/** What is wrong in the file of the project, which the layers are valid without. */
async function projectFault(command: CommandContext): Promise<FixpointError[]> {
  try {
    const { target } = await command.project()
    if (target !== undefined) resolveTarget(await command.metadata(), target.word, target.position)
    return []
  } catch (error) {
    if (!(error instanceof FixpointError)) throw error
    const { code, message, position, facts } = error
    if (code !== 'unknown-target' && code !== 'ambiguous-target') return [error]
    const hint = facts.near === undefined ? {} : { hint: didYouMean(facts.near) }
    return [new FixpointError('lint-project-target', message, { position, ...hint })]
  }
}

async function projectPlaceFault({ options }: CommandContext): Promise<FixpointError[]> {
  const layers = layersFile(options.layers)
  const file = await misplacedProject(layers)
  if (file === undefined) return []
  const message = 'Nothing reads this file'
  const hint = `Move it beside layers.yaml, into "${dirname(layers)}"`
  return [new FixpointError('lint-project-place', message, { position: { file }, hint })]
}

async function mendAll(command: CommandContext): Promise<void> {
  const { mendLayers } = await import('../../author/mend-layers.ts')
  for (const mended of await mendLayers(layersToChange(command.options.layers))) {
    const said = 'refusal' in mended ? `not mended: ${mended.refusal}` : mended.mendings.join(', ')
    await command.result([`${mended.file}: ${said}`], { type: 'mended', ...mended })
  }
}
