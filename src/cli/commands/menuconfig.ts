import { FixpointError } from '../../base/error.ts'
import { MENU, menuCommand, readMenuFragment } from '../../author/config-menu.ts'
import { fragmentPlace, writeFragment } from '../../author/fragment.ts'
import { layOutTree } from '../../build/laid-out-tree.ts'
import { loadAll } from '../../metadata/load.ts'
import type { CommandContext } from '../context.ts'
import { layersToChange } from '../defaults.ts'
import { runOnTerminal } from '../on-terminal.ts'
import { prepareAction } from '../prepare-action.ts'
import { resolveTarget } from '../targets.ts'

/** Options of `menuconfig`. */
export interface MenuconfigFlags {
  readonly fragment?: string
  readonly layer?: string
}

/** `menuconfig RECIPE`: its configuration as a menu; what changes there becomes a fragment. */
export async function menuconfigCommand(
  command: CommandContext,
  word: string,
  { fragment: name, layer }: MenuconfigFlags,
): Promise<void> {
  const layers = layersToChange(command.options.layers)
  const metadata = await command.metadata()
  const recipe = resolveTarget(metadata, word)
  const load = () => loadAll(layers)
  const wanted = { recipe, name, layer, load }
  const { config } = await fragmentPlace(wanted)
  requireTerminal()
  const { action, fetchSources } = await prepareAction(command, recipe, [MENU])
  await fetchSources()
  const { emit, now, signal } = command
  const menu = menuCommand(action, config)
  const context = { store: await command.store(), emit, now, signal }
  const workspace = await layOutTree(action, menu.stepsBefore, context)
  await command.settle()
  const environment = { TERM: process.env['TERM'] ?? 'vt100' }
  const spec = await workspace.sandbox(action, menu.words, environment, undefined)
  const status = await runOnTerminal(command, spec)
  const text = readMenuFragment(workspace, recipe, status)
  if (text === '') {
    await command.result(['nothing was changed'], { type: 'fragment', recipe, options: [] })
    return
  }
  const file = await writeFragment(wanted, text)
  const options = text.trimEnd().split('\n')
  await command.result([`${file}:`, ...options.map((option) => `  ${option}`)], {
    type: 'fragment',
    ...{ recipe, file, options },
  })
}

/** Elsewhere a menu waits for keys that never come. Fails with `no-terminal`. */
function requireTerminal(): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return
  throw new FixpointError(
    'no-terminal',
    'Cannot open the menu: it needs a terminal, as standard input and standard output',
  )
}
