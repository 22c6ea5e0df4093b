import { readFile, rm } from 'node:fs/promises'
import { kindOfKnown } from '../../base/codes.ts'
import { isDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { hasShape, isCount, isNumber, isText } from '../../base/shape.ts'
import type { Action, Run, RunResult } from '../../build/executor.ts'
import { unpackArtifact } from '../../store/artifact/unpack.ts'
import type { Store } from '../../store/store.ts'
import type { Connection } from './connection.ts'
import { download } from './download.ts'
import { RemoteFault } from './fault.ts'
import { LARGEST_ARTIFACT, LARGEST_LOG, LARGEST_RESULT } from './limits.ts'
import type * as messages from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts'
import { LAYOUT, type FailureText } from './worker/document.ts'

/** Where results are taken from, and to. */
export interface Taking {
  readonly connection: Connection
  readonly store: Store
  /** The server, as people may read it. */
  readonly shown: string
}

type Made = Omit<RunResult, 'origin'>

/** Characters of a worker's name that are shown. */
const LONGEST_NAME = 100

/**
 * Takes what a worker made: the log to its place, the artifact into the store. Nothing is believed:
 * bytes are compared with their digests, the result must be of this action, and the artifact must
 * be one. Fails with a {@link RemoteFault}, or with the error that the action's own fault was.
 */
export async function takeResult(
  result: messages.ActionResult,
  action: Action,
  { log, signal }: Run,
  taking: Taking,
): Promise<RunResult> {
  const name = result.executionMetadata?.worker.slice(0, LONGEST_NAME) ?? ''
  const by = name === '' ? 'a worker' : `worker "${name}"`
  const files = new Map(
    result.outputFiles.map(({ path, digest }) => [
      path,
      { hash: digest?.hash ?? '', size: Number(digest?.sizeBytes ?? 0) },
    ]),
  )
  const fetch = async (path: string, to: string, most: number): Promise<void> => {
    const file = files.get(path)
    if (file === undefined || !isDigest(file.hash)) {
      const said = errorText(result)
      throw new RemoteFault('broken', `${by} left no "${path}", status ${result.exitCode}${said}`)
    }
    if (file.size > most)
      throw new RemoteFault('broken', `${by} left "${path}" of ${file.size} bytes`)
    await download({ hash: file.hash, size: file.size }, to, taking.connection, signal)
  }
  const temporary = await taking.store.session.temporaryPath('remote')
  try {
    await fetch(LAYOUT.result, temporary, LARGEST_RESULT)
    const said = parseResult(await readFile(temporary, 'utf8'), action.key)
    if (said === undefined)
      throw new RemoteFault('broken', `${by} left a result that is none of this action`)
    await fetch(LAYOUT.log, log, LARGEST_LOG)
    if ('failure' in said) throw failureOf(said.failure, by, action, log, taking)
    if (files.get(LAYOUT.artifact)?.hash !== said.artifact)
      throw new RemoteFault('broken', `${by} named another artifact than it left`)
    if (!taking.store.blobs.has(said.artifact)) {
      await fetch(LAYOUT.artifact, temporary, LARGEST_ARTIFACT)
      await requireArtifact(temporary, by, signal)
      await taking.store.blobs.commit(temporary, said.artifact)
    }
    return { ...said, origin: { remote: taking.shown, worker: name } }
  } finally {
    await rm(temporary, { force: true })
  }
}

/** What a worker's process wrote before it failed without a result. */
function errorText({ stderrRaw }: messages.ActionResult): string {
  const text = Buffer.from(stderrRaw).subarray(-2_000).toString().trim()
  return text === '' ? '' : `: ${text.split('\n').at(-1) ?? ''}`
}

function parseResult(text: string, key: Digest): Made | { failure: FailureText } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const isKey = (said: unknown): boolean => said === key
  const isDigestText = (said: unknown): boolean => typeof said === 'string' && isDigest(said)
  type Failed = { readonly key: string; readonly failure: FailureText }
  if (hasShape<Failed>(value, { key: isKey, failure: isFailure })) return { failure: value.failure }
  type Worked = Made & { readonly key: string }
  const shape = { cpuMs: isNumber, peakMemory: isNumber, size: isCount() }
  if (!hasShape<Worked>(value, { key: isKey, artifact: isDigestText, ...shape })) return undefined
  const { artifact, size, cpuMs, peakMemory } = value
  return { artifact, size, cpuMs, peakMemory }
}

function isFailure(value: unknown): boolean {
  const isStep = (step: unknown): boolean => step === undefined || isText(step)
  return hasShape<Required<FailureText>>(value, { code: isText, message: isText, step: isStep })
}

/** The action's own failure as the error that it would be here; a worker's as a fault. */
function failureOf(
  { code, message, step }: FailureText,
  by: string,
  { recipe }: Action,
  log: string,
  { shown }: Taking,
): Error {
  const known = kindOfKnown(code)
  if (known?.kind !== 'buildFailed') return new RemoteFault('broken', `${by}: ${message}`)
  return new FixpointError(known.code, `${message}\n    It ran on ${by} of "${shown}"`, {
    facts: { recipe, log, ...(step === undefined ? {} : { step }) },
  })
}

async function requireArtifact(path: string, by: string, signal: AbortSignal): Promise<void> {
  try {
    await unpackArtifact(path, undefined, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof FixpointError)) throw error
    throw new RemoteFault('broken', `${by} left something that is no artifact`, error)
  }
}
