import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import {
  actionDocument,
  keyOf,
  type ActionDocument,
  type ContentRef,
  type InputRef,
} from './action-document.ts'
import { nodeOf, reachable, usedBy, type Graph, type Node } from './graph.ts'

/** What the planner knows of the store; a parameter, so that planning is a pure function. */
export interface Known {
  /**
   * The artifact recorded for a key. For actions that see the host only one made by this host
   * counts.
   */
  artifactOf(key: Digest, host: boolean): Digest | undefined
  /** Whether the artifact's bytes are there. */
  has(artifact: Digest): boolean
}

/**
 * What is to be done about one recipe:
 * - `stored`: its artifact is there
 * - `ready`: it will run, all it uses is there
 * - `blocked`: it will run once what it uses was built
 * - `waits`: it may run; its key is known only after the recipes in `waitsFor` were built
 * - `unneeded`: nothing that runs uses it, and it is not there (or nobody looked)
 */
export type State = 'stored' | 'ready' | 'blocked' | 'waits' | 'unneeded'

/** One recipe of a plan. */
export interface Planned {
  readonly node: Node
  readonly state: State
  /** Undefined while it waits for an input's digest. */
  readonly key: Digest | undefined
  readonly document: ActionDocument | undefined
  readonly artifact: Digest | undefined
  /** Inputs, then contents, that must be built first; each once. */
  readonly waitsFor: readonly RecipeId[]
}

/** Every recipe of the graph, in its order. */
export type Plan = ReadonlyMap<RecipeId, Planned>

/** A recipe's key and artifact, as far as they are known. */
export interface Keyed {
  readonly node: Node
  readonly key: Digest | undefined
  readonly document: ActionDocument | undefined
  readonly artifact: Digest | undefined
}

/**
 * Says for every recipe of the graph what to do for `targets`. It finds keys from the bottom up,
 * and what must run from the targets down: so the bootstrap is built only for recipes that run.
 */
export function plan(graph: Graph, targets: readonly RecipeId[], known: Known): Plan {
  const keyed = findKeys(graph, known)
  const states = findStates(graph, targets, keyed, known)
  const planned = new Map<RecipeId, Planned>()
  for (const [id, entry] of keyed) {
    const used = states.has(id) && states.get(id) !== 'stored' ? new Set(usedBy(entry.node)) : []
    const waitsFor = [...used].filter((input) => states.get(input) !== 'stored')
    const state = states.get(id) ?? 'unneeded'
    planned.set(id, {
      ...entry,
      artifact: state === 'stored' ? artifactInUse(entry, known) : entry.artifact,
      state: state === 'blocked' && waitsFor.length === 0 ? 'ready' : state,
      waitsFor,
    })
  }
  return planned
}

function findKeys(graph: Graph, known: Known): Map<RecipeId, Keyed> {
  const keyed = new Map<RecipeId, Keyed>()
  for (const [id, node] of graph.nodes) keyed.set(id, keyNode(graph, node, keyed, known))
  return keyed
}

/** Finds a recipe's key and artifact. `keyed` has all that it uses. */
export function keyNode(
  graph: Graph,
  node: Node,
  keyed: ReadonlyMap<RecipeId, Keyed>,
  known: Known,
): Keyed {
  const document = documentOf(graph, node, keyed)
  const key = document === undefined ? undefined : keyOf(document)
  // The host's fingerprint costs time: actions of host layers are looked up when they are used.
  const artifact = key === undefined || node.recipe.host ? undefined : known.artifactOf(key, false)
  return { node, key, document, artifact }
}

/** The action document, or undefined while the digest of something it uses is not known. */
function documentOf(
  graph: Graph,
  node: Node,
  keyed: ReadonlyMap<RecipeId, Keyed>,
): ActionDocument | undefined {
  const inputs: InputRef[] = []
  for (const id of node.inputs) {
    const { node: input, key, artifact } = keyedOf(keyed, id)
    if (input.recipe.host) {
      if (key === undefined) return undefined
      inputs.push({ recipe: id, key })
    } else {
      if (artifact === undefined) return undefined
      inputs.push({ recipe: id, artifact })
    }
  }
  const contents: ContentRef[] = []
  for (const id of node.contents) {
    const { node: content, key, artifact } = keyedOf(keyed, id)
    if (key === undefined || artifact === undefined) return undefined
    contents.push({ recipe: id, version: content.recipe.version, key, artifact })
  }
  return actionDocument(node.recipe, graph.metadata.arch, inputs, contents, node.mirror)
}

/**
 * States of the recipes that the targets use: `stored`, `waits`, or `blocked`, which may still turn
 * out to be ready.
 */
function findStates(
  graph: Graph,
  targets: readonly RecipeId[],
  keyed: ReadonlyMap<RecipeId, Keyed>,
  known: Known,
): Map<RecipeId, State> {
  const states = new Map<RecipeId, State>()
  reachable(targets, (id) => {
    const entry = keyedOf(keyed, id)
    const stored = isStored(entry, known)
    states.set(id, stored ? 'stored' : entry.key === undefined ? 'waits' : 'blocked')
    return stored ? [] : usedBy(nodeOf(graph.nodes, id))
  })
  return states
}

/** Whether the artifact of a recipe that is needed is there. */
export function isStored(entry: Keyed, known: Known): boolean {
  const artifact = artifactInUse(entry, known)
  return artifact !== undefined && known.has(artifact)
}

/** The artifact of a recipe that is needed: looks at the host when its layer sees that. */
export function artifactInUse(entry: Keyed, known: Known): Digest | undefined {
  const { key, artifact, node } = entry
  return key !== undefined && node.recipe.host ? known.artifactOf(key, true) : artifact
}

function keyedOf(keyed: ReadonlyMap<RecipeId, Keyed>, id: RecipeId): Keyed {
  const entry = keyed.get(id)
  if (entry === undefined) throw new TypeError(`"${id}" is used before it was ordered`)
  return entry
}
