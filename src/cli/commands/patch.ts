import { basename } from 'node:path'
import { counted } from '../../base/format.ts'
import { patchRecipe } from '../../author/patch-recipe.ts'
import { loadAll } from '../../metadata/load.ts'
import type { CommandContext } from '../context.ts'
import { layersToChange } from '../defaults.ts'
import { resolveTarget } from '../targets.ts'

/** Options of `patch`. */
export interface PatchFlags {
  readonly layer?: string
}

/** `patch RECIPE [FOLDER]`: the commits of a tree that `edit` made become patches of the recipe. */
export async function patchCommand(
  command: CommandContext,
  word: string,
  folder: string | undefined,
  { layer }: PatchFlags,
): Promise<void> {
  const layers = layersToChange(command.options.layers)
  const recipe = resolveTarget(await command.metadata(), word)
  const written = await patchRecipe({
    recipe,
    tree: folder ?? basename(recipe),
    layer,
    load: () => loadAll(layers),
    signal: command.signal,
  })
  const [first] = written.untracked
  if (first !== undefined) {
    const message = `In no commit: ${counted(written.untracked.length, 'file')}, such as "${first}"`
    command.emit({ type: 'warning', at: command.now(), message })
  }
  const { withPatch } = written
  if (withPatch?.isDone === false) {
    const message = `Add toolchain/patch to the inputs in "${withPatch.file}": it applies patches`
    command.emit({ type: 'warning', at: command.now(), message })
  }
  await command.result(
    written.names.length === 0
      ? ['there is no commit that is not a patch already']
      : [
          ...(written.isNew ? [`${written.folder}/amend.yaml`] : []),
          ...(withPatch?.isDone === true
            ? [`${withPatch.file}: toolchain/patch added to the inputs`]
            : []),
          ...written.names.map((name) => `${written.folder}/patches/${name}`),
        ],
    { type: 'patches', recipe, ...written },
  )
}
