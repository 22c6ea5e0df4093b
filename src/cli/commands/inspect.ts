import { readFile } from 'node:fs/promises'
import { FixpointError } from '../../base/error.ts'
import { graphOf } from '../../plan/graph.ts'
import { compareDocuments } from '../../plan/compare-documents.ts'
import type { Engine } from '../engine.ts'
import { resolveTarget, resolveTargets } from '../targets.ts'

/** `show RECIPE`: the recipe as the planner sees it; with `origin`, the file and line that each field comes from. */
export async function showCommand(engine: Engine, word: string, flags: { origin?: boolean }): Promise<void> {
  const metadata = await engine.metadata()
  const recipe = metadata.recipes.get(resolveTarget(metadata, word))
  if (recipe === undefined) return
  const { origins, ...fields } = recipe
  if (flags.origin !== true) {
    process.stdout.write(`${JSON.stringify(fields, undefined, 2)}\n`)
    return
  }
  for (const [field, places] of Object.entries(origins)) {
    const where = places.map(({ file, line, column }) =>
      [file, line, column].filter((part) => part !== undefined).join(':'),
    )
    process.stdout.write(`${field}: ${where.join(', then ')}\n`)
  }
}

/** `graph [TARGET…]`: an edge a line, `recipe -> input`; with `dot` for Graphviz. */
export async function graphCommand(engine: Engine, words: readonly string[], flags: { dot?: boolean }): Promise<void> {
  const metadata = await engine.metadata()
  const targets = words.length > 0 ? resolveTargets(metadata, words) : [...metadata.recipes.keys()]
  const lines: string[] = []
  for (const [id, { inputs, contents }] of graphOf(metadata, targets).nodes) {
    const used = [...inputs, ...contents]
    if (used.length === 0) lines.push(flags.dot === true ? `  "${id}"` : id)
    for (const input of used) lines.push(flags.dot === true ? `  "${id}" -> "${input}"` : `${id} -> ${input}`)
  }
  process.stdout.write(flags.dot === true ? `digraph fixpoint {\n${lines.join('\n')}\n}\n` : `${lines.join('\n')}\n`)
}

/** `log RECIPE`: the log of its last action. */
export async function logCommand(engine: Engine, word: string): Promise<void> {
  const [metadata, store] = [await engine.metadata(), await engine.store()]
  const id = resolveTarget(metadata, word)
  const path = await store.lastLog(id)
  if (path === undefined)
    throw new FixpointError('usage', 'no-log', `Cannot show a log of ${id}: it was never built on this store`)
  process.stdout.write(await readFile(path))
}

/** `why RECIPE`: how its last two actions differ, field by field. */
export async function whyCommand(engine: Engine, word: string): Promise<void> {
  const [metadata, store] = [await engine.metadata(), await engine.store()]
  const id = resolveTarget(metadata, word)
  const past = (await store.index.history(id)).flatMap(({ name }) => store.index.find(name) ?? [])
  const [before, after] = past.slice(-2)
  if (before === undefined || after === undefined) {
    process.stdout.write(`${id} was built ${before === undefined ? 'never' : 'once, from nothing stored'}\n`)
    return
  }
  const lines = compareDocuments(before.document, after.document)
  process.stdout.write(
    `${id}: ${before.artifact === after.artifact ? 'same bytes' : `${before.artifact} became ${after.artifact}`}\n`,
  )
  process.stdout.write(
    lines.length === 0
      ? '  the same action; the host or its compiler changed\n'
      : `${lines.map((line) => `  ${line}`).join('\n')}\n`,
  )
}
