import { userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { readRegular } from '../base/regular.ts'
import { systemReason } from '../base/system-error.ts'
import { isAddress } from '../fetch/addresses.ts'
import type { RemoteSettings } from '../remote/execution/settings.ts'
import type { CacheSettings } from '../remote/open.ts'
import type { ConfigText } from './config-text.ts'

/** What a user has set up for all their builds. All paths are absolute. */
export interface Config {
  readonly store: string
  /** Folders (absolute paths) and base addresses. */
  readonly mirrors: readonly string[]
  readonly debian: readonly string[]
  readonly npm: string | undefined
  readonly jobs: number | undefined
  /** Root folder of the image that the machine runs from. */
  readonly installed: string | undefined
  readonly cache: CacheSettings | undefined
  readonly remote: RemoteSettings | undefined
}

/** The variables that configuration depends on. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `$XDG_CONFIG_HOME/fixpoint/config.yaml` (optional) and FIXPOINT_STORE, which goes first.
 * The store is `$XDG_CACHE_HOME/fixpoint` otherwise. Rejects with `config-unreadable`,
 * `config-syntax`, `config-unknown-key` or `config-value` (kind usage), all faults at once, each
 * with its position.
 */
export async function readConfig(env: Environment = process.env): Promise<Config> {
  const home = homeOf(env)
  const path = join(xdgFolder(env['XDG_CONFIG_HOME'], home, '.config'), 'fixpoint', 'config.yaml')
  const text = await readConfigFile(path)
  const file = text === undefined ? {} : await parse(text, path)
  const absolute = (entry: string): string =>
    resolve(dirname(path), entry.replace(/^~(?=\/|$)/, home))
  const fromEnv = env['FIXPOINT_STORE']
  return {
    store:
      fromEnv !== undefined && fromEnv !== ''
        ? resolve(fromEnv)
        : file.store === undefined
          ? join(xdgFolder(env['XDG_CACHE_HOME'], home, '.cache'), 'fixpoint')
          : absolute(file.store),
    mirrors: (file.mirrors ?? []).map((mirror) =>
      /^(https?|file):/.test(mirror) ? mirror : absolute(mirror),
    ),
    debian: file.debian ?? [],
    npm: file.npm,
    jobs: file.jobs,
    installed: file.installed === undefined ? undefined : absolute(file.installed),
    cache: file.cache === undefined ? undefined : await cacheSettings(file.cache, absolute),
    remote: file.remote === undefined ? undefined : await remoteSettings(file.remote, absolute),
  }
}

async function cacheSettings(
  {
    read = [],
    keys = [],
    need = 1,
    write,
    key,
    token,
    certificate,
  }: NonNullable<ConfigText['cache']>,
  absolute: (path: string) => string,
): Promise<CacheSettings> {
  const { parseSigner } = await import('../remote/keys.ts')
  const { filePath } = await import('../metadata/format/source-places.ts')
  const place = (text: string): string =>
    isAddress(text) ? text : absolute(filePath(text) ?? text)
  const path = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : absolute(text)
  return {
    read: read.map(place),
    signers: keys.flatMap((text) => parseSigner(text) ?? []),
    need,
    write: write === undefined ? undefined : place(write),
    key: path(key),
    token: path(token),
    certificate: path(certificate),
  }
}

async function remoteSettings(
  text: NonNullable<ConfigText['remote']>,
  absolute: (path: string) => string,
): Promise<RemoteSettings> {
  const { overHttp } = await import('./config-remote.ts')
  const { address, instance = 'main', jobs = 16, platform = {} } = text
  const path = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : absolute(name)
  return {
    ...{ address: overHttp(address), instance, jobs, platform },
    ca: path(text.ca),
    certificate: path(text.certificate),
    key: path(text.key),
    token: path(text.token),
    runner: path(text.runner),
  }
}

/** Most users have no such file, so what reads it is loaded when there is one. */
async function parse(text: string, path: string): Promise<ConfigText> {
  const { parseConfig } = await import('./config-text.ts')
  return parseConfig(text, path)
}

/**
 * HOME, or what the system has for this user: with an empty one, everything would go into the
 * working folder. Fails with `no-home`.
 */
function homeOf(env: Environment): string {
  const home = env['HOME'] ?? ''
  if (isAbsolute(home)) return home
  const listed = listedHome()
  if (isAbsolute(listed)) return listed
  throw new FixpointError('no-home', 'Cannot tell the home folder of this user')
}

/** Empty for a user that the system does not list. */
function listedHome(): string {
  try {
    return userInfo().homedir
  } catch {
    return ''
  }
}

/** The XDG specification wants relative paths ignored. */
function xdgFolder(value: string | undefined, home: string, fallback: string): string {
  return value !== undefined && isAbsolute(value) ? value : join(home, fallback)
}

/** Bytes; far more than all keys with many mirrors take. */
const LARGEST = 256 << 10

/** The text of a configuration; undefined where there is none. Fails with `config-unreadable`. */
export async function readConfigFile(path: string): Promise<string | undefined> {
  let text: string | undefined
  try {
    text = (await readRegular(path, LARGEST, 'follow'))?.toString()
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(cause) ?? '')) return undefined
    throw unreadable(
      path,
      systemReason(cause) ?? (cause instanceof Error ? cause.message : String(cause)),
      cause,
    )
  }
  return (
    text ??
    Promise.reject(unreadable(path, `it must be a regular file of at most ${LARGEST} bytes`))
  )
}

function unreadable(path: string, why: string, cause?: unknown): FixpointError {
  return new FixpointError('config-unreadable', `Cannot read configuration "${path}": ${why}`, {
    cause,
  })
}
