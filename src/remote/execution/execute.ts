import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { sleep } from '../../fetch/sleep.ts'
import { digestOfBlob, type Blob } from './blob.ts'
import type { Connection } from './connection.ts'
import { asFault, kindOfCode, RemoteFault } from './fault.ts'
import {
  ExecuteResponseSchema,
  type ExecuteResponse,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts'
import type { Operation } from './messages/google/longrunning/operations_pb.ts'

/** What is executed. */
export interface Execution {
  /** The action as the server has it. */
  readonly action: Blob
  /** Whether a result that the server remembers will do. */
  readonly mayBeOld: boolean
  /** Milliseconds after which it is given up. */
  readonly timeoutMs: number
  /** Called when the server did not cancel what was to be cancelled. */
  readonly onUncancelled: () => void
}

/** Milliseconds that a server gets to say that it has cancelled an operation. */
const CANCEL_MS = 2_000

/** Milliseconds; an answer that came for so long counts as progress. */
const LASTING_MS = 60_000

/**
 * Has the server execute an action, and waits for its end. A connection that breaks is taken up
 * again. When the signal aborts, the server is told to cancel. Fails with a {@link RemoteFault}.
 */
export async function execute(
  execution: Execution,
  connection: Connection,
  signal: AbortSignal,
): Promise<ExecuteResponse> {
  const limit = AbortSignal.timeout(Math.min(execution.timeoutMs, 2 ** 31 - 1))
  const either = AbortSignal.any([signal, limit])
  const { delays } = connection.limits
  const state = { name: '' }
  for (let attempt = 0; ; attempt += 1) {
    const started = performance.now()
    const wasKnown = state.name !== ''
    try {
      return await follow(execution, state, connection, either)
    } catch (error) {
      if (either.aborted) {
        if (!(await cancel(state.name, connection))) execution.onUncancelled()
        signal.throwIfAborted()
        throw new RemoteFault('broken', 'it did not end the action in time', error)
      }
      const fault = asFault(error, 'it does not run the action')
      if (!(fault instanceof RemoteFault)) throw fault
      if (performance.now() - started > LASTING_MS) attempt = 0
      const delay = delays[attempt]
      // An operation that it forgot, or does not let anyone wait for, is begun again.
      if (wasKnown && fault.kind !== 'lost') state.name = ''
      else if (fault.kind !== 'lost') throw fault
      if (delay === undefined) throw fault
      await sleep(delay, signal)
    }
  }
}

/** Begins the execution, or waits for the one that is known by its name. */
async function follow(
  { action, mayBeOld }: Execution,
  state: { name: string },
  { instance, execution }: Connection,
  signal: AbortSignal,
): Promise<ExecuteResponse> {
  const operations =
    state.name === ''
      ? execution.execute(
          {
            instanceName: instance,
            skipCacheLookup: !mayBeOld,
            actionDigest: digestOfBlob(action),
          },
          { signal },
        )
      : execution.waitExecution({ name: state.name }, { signal })
  for await (const operation of operations) {
    if (operation.name !== '') state.name = operation.name
    if (operation.done) return responseOf(operation)
  }
  throw new RemoteFault('lost', 'it did not say how the action ended')
}

function responseOf({ result }: Operation): ExecuteResponse {
  if (result.case === 'error') throw statusFault(result.value)
  const response =
    result.case === 'response' ? anyUnpack(result.value, ExecuteResponseSchema) : undefined
  if (response === undefined)
    throw new RemoteFault('broken', 'it ended the action without an answer')
  if (response.status !== undefined && response.status.code !== 0)
    throw statusFault(response.status)
  return response
}

function statusFault({ code, message }: { code: number; message: string }): RemoteFault {
  return new RemoteFault(kindOfCode(code), `it does not run the action: ${message} (${code})`)
}

/**
 * Dropping the stream does not stop the work: the server has to be told. False when it does not
 * cancel. Never fails.
 */
async function cancel(name: string, { operations }: Connection): Promise<boolean> {
  if (name === '') return false
  return operations.cancelOperation({ name }, { timeoutMs: CANCEL_MS }).then(
    () => true,
    () => false,
  )
}
