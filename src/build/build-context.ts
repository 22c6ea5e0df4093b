import type { EventSink } from '../base/events.ts'
import type { Fetcher } from '../fetch/ports.ts'
import type { PlanView } from '../store/plan-view.ts'
import type { RemoteExecutor } from './executor.ts'
import type { SharedResults } from './shared-results.ts'

/** How a build is done. */
export interface BuildOptions {
  /** Cores that all actions together may use. */
  readonly cores: number
  /** Bytes of memory that running actions may be expected to use together. */
  readonly memory: number
  readonly keepGoing: boolean
  readonly keepFailed: boolean
  /** Actions of no host layer run elsewhere or not at all. */
  readonly remoteOnly?: boolean
  readonly signal: AbortSignal
}

/** What a build works with. */
export interface BuildContext extends PlanView {
  readonly fetcher: Fetcher
  /** Opens what others share; called when something would run. Undefined: nothing is shared. */
  readonly shared?: (() => Promise<SharedResults>) | undefined
  /** Opens what runs actions elsewhere; called when something would run. Undefined: nothing does. */
  readonly remote?: (() => Promise<RemoteExecutor>) | undefined
  readonly emit: EventSink
  readonly now: () => number
  /**
   * Files of inputs and sources are made in the opposite order, which must not show in what actions
   * make.
   */
  readonly backwards?: boolean
}
