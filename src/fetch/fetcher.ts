import { rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import PQueue from 'p-queue'
import type { EventSink } from '../base/events.ts'
import { explainDiskFull } from '../base/files.ts'
import { visible } from '../base/visible.ts'
import type { FileSource } from '../metadata/model.ts'
import { readAptBases } from './apt.ts'
import {
  candidates,
  type Candidate,
  type PlaceOptions,
  type RemoteCandidate,
} from './candidates.ts'
import { download } from './download.ts'
import { exclusively } from './exclusive.ts'
import { PlaceFailure, sourceError, type Reason } from './failure.ts'
import { copyLocal } from './local.ts'
import { claimedNames } from './names.ts'
import { readNpmCertificates, readNpmRegistry } from './npm.ts'
import { discardPartial } from './partial.ts'
import {
  DEFAULT_LIMITS,
  type Fetcher,
  type FetchStore,
  type HostPlaces,
  type Limits,
} from './ports.ts'
import { SharedWork } from './shared.ts'
import type { Transfer, TransferResult } from './transfer.ts'

/** Everything a fetcher needs. */
export interface FetcherOptions {
  readonly store: FetchStore
  readonly emit: EventSink
  /** Milliseconds of a monotonic clock since the engine's start. */
  readonly now: () => number
  /** Mirror folders of the command line, asked before all others. */
  readonly from?: readonly string[] | undefined
  /**
   * Configured mirrors: absolute folders, `file:` or base addresses. Folders are asked before
   * addresses.
   */
  readonly mirrors?: readonly string[] | undefined
  /**
   * Base addresses (`http:`, `https:`, `file:`) of Debian archives; none: the host's apt set-up.
   */
  readonly debian?: readonly string[] | undefined
  /** Address of the npm registry; none: what npm is set up for. */
  readonly npm?: string | undefined
  /** Use the store, folders and `file:` places only. */
  readonly offline?: boolean | undefined
  /** Sources under way at once. Default 4. */
  readonly jobs?: number | undefined
  readonly limits?: { readonly [Name in keyof Limits]?: Limits[Name] | undefined } | undefined
  /** Replaces what is asked of the host, for tests and the appliance. */
  readonly host?: { readonly [Name in keyof HostPlaces]?: HostPlaces[Name] | undefined } | undefined
  /** Waits between attempts; rejects when the signal aborts. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
}

/** Least time between two progress events of a source, milliseconds. */
const PROGRESS_MS = 100

/** The fetch stage. One fetcher serves a whole run, so that requests for the same source meet. */
export function createFetcher(options: FetcherOptions): Fetcher {
  const queue = new PQueue({ concurrency: options.jobs ?? 4 })
  const shared = new SharedWork()
  const run = settle(options)
  return {
    fetch(source, signal) {
      // The places are part of it: who names other places may succeed where the first did not.
      const key = JSON.stringify([source.sha256, source.name, source.from])
      return shared.run(key, source.name, signal, async (all) => {
        if (options.store.blobs.has(source.sha256) && isNamed(source, options.store)) return
        await inTurn(queue, all, () => obtain(source, run, all))
      })
    },
  }
}

/**
 * Waits for a turn in the queue, which `signal` may cut short; work that has begun is left to wind
 * down by itself, its turn kept until then.
 */
async function inTurn(
  queue: PQueue,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  signal.throwIfAborted()
  const waiting = new AbortController()
  const giveUp = (): void => {
    waiting.abort(signal.reason)
  }
  signal.addEventListener('abort', giveUp)
  const begin = (): Promise<void> => {
    signal.removeEventListener('abort', giveUp)
    return work()
  }
  await queue.add(begin, { signal: waiting.signal })
}

/** Options with nothing left open. */
interface Run extends PlaceOptions {
  readonly store: FetchStore
  readonly emit: EventSink
  readonly now: () => number
  readonly limits: Limits
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

function settle(options: FetcherOptions): Run {
  const limits = options.limits ?? {}
  return {
    store: options.store,
    emit: options.emit,
    now: options.now,
    from: options.from ?? [],
    mirrors: options.mirrors ?? [],
    debian: options.debian ?? [],
    npm: options.npm,
    offline: options.offline ?? false,
    limits: {
      connectMs: limits.connectMs ?? DEFAULT_LIMITS.connectMs,
      idleMs: limits.idleMs ?? DEFAULT_LIMITS.idleMs,
      pace: limits.pace ?? DEFAULT_LIMITS.pace,
      redirects: limits.redirects ?? DEFAULT_LIMITS.redirects,
      bytes: limits.bytes ?? DEFAULT_LIMITS.bytes,
      delays: limits.delays ?? DEFAULT_LIMITS.delays,
    },
    host: {
      aptBases: once(options.host?.aptBases ?? (() => readAptBases())),
      npmRegistry: once(options.host?.npmRegistry ?? readNpmRegistry),
      npmCertificates: once(options.host?.npmCertificates ?? readNpmCertificates),
    },
    sleep: options.sleep ?? sleep,
  }
}

async function obtain(source: FileSource, run: Run, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const staging = await run.store.sources.partialPath(source.sha256)
  await exclusively(staging, signal, async () => {
    const job = { source, staging, run, signal }
    // Another engine may have brought it while this one waited.
    if (!run.store.blobs.has(source.sha256)) await bring(job)
    if (!isNamed(source, run.store)) await confirm(job)
  })
}

/**
 * True when the source's digest was found right under a name that the recipe gives it. A store that
 * knows no name, since an earlier engine filled it or a mirror has the file by its digest, is
 * believed this once.
 */
function isNamed(source: FileSource, store: FetchStore): boolean {
  const noted = store.sources.names(source.sha256)
  const claimed = claimedNames(source)
  if (noted.length === 0) store.sources.noteNames(source.sha256, claimed)
  return noted.length === 0 || claimed.some((name) => noted.includes(name))
}

/** One source on its way. */
interface Job {
  readonly source: FileSource
  readonly staging: string
  readonly run: Run
  readonly signal: AbortSignal
}

/** Puts the source into the store, from the first place that has it. */
async function bring(job: Job): Promise<void> {
  const { source, run } = job
  const reasons = await tryAll(job, false, (path) => commit(run.store, path, source))
  if (reasons !== undefined) throw sourceError(source, reasons)
}

/**
 * Asks for a stored source again: its digest is known by other names only. Either two recipes name
 * one file differently, or a recipe's version changed and its digest was forgotten.
 */
async function confirm(job: Job): Promise<void> {
  const { source, run } = job
  const reasons = await tryAll(job, true, discardPartial)
  if (reasons !== undefined)
    throw sourceError(source, reasons, run.store.sources.names(source.sha256))
}

/**
 * Tries places in order; `keep` gets the first file that is right. Undefined then, otherwise why
 * there is none.
 */
async function tryAll(
  job: Job,
  claimedOnly: boolean,
  keep: (path: string) => Promise<void>,
): Promise<readonly Reason[] | undefined> {
  const reasons: Reason[] = []
  for await (const candidate of candidates(job.source, job.run, claimedOnly)) {
    job.signal.throwIfAborted()
    const reason = await tryCandidate(job, candidate, keep)
    if (reason === undefined) return undefined
    reasons.push(reason)
  }
  return reasons
}

/** Undefined when the candidate is the source, otherwise why not. */
async function tryCandidate(
  { source, staging, run, signal }: Job,
  candidate: Candidate,
  keep: (path: string) => Promise<void>,
): Promise<Reason | undefined> {
  // Names of files and lists are in it, which are others' texts.
  const place = visible(candidate.label)
  if (candidate.kind === 'none')
    return {
      place,
      reason: visible(candidate.reason),
      ...(candidate.offline === true && { offline: true }),
    }
  // A copy must not spoil a partial download: the copy may turn out wrong.
  const path = candidate.kind === 'local' ? `${staging}.local` : staging
  try {
    const transfer = transferOf(source, place, path, run, signal)
    const { digest, bytes } =
      candidate.kind === 'local'
        ? await copyLocal(candidate.path, run.limits.bytes, transfer)
        : await fetchRemote(source, place, candidate, transfer, run)
    if (digest !== source.sha256) {
      await discardPartial(path)
      run.emit({
        type: 'warning',
        at: run.now(),
        message:
          `Passed over ${place} for "${visible(source.name)}": sha256 is ${digest}, recipe ` +
          `wants ${source.sha256}`,
      })
      return { place, reason: `sha256 is ${digest}`, actual: digest }
    }
    await keep(path)
    await discardPartial(staging)
    run.store.sources.noteNames(
      source.sha256,
      candidate.proves === undefined ? claimedNames(source) : [candidate.proves],
    )
    run.emit({ type: 'fetch-end', at: run.now(), source: source.name, place, bytes })
    return undefined
  } catch (error) {
    if (candidate.kind === 'local') await rm(path, { force: true })
    if (error instanceof PlaceFailure) return { place, reason: error.message }
    throw error
  }
}

/** Moves in a file whose digest is right. {@link openSink} hashed it as it arrived. */
async function commit(store: FetchStore, path: string, source: FileSource): Promise<void> {
  try {
    await store.blobs.commit(path, source.sha256)
  } catch (error) {
    throw explainDiskFull(error, path)
  }
}

function fetchRemote(
  source: FileSource,
  place: string,
  { url, trusted }: RemoteCandidate,
  transfer: Transfer,
  run: Run,
): Promise<TransferResult> {
  return download({
    ...transfer,
    url,
    trusted,
    wanted: source.sha256,
    limits: run.limits,
    sleep: run.sleep,
    onRetry: (reason) => {
      run.emit({ type: 'fetch-retry', at: run.now(), source: source.name, place, reason })
    },
  })
}

/**
 * Turns what happens to a transfer into events: one start for each place, progress now and then.
 */
function transferOf(
  { name }: FileSource,
  place: string,
  path: string,
  { emit, now }: Run,
  signal: AbortSignal,
): Transfer {
  let started = false
  let last = now()
  return {
    path,
    signal,
    onStart: (size) => {
      if (!started) emit({ type: 'fetch-start', at: now(), source: name, place, size })
      started = true
    },
    onProgress: (bytes, size) => {
      const at = now()
      if (at - last < PROGRESS_MS) return
      last = at
      emit({ type: 'fetch-progress', at, source: name, bytes, size })
    },
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

/** Asks once and keeps the answer; a failure is kept too, as it would not differ within a run. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => (answer ??= ask())
}
