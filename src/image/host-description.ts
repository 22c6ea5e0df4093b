import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Programs of the host that the bootstrap runs. */
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

/** What the record beside an image says of the host. */
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
