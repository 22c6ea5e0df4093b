import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { EventSink, RecipeId } from '../base/events.ts'
import type { Source, LocalFile } from '../metadata/model.ts'
import type { ActionDocument, ContentRef } from '../plan/document.ts'
import type { Listing } from '../store/listing.ts'
import type { Store } from '../store/store.ts'
import { runSteps, type Usage } from './run-steps.ts'
import { scriptsOf } from './steps.ts'
import { Workspace } from './workspace.ts'

/** What an executor gets: the document, and the places of what it names by digest. */
export interface Action {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly document: ActionDocument
  /** Artifacts of `document.inputs`, by recipe: those of a host layer are named in the document by key only. */
  readonly artifacts: ReadonlyMap<RecipeId, Digest>
  /** Where patches, files and trees of the checkout lie; looked up by digest. */
  readonly sources: readonly Source[]
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
  /** Seconds a step may take. */
  readonly timeout: number
}

/** What an executor returns, beside the log it wrote. */
export interface ActionResult extends Usage {
  readonly artifact: Digest
  /** Bytes of the artifact's tar. */
  readonly size: number
}

/** Makes the manifest of an image from what goes into it; the image module's, handed in. */
export type ManifestMaker = (contents: readonly (ContentRef & { readonly listing: Listing })[]) => string

/** What the local executor works with. */
export interface ExecutorContext {
  readonly store: Store
  readonly emit: EventSink
  readonly now: () => number
  readonly makeManifest: ManifestMaker
  /** Value of MAKEFLAGS and the fifo behind it. */
  readonly jobserver: { readonly flags: string; readonly fifo: string | undefined }
  /** Folder for this action's work, on the store's file system; absent at first. */
  readonly folder: string
  readonly log: string
  readonly signal: AbortSignal
  /** Where the work folder goes when the action fails; undefined: it is removed. */
  readonly keptFolder: string | undefined
}

/** Runs one action: its whole story. The work folder is removed afterwards, unless it failed and is to be kept. */
export async function runAction(action: Action, context: ExecutorContext): Promise<ActionResult> {
  const workspace = await Workspace.create(context.folder)
  try {
    await workspace.layOutInputs(action, context.store)
    await workspace.layOutSources(action, context.store)
    if (action.document.image) await workspace.layOutContents(action, context.store, context.makeManifest)
    const usage = await runSteps(workspace, action, scriptsOf(action.document), context)
    const packed = await context.store.packTree(join(workspace.folder, 'out'))
    await workspace.remove()
    return { ...usage, artifact: packed.digest, size: packed.size }
  } catch (error) {
    if (context.keptFolder === undefined || context.signal.aborted) await workspace.remove()
    else await workspace.moveTo(context.keptFolder)
    throw error
  }
}

/**
 * Goes on with a failed action in the tree that was kept of it, from the step named `from`. The result is tainted, since someone may have changed the tree: it
 * is packed for a look, but its caller must not record it. The tree stays. Fails with `unknown-step`, or {@link StepError} as before.
 */
export async function resumeAction(action: Action, context: ExecutorContext, from: string): Promise<ActionResult> {
  const scripts = scriptsOf(action.document)
  const at = scripts.findIndex(({ name }) => name === from)
  if (at === -1) {
    const steps = scripts.map(({ name }) => name).join(', ')
    throw new FixpointError('usage', 'unknown-step', `Cannot go on from step "${from}" of ${action.recipe}: its steps are ${steps}`)
  }
  const workspace = new Workspace(context.folder)
  const usage = await runSteps(workspace, action, scripts.slice(at), context)
  const packed = await context.store.packTree(join(workspace.folder, 'out'))
  return { ...usage, artifact: packed.digest, size: packed.size }
}
