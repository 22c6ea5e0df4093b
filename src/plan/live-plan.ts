import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { ActionDocument } from './action-document.ts'
import { usedBy, type Graph, type Node } from './graph.ts'
import {
  artifactInUse,
  isStored,
  keyNode,
  type Keyed,
  type Known,
  type Plan,
  type Planned,
  type State,
} from './plan.ts'

/** A recipe of the graph, what is known of it, and its place among the others. */
interface Entry extends Keyed {
  readonly node: Node
  key: Digest | undefined
  document: ActionDocument | undefined
  artifact: Digest | undefined
  /** Recipes that its action uses, each once. */
  readonly used: readonly Entry[]
  /** Recipes whose actions use it, each once. */
  readonly users: Entry[]
  /** How many of `used` have no digest yet that its key could state. */
  unknown: number
  /** How many of `used` are not stored. */
  missing: number
  /** How many need it: users that are needed and not stored, and one more for a target. */
  needs: number
  /** Needed, and its artifact is there. */
  stored: boolean
}

/**
 * The plan of a build under way. It always equals what {@link plan} says of the same store. But
 * after a result it looks only at what that changes: recipes that use what came out, and recipes
 * that nobody needs any more.
 */
export class LivePlan {
  readonly #graph: Graph
  readonly #known: Known
  readonly #entries = new Map<RecipeId, Entry>()
  #changed = new Set<Entry>()

  constructor(graph: Graph, targets: readonly RecipeId[], known: Known) {
    this.#graph = graph
    this.#known = known
    for (const [id, node] of graph.nodes) this.#entries.set(id, this.#enter(node))
    this.#need([...new Set(targets)].map((id) => this.#entry(id)))
  }

  /** What is to be done about a recipe. */
  get(id: RecipeId): Planned {
    return describe(this.#entry(id), this.#known)
  }

  /** The state of a recipe; takes the same time for every recipe. */
  stateOf(id: RecipeId): State {
    return stateOf(this.#entry(id))
  }

  /** The whole plan as it is now. */
  snapshot(): Plan {
    return new Map([...this.#entries].map(([id, entry]) => [id, describe(entry, this.#known)]))
  }

  /**
   * Looks again for the artifact of `id`, which was built or lost. Returns the recipes of which the
   * plan may now say something else.
   */
  update(id: RecipeId): RecipeId[] {
    this.#changed = new Set()
    const first = this.#entry(id)
    const pending = new Set([first])
    const found = new Set([first])
    // A recipe may come up several times, when more of what it uses has changed.
    for (const entry of pending) {
      pending.delete(entry)
      if (!this.#keyAgain(entry)) continue
      found.add(entry)
      this.#changed.add(entry)
      for (const user of entry.users) pending.add(user)
    }
    for (const entry of found) if (entry.needs > 0) this.#look(entry)
    return [...this.#changed].map(({ node }) => node.recipe.id)
  }

  #enter(node: Node): Entry {
    const used = [...new Set(usedBy(node))].map((id) => this.#entry(id))
    const entry: Entry = {
      ...keyNode(this.#graph, node, this.#entries, this.#known),
      used,
      users: [],
      unknown: used.filter((one) => !hasDigest(one)).length,
      missing: used.length,
      needs: 0,
      stored: false,
    }
    for (const one of used) one.users.push(entry)
    return entry
  }

  /** Finds key and artifact again. False when they are what they were. */
  #keyAgain(entry: Entry): boolean {
    const { key, artifact } = entry
    const had = hasDigest(entry)
    Object.assign(
      entry,
      entry.unknown > 0
        ? { key: undefined, document: undefined, artifact: undefined }
        : keyNode(this.#graph, entry.node, this.#entries, this.#known),
    )
    const has = hasDigest(entry)
    if (has !== had) for (const user of entry.users) user.unknown += has ? -1 : 1
    return entry.key !== key || entry.artifact !== artifact
  }

  /** Finds out whether a needed recipe is stored, and what follows for those that it uses. */
  #look(entry: Entry): void {
    const stored = isStored(entry, this.#known)
    if (stored === entry.stored) return
    this.#setStored(entry, stored)
    if (stored) this.#release([...entry.used])
    else this.#need([...entry.used])
  }

  #need(pending: Entry[]): void {
    for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
      entry.needs += 1
      if (entry.needs > 1) continue
      this.#changed.add(entry)
      if (isStored(entry, this.#known)) this.#setStored(entry, true)
      else pending.push(...entry.used)
    }
  }

  #release(pending: Entry[]): void {
    for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
      entry.needs -= 1
      if (entry.needs > 0) continue
      this.#changed.add(entry)
      if (entry.stored) this.#setStored(entry, false)
      else pending.push(...entry.used)
    }
  }

  #setStored(entry: Entry, stored: boolean): void {
    entry.stored = stored
    this.#changed.add(entry)
    for (const user of entry.users) {
      user.missing += stored ? -1 : 1
      this.#changed.add(user)
    }
  }

  #entry(id: RecipeId): Entry {
    const entry = this.#entries.get(id)
    if (entry === undefined) throw new TypeError(`"${id}" is used before it was ordered`)
    return entry
  }
}

/** Whether the key of a user can state what it uses: the key of a host's action, else the digest. */
function hasDigest({ node, key, artifact }: Entry): boolean {
  return (node.recipe.host ? key : artifact) !== undefined
}

function stateOf({ needs, stored, key, missing }: Entry): State {
  if (needs === 0) return 'unneeded'
  if (stored) return 'stored'
  if (key === undefined) return 'waits'
  return missing === 0 ? 'ready' : 'blocked'
}

function describe(entry: Entry, known: Known): Planned {
  const { node, key, document } = entry
  const state = stateOf(entry)
  const waiting = state === 'stored' || state === 'unneeded' ? [] : entry.used
  return {
    node,
    key,
    document,
    artifact: state === 'stored' ? artifactInUse(entry, known) : entry.artifact,
    state,
    waitsFor: waiting.filter(({ stored }) => !stored).map((one) => one.node.recipe.id),
  }
}
