import type { Digest } from '../base/digest.ts'
import type { Known } from '../plan/plan.ts'
import { storeAsKnown, type PlanView } from '../store/plan-view.ts'
import type { IndexEntry } from '../store/rooms.ts'
import type { Action } from './executor.ts'

/**
 * What other machines made, as a build sees it: the seam between it and a cache. A build asks
 * before it runs an action. What is found counts as stored; its bytes come only when something uses
 * them.
 */
export interface SharedResults {
  /**
   * Asks what the action gave elsewhere, and records that in the store's index. True when it is
   * known now. Fails with `signers-differ`, or with `two-results` where the store says otherwise; a
   * cache that fails is no failure.
   */
  find(action: SharedAction, signal: AbortSignal): Promise<boolean>
  /** Whether the bytes of an artifact that was found can still be had. */
  offers(artifact: Digest): boolean
  /** Brings these bytes into the store. When they cannot be had, they are not offered any more. */
  bring(artifact: Digest, signal: AbortSignal): Promise<void>
  /** Fails with `two-results` when anyone whose result was not used says otherwise. */
  compare(entry: IndexEntry): void
  /** Takes what was made here, to share it while the build goes on. Never fails. */
  share(entry: IndexEntry): void
  /** Ends sharing: what is on its way gets some seconds. Never fails. */
  close(): Promise<void>
}

/** An action to ask about. */
export type SharedAction = Pick<Action, 'recipe' | 'key' | 'document'>

/** What a store has, and what others have for it. */
export function knownTo(view: PlanView, shared: SharedResults | undefined): Known {
  const stored = storeAsKnown(view)
  if (shared === undefined) return stored
  return { ...stored, has: (artifact) => stored.has(artifact) || shared.offers(artifact) }
}
