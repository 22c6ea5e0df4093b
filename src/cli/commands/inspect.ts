import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { FixpointError } from '../../base/error.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { visible } from '../../base/visible.ts'
import { graphOf, usedBy, type Node } from '../../plan/graph.ts'
import { compareDocuments } from '../../plan/compare-documents.ts'
import type { Engine } from '../engine.ts'
import { readerLeft } from '../view/output.ts'
import { resolveTarget, resolveTargets } from '../targets.ts'
import { visibleJson } from '../view/json.ts'

/**
 * `show RECIPE`: the recipe as the planner sees it; with `origin`, the file and line that each
 * field comes from.
 */
export async function showCommand(
  engine: Engine,
  word: string,
  flags: { origin?: boolean },
): Promise<void> {
  const metadata = await engine.metadata()
  const recipe = metadata.recipes.get(resolveTarget(metadata, word))
  if (recipe === undefined) return
  const { origins, ...fields } = recipe
  const lines = Object.entries(origins).map(([field, places]) => {
    const where = places.map(({ file, line, column }) =>
      [file, line, column].filter((part) => part !== undefined).join(':'),
    )
    return `${field}: ${where.join(', then ')}`
  })
  await (flags.origin === true
    ? engine.result(lines, { type: 'recipe', recipe })
    : engine.result(visibleJson(fields, 2).split('\n'), { type: 'recipe', recipe: fields }))
}

/** `graph [TARGET…]`: an edge a line, `recipe -> input`; with `dot` for Graphviz. */
export async function graphCommand(
  engine: Engine,
  words: readonly string[],
  flags: { dot?: boolean },
): Promise<void> {
  const metadata = await engine.metadata()
  const targets = words.length > 0 ? resolveTargets(metadata, words) : [...metadata.recipes.keys()]
  const nodes = [...graphOf(metadata, targets).nodes]
  if (flags.dot === true) {
    const edges = nodes.flatMap(([id, node]) =>
      edgesOf(id, node, (name) => `"${name}"`).map((line) => `  ${line}`),
    )
    process.stdout.write(`digraph fixpoint {\n${edges.join('\n')}\n}\n`)
    return
  }
  for (const [recipe, node] of nodes) {
    const { inputs, contents } = node
    await engine.result(
      edgesOf(recipe, node, (name) => name),
      { type: 'node', recipe, inputs, contents },
    )
  }
}

/** The recipe alone when it uses none. */
function edgesOf(id: RecipeId, node: Node, show: (id: RecipeId) => string): string[] {
  const used = usedBy(node)
  return used.length === 0 ? [show(id)] : used.map((input) => `${show(id)} -> ${show(input)}`)
}

/** `log RECIPE`: the log of its last action. */
export async function logCommand(engine: Engine, word: string): Promise<void> {
  const [metadata, store] = [await engine.metadata(), await engine.store()]
  const id = resolveTarget(metadata, word)
  const path = await store.lastLog(id)
  if (path === undefined)
    throw new FixpointError(
      'usage',
      'no-log',
      `Cannot show a log of ${id}: it was never built on this store`,
    )
  await printFile(path, engine.signal)
}

/**
 * Piece by piece: a log may be larger than memory. A terminal would act on what a step has printed;
 * a pipe gets it as it is.
 */
async function printFile(path: string, signal: AbortSignal): Promise<void> {
  const onTerminal = process.stdout.isTTY
  try {
    const pieces = createReadStream(path, onTerminal ? 'utf8' : undefined)
    await pipeline(onTerminal ? shownPieces(pieces) : pieces, process.stdout, {
      end: false,
      signal,
    })
  } catch (error) {
    // Nobody reads on, as after `| head`, which also aborts: an end like any other.
    if (!readerLeft()) throw error
  }
}

async function* shownPieces(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) yield visible(piece, { lines: true })
}

/** `why RECIPE`: how its last two actions differ, field by field. */
export async function whyCommand(engine: Engine, word: string): Promise<void> {
  const [metadata, store] = [await engine.metadata(), await engine.store()]
  const id = resolveTarget(metadata, word)
  const past = store.index.history(id).flatMap(({ name }) => store.index.find(name) ?? [])
  const [before, after] = past.slice(-2)
  if (before === undefined || after === undefined) {
    const times =
      before === undefined ? 'was never built on this store' : 'was built once, from nothing stored'
    await engine.result([`${id} ${times}`], { type: 'why', recipe: id, why: [] })
    return
  }
  const differences = compareDocuments(before.document, after.document)
  const why =
    differences.length > 0 ? differences : ['the same action; the host or its compiler changed']
  const bytes =
    before.artifact === after.artifact
      ? 'same bytes'
      : `${before.artifact} became ${after.artifact}`
  await engine.result([`${id}: ${bytes}`, ...why.map((line) => `  ${line}`)], {
    type: 'why',
    recipe: id,
    before: before.artifact,
    after: after.artifact,
    why,
  })
}
