import type { Digest } from './digest.ts'
import type { RecipeId } from './recipe-id.ts'

/**
 * Everything that happens, as one closed union: the terminal view, the plain log and the NDJSON log
 * are readers of it. Times are milliseconds of a monotonic clock since the engine's start; sizes
 * are bytes.
 */
export type Event =
  | {
      readonly type: 'plan'
      readonly at: number
      readonly total: number
      readonly stored: number
      readonly toRun: number
    }
  | {
      readonly type: 'fetch-start'
      readonly at: number
      readonly source: string
      readonly place: string
      readonly size: number | undefined
    }
  | {
      readonly type: 'fetch-progress'
      readonly at: number
      readonly source: string
      readonly bytes: number
      readonly size: number | undefined
    }
  | {
      readonly type: 'fetch-retry'
      readonly at: number
      readonly source: string
      readonly place: string
      readonly reason: string
    }
  | {
      readonly type: 'fetch-end'
      readonly at: number
      readonly source: string
      readonly place: string
      readonly bytes: number
    }
  | {
      readonly type: 'action-start'
      readonly at: number
      readonly recipe: RecipeId
      readonly key: Digest
      readonly log: string
      /** Where it runs: `local`, or `remote NAME`. */
      readonly place: string
    }
  // When an action begins or ends: how long the build will go on, by what actions took before.
  | { readonly type: 'estimate'; readonly at: number; readonly leftMs: number }
  | {
      readonly type: 'step-start'
      readonly at: number
      readonly recipe: RecipeId
      readonly step: string
    }
  | {
      readonly type: 'step-end'
      readonly at: number
      readonly recipe: RecipeId
      readonly step: string
      readonly durationMs: number
    }
  | {
      readonly type: 'action-end'
      readonly at: number
      readonly recipe: RecipeId
      readonly key: Digest
      readonly artifact: Digest
      readonly durationMs: number
      /** User and system time of the action's processes. */
      readonly cpuMs: number
      readonly peakMemory: number
      /** Bytes of the artifact's tar. */
      readonly size: number
      /** Where it ran: `local`, or `remote NAME`. */
      readonly place: string
    }
  | {
      readonly type: 'action-stored'
      readonly at: number
      readonly recipe: RecipeId
      readonly key: Digest
      readonly artifact: Digest
    }
  // Someone else made it. Its bytes come when something uses them.
  | {
      readonly type: 'action-shared'
      readonly at: number
      readonly recipe: RecipeId
      readonly key: Digest
      readonly artifact: Digest
      readonly cache: string
      readonly signers: readonly string[]
    }
  | {
      readonly type: 'action-failed'
      readonly at: number
      readonly recipe: RecipeId
      readonly step: string
      readonly log: string
      readonly message: string
    }
  | {
      readonly type: 'action-skipped'
      readonly at: number
      readonly recipe: RecipeId
      readonly because: RecipeId
    }
  | {
      readonly type: 'store-repair'
      readonly at: number
      readonly what: 'tree' | 'blob' | 'index'
      readonly name: string
      readonly reason: string
    }
  // Takes a minute for many sources; only those that were not looked through before.
  | {
      readonly type: 'seeds-start'
      readonly at: number
      readonly sources: number
      /** Bytes of those that are in the store. */
      readonly size: number
    }
  // What a command that has several long parts does next.
  | { readonly type: 'phase'; readonly at: number; readonly message: string }
  // How far one of those parts has come.
  | {
      readonly type: 'progress'
      readonly at: number
      readonly what: string
      readonly bytes: number
      readonly size: number
    }
  | { readonly type: 'warning'; readonly at: number; readonly message: string }
  | {
      readonly type: 'done'
      readonly at: number
      readonly ran: number
      readonly stored: number
      readonly failed: number
      readonly skipped: number
    }

/** Takes events as they happen; must not throw and must not block. */
export type EventSink = (event: Event) => void
