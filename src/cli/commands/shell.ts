import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { exists } from '../../base/files.ts'
import { actionOf } from '../../build/build.ts'
import { knownTo } from '../../build/plan-view.ts'
import { Workspace } from '../../build/workspace.ts'
import { makeManifest } from '../../image/manifest.ts'
import type { FileSource } from '../../metadata/model.ts'
import { graphOf, sourcesOf } from '../../plan/graph.ts'
import { plan } from '../../plan/plan.ts'
import { sandboxCommand } from '../../sandbox/bwrap.ts'
import { requireSandbox } from '../../sandbox/probe.ts'
import type { Engine } from '../engine.ts'
import { requireOwnStore } from '../../build/store-owner.ts'
import { resolveTarget } from '../targets.ts'
import { buildContext, buildTargets } from './build.ts'

/**
 * `shell RECIPE`: a shell in the recipe's sandbox, in the tree of its failed build if one was kept,
 * else in a fresh one with its sources beside.
 */
export async function shellCommand(
  engine: Engine,
  word: string,
  command: readonly string[],
): Promise<void> {
  const metadata = await engine.metadata()
  const store = await engine.store()
  const id = resolveTarget(metadata, word)
  const graph = graphOf(metadata, [id])
  const node = graph.nodes.get(id)
  const inputs = [...(node?.inputs ?? []), ...(node?.contents ?? [])]
  requireSandbox()
  await requireOwnStore(store.root)
  if (inputs.length > 0) {
    const before = plan(graph, inputs, knownTo(store, engine.nameOf))
    const missing = inputs.filter((input) => before.get(input)?.state !== 'stored')
    if (missing.length > 0)
      process.stderr.write(`first, what ${id} is built from: ${missing.join(', ')}\n`)
    await buildTargets(engine, graph, inputs, {}, await buildContext(engine, {}))
  }
  const current = plan(graph, [id, ...inputs], knownTo(store, engine.nameOf))
  const planned = current.get(id)
  if (planned === undefined)
    throw new FixpointError('bug', 'unplanned', `Recipe ${id} is not in its own plan`)
  const action = actionOf(current, planned)
  const kept = store.keptPath(id)
  let workspace = new Workspace(kept)
  const isKept = await exists(kept)
  if (!isKept) {
    workspace = await Workspace.create(join((await store.session()).folder, 'shell'))
    await fetchSources(engine, node === undefined ? [] : sourcesOf(node))
    await workspace.layOut(action, { store, makeManifest, signal: engine.signal })
  }
  process.stderr.write(
    `${isKept ? 'the tree of the failed build' : 'a fresh tree; the sources are in $SOURCES'}; leave with "exit"\n`,
  )
  // The word that ends the options, which commander leaves in.
  const wanted = command[0] === '--' ? command.slice(1) : command
  const spec = await workspace.sandbox(
    action,
    wanted.length > 0 ? wanted : ['/bin/sh'],
    { PS1: `${id} \\w $ ` },
    undefined,
  )
  const [program = '', ...args] = sandboxCommand(spec, { terminal: true })
  engine.yieldTerminal()
  const child = spawn(program, args, { stdio: 'inherit', env: { PATH: '/usr/bin:/bin' } })
  const [status] = (await once(child, 'exit')) as [number | null]
  process.exitCode = status ?? 1
}

/** Puts what the action itself reads into the store: it may never have been run. */
async function fetchSources(engine: Engine, sources: readonly FileSource[]): Promise<void> {
  const { fetcher } = await buildContext(engine, {})
  await Promise.all(sources.map((source) => fetcher.fetch(source, engine.signal)))
  await engine.settle()
}
