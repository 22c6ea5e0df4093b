import { create, toBinary } from '@bufbuild/protobuf'
import type { EventSink } from '../../base/events.ts'
import { FixpointError } from '../../base/error.ts'
import { visible } from '../../base/visible.ts'
import {
  RunElsewhere,
  type Action,
  type RemoteExecutor,
  type Run,
  type RunResult,
} from '../../build/executor.ts'
import type { Store } from '../../store/store.ts'
import { blobOf, digestOfBlob, type Blob } from './blob.ts'
import type { Connection } from './connection.ts'
import { execute } from './execute.ts'
import { RemoteFault } from './fault.ts'
import { inputRoot, type InputRoot } from './input-root.ts'
import {
  ActionSchema,
  CommandSchema,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts'
import { findRunner, type Runner } from './runner.ts'
import type { RemoteSettings } from './settings.ts'
import { takeResult } from './take-result.ts'
import { Uploads } from './upload.ts'
import { LAYOUT } from './worker/document.ts'

/** Failures in a row after which the server is left alone. */
const PATIENCE = 3

/** Times that an action is tried, when the server lost what it was given or what it made. */
const TRIES = 3

/** What actions that run elsewhere work with. */
export interface RemoteContext {
  readonly store: Store
  readonly emit: EventSink
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** What a server cannot run is an error, and not for this machine. */
  readonly only: boolean
}

/** Has a server run actions, by Bazel's Remote Execution API v2. */
export class RemoteActions implements RemoteExecutor {
  readonly place: string
  readonly #shown: string
  readonly #settings: RemoteSettings
  readonly #connection: Connection
  readonly #context: RemoteContext
  readonly #uploads: Uploads
  readonly #warned = new Set<string>()
  #ready: Promise<Runner> | undefined
  #inARow = 0

  constructor(settings: RemoteSettings, connection: Connection, context: RemoteContext) {
    this.#shown = new URL(settings.address).host
    this.place = `remote ${this.#shown}`
    this.#settings = settings
    this.#connection = connection
    this.#context = context
    this.#uploads = new Uploads(connection)
  }

  get slots(): number {
    const isOff = this.#inARow >= PATIENCE && !this.#context.only
    return isOff ? 0 : this.#settings.jobs
  }

  async run(action: Action, run: Run): Promise<RunResult> {
    try {
      const result = await this.#run(action, run)
      this.#inARow = 0
      return result
    } catch (error) {
      run.signal.throwIfAborted()
      if (!(error instanceof RemoteFault)) throw error
      throw this.#fault(action, run, error)
    }
  }

  close(): Promise<void> {
    this.#connection.close()
    return Promise.resolve()
  }

  async #run(action: Action, run: Run): Promise<RunResult> {
    const { signal } = run
    const runner = await (this.#ready ??= this.#prepare(signal))
    const root = await inputRoot(action, runner, this.#context.store, signal)
    for (let tried = 0; ; tried += 1) {
      try {
        return await this.#try(action, root, tried, run)
      } catch (error) {
        if (!(error instanceof RemoteFault) || tried + 1 >= TRIES) throw error
        if (error.kind === 'refused' || error.kind === 'lost') throw error
        const isMayBeLost = error instanceof LostResult
        // Some servers do not say that they lost an input. If they did not, trying again is no use.
        if (!isMayBeLost && (await this.#uploads.missing(root.blobs, signal)).length === 0)
          throw error
      }
    }
  }

  /** Finds out whether the server will do, and what is to run there. */
  async #prepare(signal: AbortSignal): Promise<Runner> {
    await this.#connection.examine(signal)
    try {
      return await findRunner(this.#settings.runner, this.#context.store)
    } catch (error) {
      const isLacking = error instanceof FixpointError && error.code === 'remote-runner'
      throw isLacking && !this.#context.only ? new RemoteFault('refused', error.message) : error
    }
  }

  async #try(action: Action, root: InputRoot, tried: number, run: Run): Promise<RunResult> {
    const { store } = this.#context
    const timeoutMs = timeoutOf(action, this.#connection.limits.besideStepsMs)
    const described = describe(root.root, tried, timeoutMs, this.#settings.platform)
    await this.#uploads.send([...root.blobs, ...described.blobs], run.signal)
    const onUncancelled = (): void => {
      this.#warn(
        `Remote "${this.#shown}" did not cancel ${action.recipe}: it may go on there for a while`,
      )
    }
    const execution = {
      ...{ action: described.action, mayBeOld: tried === 0 },
      ...{ timeoutMs, onUncancelled },
    }
    const { result } = await execute(execution, this.#connection, run.signal)
    if (result === undefined)
      throw new RemoteFault('broken', 'it ended the action without a result')
    const taking = { connection: this.#connection, store, shown: this.#shown }
    try {
      return await takeResult(result, action, run, taking)
    } catch (error) {
      if (!(error instanceof RemoteFault) || error.kind === 'lost') throw error
      throw new LostResult(error)
    }
  }

  #fault({ recipe }: Action, { log }: Run, { kind, message }: RemoteFault): Error {
    this.#inARow += kind === 'refused' ? PATIENCE : 1
    const reason = visible(message)
    if (this.#context.only)
      return new FixpointError(
        'remote-failed',
        `Cannot build ${recipe}: remote "${this.#shown}" failed: ${reason}`,
        { facts: { recipe, log } },
      )
    if (!this.#warned.has(reason)) {
      this.#warned.add(reason)
      const then =
        this.#inARow >= PATIENCE ? 'it is not asked any more' : 'what it does not run is built here'
      this.#warn(`Remote "${this.#shown}" failed: ${reason}; ${then}`)
    }
    return new RunElsewhere(message)
  }

  #warn(message: string): void {
    this.#context.emit({ type: 'warning', at: this.#context.now(), message })
  }
}

/** What a server made cannot be had, or cannot be right: it is to run the action anew. */
class LostResult extends RemoteFault {
  constructor({ kind, message, cause }: RemoteFault) {
    super(kind, message, cause)
  }
}

/** Milliseconds that an action may take: its steps one after the other, and what is beside them. */
function timeoutOf({ document, timeout }: Action, besideMs: number): number {
  return (document.steps.length + 3) * timeout * 1000 + besideMs
}

/**
 * The protocol's action and command. Servers remember results by them. One that was tried before is
 * another command, since not every server can be told to forget.
 */
function describe(
  root: Blob,
  tried: number,
  timeoutMs: number,
  platform: RemoteSettings['platform'],
): { readonly action: Blob; readonly blobs: readonly Blob[] } {
  const outputs = [LAYOUT.artifact, LAYOUT.log, LAYOUT.result]
  const properties = Object.keys(platform)
    .sort()
    .map((name) => ({ name, value: platform[name] ?? '' }))
  const wanted = { properties }
  const command = blobOf(
    toBinary(
      CommandSchema,
      create(CommandSchema, {
        arguments: [`./${LAYOUT.runner}/node`, '--no-warnings', `./${LAYOUT.runner}/engine.mjs`],
        // Relative to the folder that it runs in, since nobody knows that beforehand.
        environmentVariables: [
          { name: 'PATH', value: LAYOUT.programs },
          ...(tried === 0 ? [] : [{ name: 'TRY', value: String(tried) }]),
        ],
        outputFiles: outputs,
        outputPaths: outputs,
        platform: wanted,
      }),
    ),
  )
  const action = blobOf(
    toBinary(
      ActionSchema,
      create(ActionSchema, {
        commandDigest: digestOfBlob(command),
        inputRootDigest: digestOfBlob(root),
        timeout: { seconds: BigInt(Math.ceil(timeoutMs / 1000)) },
        platform: wanted,
      }),
    ),
  )
  return { action, blobs: [command, action] }
}
