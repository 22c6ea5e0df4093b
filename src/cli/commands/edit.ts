import { basename } from 'node:path'
import { makeEditTree } from '../../author/edit-tree.ts'
import type { CommandContext } from '../context.ts'
import { prepareAction } from '../prepare-action.ts'
import { resolveTarget } from '../targets.ts'

/** `edit RECIPE [FOLDER]`: its sources as a git repository, unpacked and patched. */
export async function editCommand(
  command: CommandContext,
  word: string,
  folder: string | undefined,
): Promise<void> {
  const id = resolveTarget(await command.metadata(), word)
  const target = folder ?? basename(id)
  const { action, fetchSources } = await prepareAction(command, id)
  await fetchSources()
  const { emit, now, signal } = command
  await makeEditTree(action, target, { store: await command.store(), emit, now, signal })
  await command.result(
    [
      `${target}: the sources of ${id}, with a commit for each of its patches`,
      `Change files there and commit them; then: fixpoint patch ${word} ${target}`,
    ],
    { type: 'edit-tree', recipe: id, folder: target, patches: action.patches.length },
  )
}
