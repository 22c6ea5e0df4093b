import { existsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FixpointError } from '../base/error.ts'
import { MOST_CORES } from '../build/jobserver.ts'

/** The checkout that this engine runs from. */
export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url))

/** The layers that came with this engine. */
export const OWN_LAYERS = join(CHECKOUT, 'layers', 'layers.yaml')

/**
 * The layers that a command works on: those named, those of the working folder, or those that came
 * with the engine.
 */
export function layersFile(named: string | undefined): string {
  if (named !== undefined) return resolve(named)
  const nearby = ['layers.yaml', join('layers', 'layers.yaml')].map((path) => resolve(path))
  return nearby.find((path) => existsSync(path)) ?? OWN_LAYERS
}

/**
 * The layers that a command works on when it is to change them. Fails with `no-own-layers` instead
 * of changing the engine's own from elsewhere.
 */
export function layersToChange(named: string | undefined): string {
  if (!isStandIn(named)) return layersFile(named)
  throw new FixpointError(
    'no-own-layers',
    `Cannot tell which layers to change: "${process.cwd()}" has no layers.yaml, nor has a folder ` +
      '"layers" in it',
  )
}

/** Whether the engine's own layers stand in for those that a folder elsewhere lacks. */
export function isStandIn(named: string | undefined): boolean {
  const [first] = relative(CHECKOUT, process.cwd()).split('/')
  return named === undefined && first === '..' && layersFile(named) === OWN_LAYERS
}

/** Cores that a build uses unless told otherwise. */
export function defaultCores(): number {
  return Math.min(availableParallelism(), MOST_CORES)
}

/**
 * Bytes of memory that running actions may be expected to use: most of the machine's, the rest is
 * for the page cache and the engine.
 */
export function defaultMemory(): number {
  return Math.floor(totalmem() * 0.85)
}

/** Suites of Debian: what is released, and what comes next. Sources of both can be fetched. */
export const SUITES: readonly string[] = ['stable', 'unstable']
