import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf, type Digest } from '../base/digest.ts'
import { contentOf, filesOf, lastChange, stateOf } from './host-files.ts'
import { hostView } from '../sandbox/host-view.ts'
import { noted } from './noted.ts'

/** Tools of the host that the bootstrap runs and a record names. */
const COMPILERS = ['cc', 'c++', 'as', 'ld'] as const
const TOOLS = [
  'ar',
  'awk',
  'bash',
  'bzip2',
  'grep',
  'gzip',
  'install',
  'm4',
  'sed',
  'sh',
  'sort',
  'tar',
  'xz',
] as const

/** What a host is known by, in words; goes into the manifest beside an image. */
export interface HostDescription {
  /** First line of each compiler's `--version`. */
  readonly compilers: Readonly<Record<string, string>>
  /** Path and size of each tool. */
  readonly tools: Readonly<Record<string, string>>
  /** `PRETTY_NAME` of os-release. */
  readonly system: string
}

/** Describes the host whose /usr the bootstrap sees. */
export function describeHost(): HostDescription {
  return {
    compilers: Object.fromEntries(COMPILERS.map((name) => [name, versionOf(name)])),
    tools: Object.fromEntries(TOOLS.map((name) => [name, identify(name)])),
    system: systemName(),
  }
}

/**
 * Decides whether an artifact of a host layer may be used again: everything that its steps could
 * run or read ({@link hostView}) had these bytes and modes. Times and owners have no say, so
 * machines with the same packages agree. What it came to is noted in the file `notes`, whose loss
 * costs the reading of all files. In no key.
 */
export function hostFingerprint(notes?: string, root = '/'): Digest {
  const view = hostView(root)
  const files = filesOf(view, root)
  const read = (): Digest => contentOf(files, root)
  const content =
    notes === undefined
      ? read()
      : noted(notes, { digest: stateOf(files), changed: lastChange(files) }, read)
  return digestOf([...view.links.flat(), content].join('\0'))
}

function versionOf(name: string): string {
  const { stdout } = spawnSync(join('/usr/bin', name), ['--version'], {
    encoding: 'utf8',
    env: { LC_ALL: 'C', PATH: '/usr/bin' },
  })
  return `${identify(name)} ${(stdout as string | null)?.split('\n')[0] ?? 'missing'}`
}

function identify(name: string): string {
  const path = join('/usr/bin', name)
  if (!existsSync(path)) return 'missing'
  const real = realpathSync(path)
  return `${real} ${String(statSync(real).size)}`
}

function systemName(): string {
  try {
    return (
      /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown'
    )
  } catch {
    return 'unknown'
  }
}
