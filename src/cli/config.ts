import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import { z } from 'zod'
import { FixpointError, FixpointErrors, type Place } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { MOST_CORES } from '../build/jobserver.ts'
import { suggestion } from '../metadata/suggest.ts'
import { typeName } from '../metadata/validate.ts'

const Address = z.string().regex(/^https?:\/\/[^\s/]+/, 'must be an http:// or https:// address')
const Archive = z
  .string()
  .regex(/^(https?:\/\/[^\s/]+|file:(\/\/)?\/)/, 'must be an http://, https:// or file:/ address')
const Path = z.string().min(1, 'must not be empty')

const ConfigFile = z
  .strictObject({
    store: Path.describe('Folder of the store'),
    mirrors: z.array(Path).describe('Mirrors, folders or base addresses, in the order they are asked'),
    debian: z.array(Archive).describe('Base addresses of Debian archives, instead of those that apt is set up for'),
    npm: Address.describe('Address of the npm registry, instead of the one that npm is set up for'),
    installed: Path.describe('Root folder of an image this machine runs from: its artifacts count as stored'),
    jobs: z
      .number()
      .int('must be a whole number')
      .positive('must be at least 1')
      .max(MOST_CORES, `must be at most ${String(MOST_CORES)}`)
      .describe('Cores to use'),
  })
  .partial()

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
}

/** The variables that configuration depends on. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `$XDG_CONFIG_HOME/fixpoint/config.yaml` (optional) and FIXPOINT_STORE, which goes first. The store is `$XDG_CACHE_HOME/fixpoint` otherwise.
 * Rejects with `config-unreadable`, `config-syntax`, `config-unknown-key` or `config-value` (kind usage), all faults at once, each with its place.
 */
export async function readConfig(env: Environment = process.env): Promise<Config> {
  const home = homeOf(env)
  const path = join(xdgFolder(env['XDG_CONFIG_HOME'], home, '.config'), 'fixpoint', 'config.yaml')
  const text = await readIfThere(path)
  const file = text === undefined ? {} : parseConfig(text, path)
  const absolute = (entry: string): string => resolve(dirname(path), entry.replace(/^~(?=\/|$)/, home))
  const fromEnv = env['FIXPOINT_STORE']
  return {
    store:
      fromEnv !== undefined && fromEnv !== ''
        ? resolve(fromEnv)
        : file.store === undefined
          ? join(xdgFolder(env['XDG_CACHE_HOME'], home, '.cache'), 'fixpoint')
          : absolute(file.store),
    mirrors: (file.mirrors ?? []).map((mirror) => (/^(https?|file):/.test(mirror) ? mirror : absolute(mirror))),
    debian: file.debian ?? [],
    npm: file.npm,
    jobs: file.jobs,
    installed: file.installed === undefined ? undefined : absolute(file.installed),
  }
}

/** HOME, or what the system has for this user: with an empty one, everything would go into the working folder. Fails with `no-home`. */
function homeOf(env: Environment): string {
  const home = env['HOME'] ?? ''
  if (isAbsolute(home)) return home
  const listed = listedHome()
  if (isAbsolute(listed)) return listed
  throw new FixpointError('usage', 'no-home', 'Cannot tell the home folder of this user', {
    hint: 'Set HOME to an absolute path',
  })
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

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(cause) ?? '')) return undefined
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new FixpointError('usage', 'config-unreadable', `Cannot read configuration "${path}": ${why}`, { cause })
  }
}

function parseConfig(text: string, path: string): z.infer<typeof ConfigFile> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const placeAt = (offset: number | undefined): Place => {
    if (offset === undefined) return { file: path }
    const { line, col } = lines.linePos(offset)
    return { file: path, line, column: col }
  }
  const syntax = document.errors.map((error) => fault('config-syntax', path, error.message, placeAt(error.pos[0])))
  if (syntax.length > 0) throw new FixpointErrors(syntax)
  const parsed = ConfigFile.safeParse(document.toJS() ?? {})
  if (parsed.success) return parsed.data
  throw new FixpointErrors(parsed.error.issues.flatMap((issue) => issueFaults(issue, document, path, placeAt)))
}

function issueFaults(
  issue: z.core.$ZodIssue,
  document: Document,
  path: string,
  placeAt: (offset: number | undefined) => Place,
): FixpointError[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(ConfigFile.shape)
    return issue.keys.map((key) => {
      const message = `unknown key "${key}", known are ${known.join(', ')}`
      return fault('config-unknown-key', path, message, placeAt(keyOffset(document, key)), suggestion(key, known))
    })
  }
  const where = issue.path.map(String).join('.')
  const subject = where === '' ? 'the file' : `"${where}"`
  // In the words of the recipes' faults, not in the parser's.
  const wanted = issue.code === 'invalid_type' ? `must be ${typeName(issue.expected)}` : issue.message
  const message = `${subject} ${wanted}`
  return [fault('config-value', path, message, placeAt(valueOffset(document, issue.path)))]
}

function fault(code: string, path: string, message: string, place: Place, hint?: string): FixpointError {
  return new FixpointError('usage', code, `Cannot use configuration "${path}": ${message}`, { place, hint })
}

function keyOffset(document: Document, key: string): number | undefined {
  if (!isMap(document.contents)) return undefined
  const pair = document.contents.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined
}

function valueOffset(document: Document, path: readonly PropertyKey[]): number | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  return isNode(node) ? node.range?.[0] : undefined
}
