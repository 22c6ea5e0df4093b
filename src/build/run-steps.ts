import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { freeBytes } from '../base/files.ts'
import { PATHS } from '../sandbox/constants.ts'
import type { SandboxSpec } from '../sandbox/bwrap.ts'
import { LONGEST_LOG } from '../sandbox/output.ts'
import { keepBytes } from '../store/keep-bytes.ts'
import { RunningSandbox, type SandboxEnd, type StepEnd } from '../sandbox/run.ts'
import { runnerScript } from '../sandbox/runner.ts'
import { checkLicenses } from './check-licenses.ts'
import { readEnd } from './log-end.ts'
import type { Action, StepContext, Usage } from './executor.ts'
import { UNPACK_STEP, type Script } from './steps.ts'
import type { Workspace } from './workspace.ts'

/** Lines of the log that a failure shows. */
const TAIL = 15

/** First of the two descriptors that a host layer's jobserver has; a shell can name one digit. */
const HOST_JOBS = 8

/**
 * Lines that open the jobserver's fifo as a pair of files. A host layer needs them: make before
 * 4.4, which a host may have, knows no fifo.
 */
const OPEN_JOBSERVER = `exec ${[HOST_JOBS, HOST_JOBS + 1]
  .map((fd) => `${fd}<>${PATHS.jobserver}`)
  .join(' ')}\n`

/** Value of MAKEFLAGS, the same on every machine: how many jobs run, the tokens decide. */
export function makeFlags(host: boolean): string {
  const tokens = host ? `${HOST_JOBS},${HOST_JOBS + 1}` : `fifo:${PATHS.jobserver}`
  return ` -j2 --jobserver-auth=${tokens}`
}

/**
 * Runs the scripts one after the other in one sandbox. Fails with `step-failed`,
 * `license-changed` or `disk-full`.
 */
export async function runSteps(
  workspace: Workspace,
  action: Action,
  scripts: readonly Script[],
  context: StepContext,
): Promise<Usage> {
  const { fifos } = context.store.session
  const pipe = await fifos.take()
  for (const { name, script } of scripts)
    await writeFile(join(workspace.folder, 'steps', name), script)
  const spec = await stepsSandbox(workspace, action, context.jobserver)
  const sandbox = new RunningSandbox(spec, { log: context.log, pipe, signal: context.signal })
  let failed: { readonly step: string; readonly end: StepEnd } | undefined
  let ended: SandboxEnd
  try {
    for (const { name } of scripts) {
      const end = await runStep(sandbox, name, action, context)
      if (end.status === 0 && !end.logFull) {
        // Patches may change the texts, and steps remove them. No process is left that still could.
        if (name === UNPACK_STEP) await keepLicenses(workspace.source, action, context)
        continue
      }
      failed = { step: name, end }
      break
    }
  } finally {
    ended = await sandbox.end()
    fifos.drop(pipe)
  }
  context.signal.throwIfAborted()
  if (failed !== undefined) {
    const status = failed.end.status ?? ended.status
    const reason = describeEnd({ ...failed.end, status }, action.timeout)
    throw await failureOf(action, failed.step, context, reason)
  }
  return { cpuMs: cpuTime(ended.times), peakMemory: ended.peakMemory }
}

/** Stores the texts of licenses: whoever wants them later need not unpack the sources again. */
async function keepLicenses(folder: string, action: Action, { store }: StepContext): Promise<void> {
  for (const [digest, text] of checkLicenses(folder, action)) await keepBytes(store, text, digest)
}

async function runStep(
  sandbox: RunningSandbox,
  step: string,
  { recipe, timeout }: Action,
  { emit, now }: StepContext,
): Promise<StepEnd> {
  const started = now()
  emit({ type: 'step-start', at: started, recipe, step })
  const end = await sandbox.run(step, timeout)
  if (end.status === 0)
    emit({ type: 'step-end', at: now(), recipe, step, durationMs: now() - started })
  return end
}

function stepsSandbox(
  workspace: Workspace,
  action: Action,
  jobserver: string | undefined,
): Promise<SandboxSpec> {
  const { host } = action.document
  const script = runnerScript(host && jobserver !== undefined ? OPEN_JOBSERVER : '')
  const environment: Record<string, string> =
    jobserver === undefined ? {} : { MAKEFLAGS: makeFlags(host) }
  return workspace.sandbox(action, ['/bin/sh', '-c', script], environment, jobserver)
}

/** Bytes; a tool that ran into a full disk removes its unfinished file before it ends. */
const NEARLY_FULL = 256 << 20

/** The step's failure; a full disk under it is the host's. */
async function failureOf(
  { recipe }: Action,
  step: string,
  { log }: StepContext,
  reason: string,
): Promise<FixpointError> {
  const tail = await tailOf(log)
  const message = `Cannot build ${recipe}: step "${step}" ${reason}\n${indent(tail)}`
  const isDiskFull =
    tail.includes('No space left on device') && (await freeBytes(log)) <= NEARLY_FULL
  return isDiskFull
    ? new FixpointError('disk-full', message, { facts: { recipe, step, log } })
    : new FixpointError('step-failed', message, { facts: { recipe, step, log } })
}

function describeEnd(
  end: Omit<StepEnd, 'status'> & { readonly status: number | null },
  timeout: number,
): string {
  if (end.logFull)
    return `wrote more than ${String(LONGEST_LOG >> 20)} MiB to its log and was ended`
  if (end.timedOut) return `exceeded its "timeout" of ${String(timeout)} s and was ended`
  return end.status === null ? 'was killed' : `ended with status ${String(end.status)}`
}

/** Sums the four times that the shell's `times` prints, each as `0m1.23s`. Milliseconds. */
export function cpuTime(text: string): number {
  let sum = 0
  for (const [, minutes, seconds] of text.matchAll(/(\d+)m(\d+(?:[.,]\d+)?)s/g)) {
    sum += (Number(minutes) * 60 + Number((seconds ?? '0').replace(',', '.'))) * 1000
  }
  // A step that has taken over the runner may have written anything.
  return Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : 0
}

async function tailOf(log: string): Promise<string> {
  return (await readEnd(log)).trimEnd().split('\n').slice(-TAIL).join('\n')
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}
