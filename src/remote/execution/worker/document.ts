import type { Digest } from '../../../base/digest.ts'
import type { Action } from '../../../build/executor.ts'

/** Names in the folder that an action runs in on a worker. */
export const LAYOUT = {
  document: 'action.json',
  /** Artifacts and sources, by digest. */
  blobs: 'blobs',
  /** Patches, files and trees of the checkout, by digest. */
  local: 'local',
  /** What runs on the worker. */
  runner: 'runner',
  /** Made there: names of the programs that the engine starts. */
  programs: 'programs',
  log: 'out/log',
  result: 'out/result.json',
  artifact: 'out/artifact.tar',
} as const

/** Programs that the engine starts. What the runner's folder does not have, its busybox is. */
export const PROGRAMS = [
  'bwrap',
  'cat',
  'flock',
  'mkfifo',
  'mount',
  'rm',
  'setarch',
  'sh',
  'sync',
  'unshare',
] as const

/** What a worker is told: the action, with its files by their names there. */
export type ActionText = Omit<Action, 'artifacts'> & {
  readonly artifacts: readonly (readonly [recipe: string, artifact: Digest])[]
}

/** What a worker says of the action that it ran. */
export type ResultText = { readonly key: Digest } & (
  | {
      readonly artifact: Digest
      readonly size: number
      readonly cpuMs: number
      readonly peakMemory: number
    }
  | { readonly failure: FailureText }
)

/** Why a worker has no artifact. */
export interface FailureText {
  /** Code of an error; empty for what is none of ours. */
  readonly code: string
  readonly message: string
  readonly step?: string
}
