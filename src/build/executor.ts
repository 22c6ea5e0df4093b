import type { Digest } from '../base/digest.ts'
import type { EventSink } from '../base/events.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { LocalFile, Source } from '../metadata/model.ts'
import type { ActionDocument } from '../plan/action-document.ts'
import type { RemoteOrigin } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'
import type { Discards } from './background-removal.ts'
import type { Roots } from './roots.ts'

/** What an executor gets: the document, and the places of what it names by digest. */
export interface Action {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly document: ActionDocument
  /**
   * Artifacts of `document.inputs`, by recipe: those of a host layer are named in the document by
   * key only.
   */
  readonly artifacts: ReadonlyMap<RecipeId, Digest>
  /** Where patches, files and trees of the checkout lie; looked up by digest. */
  readonly sources: readonly Source[]
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
  /** Seconds a step may take. */
  readonly timeout: number
}

/** What an action's steps used. */
export interface Usage {
  /** User and system time of its processes, milliseconds. */
  readonly cpuMs: number
  /** Bytes; the largest sum over its processes that was seen. */
  readonly peakMemory: number
}

/** What an executor returns, beside the log it wrote. */
export interface ActionResult extends Usage {
  readonly artifact: Digest
  /** Bytes of the artifact's tar. */
  readonly size: number
}

/** What a run of an action is given beside the action. */
export interface Run {
  /** File that gets what the steps print; it is there, and empty. */
  readonly log: string
  readonly signal: AbortSignal
}

/** What a run of an action gave; its artifact is in the store. */
export interface RunResult extends ActionResult {
  /** Who ran it; undefined: this machine. */
  readonly origin?: RemoteOrigin
}

/** Where actions run: the seam between a build and the machines that run its actions. */
export interface Executor {
  /** The place as events name it: `local`, or `remote NAME`. */
  readonly place: string
  /** Runs an action. Fails with {@link RunElsewhere}, or as {@link runAction} does. */
  run(action: Action, run: Run): Promise<RunResult>
}

/** An executor that has other machines run actions. */
export interface RemoteExecutor extends Executor {
  /** Actions that it may be given at a time; 0 when it is not asked any more. */
  readonly slots: number
  /** Ends the connection. Never fails. */
  close(): Promise<void>
}

/** A remote executor could not run an action. That says nothing of the action: it runs here. */
export class RunElsewhere extends Error {
  override readonly name = 'RunElsewhere'
}

/** What an action's steps and packing work with. */
export interface StepContext {
  readonly store: Store
  readonly emit: EventSink
  readonly now: () => number
  /** Fifo of the action's share of the cores; undefined: its steps get no jobserver. */
  readonly jobserver: string | undefined
  /** As in {@link BuildContext}. */
  readonly backwards?: boolean
  /** Folder for this action's work, on the store's file system; absent at first. */
  readonly folder: string
  readonly log: string
  readonly signal: AbortSignal
}

/** What the local executor works with. */
export interface ExecutorContext extends StepContext {
  /** Takes the work folder when it has served. */
  readonly discards: Discards
  /** Roots that actions share. A kept work folder needs a root of its own: then undefined. */
  readonly roots: Roots | undefined
  /** Where the work folder goes when the action fails; undefined: it is removed. */
  readonly keptFolder: string | undefined
}
