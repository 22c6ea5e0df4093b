import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { freeBytes, makeFifo } from '../base/files.ts'
import { PATHS } from '../sandbox/constants.ts'
import type { SandboxSpec } from '../sandbox/bwrap.ts'
import { LONGEST_LOG } from '../sandbox/output.ts'
import { runSandboxed, WAIT_FOR_ENGINE, type SandboxResult } from '../sandbox/run.ts'
import { readEnd, readReport } from './untrusted-files.ts'
import type { Action, StepContext, Usage } from './executor.ts'
import type { Script } from './steps.ts'
import type { Workspace } from './workspace.ts'

/** Lines of the log that a failure shows. */
const TAIL = 15

/**
 * Runs the step named by the first argument and, whatever becomes of it, leaves the time that it
 * and its children took; `times` is the one clock that POSIX gives a shell. It is no file that a
 * step could be called like. Make before 4.4, which a host may have, knows no fifo: in a host layer
 * the jobserver is a pair of open files.
 */
function runner(host: boolean, jobserver: boolean): string {
  const files =
    host && jobserver
      ? `exec ${HOST_JOBS}<>${PATHS.jobserver} ${HOST_JOBS + 1}<>${PATHS.jobserver}\n`
      : ''
  return `${WAIT_FOR_ENGINE}${files}umask 022
sh -eu "$1" && status=0 || status=$?
rm -rf ${PATHS.report}/times
command times > ${PATHS.report}/times || :
exit $status
`
}

/** First of the two descriptors that a host layer's jobserver has; a shell can name one digit. */
const HOST_JOBS = 8

/** Value of MAKEFLAGS, the same on every machine: how many jobs run, the tokens decide. */
export function makeFlags(host: boolean): string {
  const tokens = host ? `${HOST_JOBS},${HOST_JOBS + 1}` : `fifo:${PATHS.jobserver}`
  return ` -j2 --jobserver-auth=${tokens}`
}

/**
 * Runs the scripts one after the other, each in a sandbox of its own over the same folders. Fails
 * with `step-failed`, or with `disk-full`.
 */
export async function runSteps(
  workspace: Workspace,
  action: Action,
  scripts: readonly Script[],
  context: StepContext,
): Promise<Usage> {
  const pipe = join(workspace.folder, 'output')
  makeFifo(pipe)
  let cpuMs = 0
  let peakMemory = 0
  for (const { name, script } of scripts) {
    await writeFile(join(workspace.folder, 'steps', name), script)
    const started = context.now()
    context.emit({ type: 'step-start', at: started, recipe: action.recipe, step: name })
    await appendFile(context.log, `==> ${name}\n`)
    const spec = await stepSandbox(workspace, action, name, context.jobserver)
    const result = await runSandboxed(spec, {
      log: context.log,
      pipe,
      timeout: action.timeout,
      signal: context.signal,
    })
    context.signal.throwIfAborted()
    if (result.status !== 0 || result.logFull)
      throw await failureOf(action, name, context, describeEnd(result, action.timeout))
    cpuMs += cpuTime(await readReport(join(workspace.folder, 'report', 'times')))
    peakMemory = Math.max(peakMemory, result.peakMemory)
    context.emit({
      type: 'step-end',
      at: context.now(),
      recipe: action.recipe,
      step: name,
      durationMs: context.now() - started,
    })
  }
  return { cpuMs, peakMemory }
}

function stepSandbox(
  workspace: Workspace,
  action: Action,
  step: string,
  jobserver: string | undefined,
): Promise<SandboxSpec> {
  const { host } = action.document
  const command = [
    '/bin/sh',
    '-c',
    runner(host, jobserver !== undefined),
    'sh',
    `${PATHS.steps}/${step}`,
  ]
  const environment: Record<string, string> =
    jobserver === undefined ? {} : { MAKEFLAGS: makeFlags(host) }
  return workspace.sandbox(action, command, environment, jobserver)
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

function describeEnd(result: SandboxResult, timeout: number): string {
  if (result.logFull)
    return `wrote more than ${String(LONGEST_LOG >> 20)} MiB to its log and was ended`
  if (result.timedOut) return `exceeded its "timeout" of ${String(timeout)} s and was ended`
  return result.status === undefined ? 'was killed' : `ended with status ${String(result.status)}`
}

/** Sums the four times that the shell's `times` prints, each as `0m1.23s`. Milliseconds. */
export function cpuTime(text: string): number {
  let sum = 0
  for (const [, minutes, seconds] of text.matchAll(/(\d+)m(\d+(?:[.,]\d+)?)s/g)) {
    sum += (Number(minutes) * 60 + Number((seconds ?? '0').replace(',', '.'))) * 1000
  }
  // The recipe may have written anything.
  return Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : 0
}

async function tailOf(log: string): Promise<string> {
  return (await readEnd(log)).trimEnd().split('\n').slice(-TAIL).join('\n')
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}
