import { spawnSync } from 'node:child_process'
import { cpuTime } from '../../src/build/run-steps.ts'

/**
 * What a process took: milliseconds of wall clock, and of processors with those of its children.
 */
export interface Timing {
  readonly wallMs: number
  readonly cpuMs: number
  /** What it printed on standard output. */
  readonly output: string
}

/**
 * Runs a command to its end, from its start to its exit; throws with what it printed when it fails.
 */
export function timed(command: readonly string[]): Timing {
  const started = performance.now()
  // `times` is the one way to a child's processor time that every machine has; its two lines come
  // last.
  const { status, stdout, stderr } = spawnSync('sh', ['-c', '"$@" && times', 'sh', ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const wallMs = performance.now() - started
  if (status !== 0) throw new Error(`${command.join(' ')} failed:\n${stderr}${stdout}`)
  const lines = stdout.trimEnd().split('\n')
  return {
    wallMs,
    cpuMs: cpuTime(lines.slice(-2).join('\n')),
    output: lines.slice(0, -2).join('\n'),
  }
}

/** The middle one of some numbers; of an even count the higher of the two in the middle. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** Milliseconds as seconds for people. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}

/** Prints one figure. */
export function report(name: string, value: string, budget: string): void {
  process.stdout.write(`${name}: ${value} (${budget})\n`)
}
