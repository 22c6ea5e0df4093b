import type { Plan } from '../plan/plan.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Store } from '../store/store.ts'
import { askSigners } from './ask-signers.ts'
import { storedResults } from './push-target.ts'
import type { Readers } from './shared-caches.ts'
import { agreed, requireSame } from './votes.ts'
import { WatchedCache } from './watched-cache.ts'

/** What caches say of a result that is in the store. */
export interface Checked {
  readonly recipe: RecipeId
  /** Who says the same; `undefined` is one who need not be named. */
  readonly signers: readonly (string | undefined)[]
  /** Named signers of whom no cache has a record. */
  readonly missing: readonly string[]
  /** Caches that have a record, but not its bytes, or some of another size. */
  readonly incomplete: readonly string[]
  /** False when a cache could not be asked: it may know more. */
  readonly isComplete: boolean
}

/** What came of a check. */
export interface CheckedTarget {
  readonly results: readonly Checked[]
  /** Caches that could not be asked, and why. */
  readonly failed: readonly string[]
  /** Caches with records that cannot be used, and why. */
  readonly refused: readonly string[]
}

/**
 * Compares each result of a plan that is in the store with what every signer says of it, and looks
 * whether the caches have its bytes. Fails with `signers-differ` or `two-results`.
 */
export async function checkTarget(
  plan: Plan,
  { caches: read, signers }: Readers,
  store: Store,
  signal: AbortSignal,
): Promise<CheckedTarget> {
  const silent = { emit: () => undefined, now: () => 0, outcome: undefined }
  const caches = read.map(({ cache }) => new WatchedCache(cache, silent))
  const results: Checked[] = []
  for (const { recipe, key, artifact, size } of storedResults(plan, store)) {
    const votes = await askSigners(key, signers, caches, signal)
    agreed(recipe, votes, 1)
    requireSame(recipe, artifact, votes)
    const incomplete: string[] = []
    for (const watched of caches) {
      const { shown } = watched.cache
      if (!votes.some((vote) => vote.cache === shown)) continue
      const has = await watched.try(signal, (cache, own) => cache.hasBlob(artifact, size, own))
      if (has === false) incomplete.push(shown)
    }
    const said = new Set(votes.map(({ signer }) => signer))
    results.push({
      ...{ recipe, incomplete },
      signers: votes.map(({ signer }) => signer),
      missing: signers.flatMap((signer) =>
        signer === undefined || said.has(signer.name) ? [] : [signer.name],
      ),
      isComplete: caches.every(
        ({ failure, refused }) => failure === undefined && refused === undefined,
      ),
    })
  }
  const problems = (kind: 'failure' | 'refused'): string[] =>
    caches.flatMap(({ [kind]: reason, cache }) =>
      reason === undefined ? [] : [`cache "${cache.shown}": ${reason}`],
    )
  return { results, failed: problems('failure'), refused: problems('refused') }
}
