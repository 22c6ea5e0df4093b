import type { Plan } from '../plan/plan.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Store } from '../store/store.ts'
import { askSigners } from './ask-signers.ts'
import { storedResults } from './push-target.ts'
import type { Readers } from './shared-caches.ts'
import { agreed, requireSame } from './votes.ts'

/** What caches say of a result that is in the store. */
export interface Checked {
  readonly recipe: RecipeId
  /** Who says the same; `undefined` is one who need not be named. */
  readonly signers: readonly (string | undefined)[]
}

/**
 * Compares each result of a plan that is in the store with what every signer says of it. Fails with
 * `signers-differ` or `two-results`.
 */
export async function checkTarget(
  plan: Plan,
  { caches, signers }: Readers,
  store: Store,
  signal: AbortSignal,
): Promise<Checked[]> {
  const checked: Checked[] = []
  for (const { recipe, key, artifact } of storedResults(plan, store)) {
    const votes = await askSigners(key, signers, caches, signal)
    agreed(recipe, votes, 1)
    requireSame(recipe, artifact, votes)
    checked.push({ recipe, signers: votes.map(({ signer }) => signer) })
  }
  return checked
}
