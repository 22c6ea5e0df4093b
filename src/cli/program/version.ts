import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECKOUT } from '../defaults.ts'

/** The engine's version. */
export function engineVersion(): string {
  const text = readFileSync(join(CHECKOUT, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Version, commit of the checkout where that is known, and Node, as one line. */
export function versionLine(): string {
  const commit = commitOf(CHECKOUT)
  const of = commit === undefined ? '' : `commit ${commit}, `
  return `${engineName()} (${of}Node ${process.versions.node})`
}

/** Name and version, as records of results state them. */
export function engineName(): string {
  return `fixpoint ${engineVersion()}`
}

/** Undefined where there is no repository, or no git: an image has neither. */
function commitOf(folder: string): string | undefined {
  const repository = ['--git-dir', join(folder, '.git'), '--work-tree', folder]
  try {
    return execFileSync('git', [...repository, 'describe', '--always', '--dirty', '--exclude=*'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}
