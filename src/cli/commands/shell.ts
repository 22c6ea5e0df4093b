import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { exists } from '../../base/files.ts'
import { actionOf } from '../../build/planned-action.ts'
import { requireHost } from '../../build/require-host.ts'
import { Workspace } from '../../build/workspace.ts'
import type { FileSource } from '../../metadata/model.ts'
import { graphOf, nodeOf, sourcesOf, usedBy } from '../../plan/graph.ts'
import { sandboxCommand } from '../../sandbox/bwrap.ts'
import { buildContext, buildTargets } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'

/**
 * `shell RECIPE [COMMAND…]`: a shell, or a command, in the recipe's sandbox. It works in the tree
 * of the recipe's failed build, if one was kept, otherwise in a fresh one with the sources beside.
 */
export async function shellCommand(
  command: CommandContext,
  word: string,
  words: readonly string[],
): Promise<void> {
  const metadata = await command.metadata()
  const store = await command.store()
  const id = resolveTarget(metadata, word)
  const graph = graphOf(metadata, [id])
  const node = nodeOf(graph.nodes, id)
  const inputs = usedBy(node)
  await requireHost(store.root)
  if (inputs.length > 0) {
    const before = await command.plan(graph, inputs)
    const missing = inputs.filter((input) => before.get(input)?.state !== 'stored')
    if (missing.length > 0)
      process.stderr.write(`first, what ${id} is built from: ${missing.join(', ')}\n`)
    await buildTargets(command, graph, inputs, {}, await buildContext(command, {}, { share: true }))
  }
  const action = actionOf(await command.plan(graph, [id, ...inputs]), id)
  const kept = store.logs.keptFolder(id)
  let workspace = new Workspace(kept)
  const isKept = await exists(kept)
  if (!isKept) {
    workspace = await Workspace.create(join(await store.session.folder(), 'shell'))
    await fetchSources(command, sourcesOf(node))
    await workspace.layOut(action, { store, signal: command.signal })
  }
  const tree = isKept ? 'the tree of the failed build' : 'a fresh tree; the sources are in $SOURCES'
  process.stderr.write(`${tree}; leave with "exit"\n`)
  // The word that ends the options, which commander leaves in.
  const given = words[0] === '--' ? words.slice(1) : words
  const wanted = given.length > 0 ? given : ['/bin/sh']
  const spec = await workspace.sandbox(action, wanted, { PS1: `${id} \\w $ ` }, undefined)
  const [program = '', ...args] = sandboxCommand(spec, { terminal: true })
  command.yieldTerminal()
  const child = spawn(program, args, { stdio: 'inherit', env: { PATH: '/usr/bin:/bin' } })
  const [status] = (await once(child, 'exit')) as [number | null]
  process.exitCode = status ?? 1
}

/** Puts what the action itself reads into the store: it may never have been run. */
async function fetchSources(
  command: CommandContext,
  sources: readonly FileSource[],
): Promise<void> {
  const { fetcher } = await buildContext(command, {})
  await Promise.all(sources.map((source) => fetcher.fetch(source, command.signal)))
  await command.settle()
}
