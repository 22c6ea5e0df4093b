import { realpath } from 'node:fs/promises'
import { exists } from '../../base/files.ts'
import type { Action } from '../../build/executor.ts'
import { layOutTree } from '../../build/laid-out-tree.ts'
import { Workspace } from '../../build/workspace.ts'
import { PATHS } from '../../sandbox/constants.ts'
import type { CommandContext } from '../context.ts'
import { runOnTerminal } from '../on-terminal.ts'
import { prepareAction } from '../prepare-action.ts'
import { resolveTarget } from '../targets.ts'

/** Options of `shell`. */
export interface ShellFlags {
  readonly tree?: string
}

/**
 * `shell RECIPE [COMMAND…]`: a shell, or a command, in the recipe's sandbox. It works in the tree
 * of the recipe's failed build, if one was kept, otherwise in one as the recipe's steps find it;
 * with `tree` in a folder of the user.
 */
export async function shellCommand(
  command: CommandContext,
  word: string,
  words: readonly string[],
  { tree }: ShellFlags,
): Promise<void> {
  const id = resolveTarget(await command.metadata(), word)
  const { action, fetchSources } = await prepareAction(command, id)
  const own = tree === undefined ? undefined : await realpath(tree)
  const kept = (await command.store()).logs.keptFolder(id)
  const isKept = own === undefined && (await exists(kept))
  if (!isKept) await fetchSources()
  const workspace = isKept ? new Workspace(kept) : await freshTree(command, action, own)
  process.stderr.write(`${describeTree(own, isKept)}; leave with "exit"\n`)
  // The word that ends the options, which commander leaves in.
  const given = words[0] === '--' ? words.slice(1) : words
  const wanted = given.length > 0 ? given : ['/bin/sh']
  const spec = await workspace.sandbox(action, wanted, { PS1: `${id} \\w $ ` }, undefined)
  const mounts = own === undefined ? [] : [{ from: own, to: PATHS.source, writable: true }]
  const shown = { ...spec, mounts: [...spec.mounts, ...mounts] }
  process.exitCode = await runOnTerminal(command, shown)
}

/** Unpacked and patched, unless the user has a tree that is. */
async function freshTree(
  command: CommandContext,
  action: Action,
  own: string | undefined,
): Promise<Workspace> {
  const { emit, now, signal } = command
  const context = { store: await command.store(), emit, now, signal }
  const workspace = await layOutTree(action, own === undefined ? ['unpack', 'patch'] : [], context)
  await command.settle()
  return workspace
}

function describeTree(own: string | undefined, isKept: boolean): string {
  if (own !== undefined) return `the tree "${own}"; the steps are in /steps`
  return isKept
    ? 'the tree of the failed build'
    : 'the tree as the steps find it; they are in /steps'
}
