import { errorCode } from '../base/files.ts'
import { readRegular } from '../base/regular.ts'
import { passwordFile } from './environment.ts'
import { PlaceFailure } from './failure.ts'

/** Bytes; far more than such a file has. */
const LARGEST = 256 << 10

/**
 * The value of `Authorization` for a server, by the user's file of passwords. Undefined when it has
 * none. Rejects with PlaceFailure for a file that cannot be read.
 */
export async function passwordFor(
  host: string,
  path = passwordFile(),
): Promise<string | undefined> {
  const found = findLogin(await readIfThere(path), host)
  if (found === undefined) return undefined
  return `Basic ${Buffer.from(`${found.login}:${found.password}`).toString('base64')}`
}

async function readIfThere(path: string): Promise<string> {
  try {
    const text = await readRegular(path, LARGEST, 'follow')
    if (text !== undefined) return text
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(cause) ?? '')) return ''
  }
  throw new PlaceFailure(`the file of passwords "${path}" cannot be read`)
}

/** A user's name and password. */
export interface Login {
  readonly login: string
  readonly password: string
}

/** What a netrc file has for a server, else its `default`. The first entry of a server counts. */
export function findLogin(text: string, host: string): Login | undefined {
  const entries = entriesOf(text)
  const entry =
    entries.find(({ machine }) => machine === host) ?? entries.find(({ machine }) => machine === '')
  if (entry?.login === undefined) return undefined
  return { login: entry.login, password: entry.password ?? '' }
}

interface Entry {
  /** Empty for the default. */
  readonly machine: string
  login?: string
  password?: string
}

function entriesOf(text: string): Entry[] {
  const entries: Entry[] = []
  const words = wordsOf(text)
  for (let word = words.next(); word.done !== true; word = words.next()) {
    const entry = entries.at(-1)
    const value = (): string => words.next().value ?? ''
    if (word.value === 'machine') entries.push({ machine: value() })
    else if (word.value === 'default') entries.push({ machine: '' })
    else if (word.value === 'login' && entry !== undefined) entry.login = value()
    else if (word.value === 'password' && entry !== undefined) entry.password = value()
    else if (word.value === 'account') value()
  }
  return entries
}

/** The words of a netrc file. A word in quotes may hold blanks; macros end with an empty line. */
function* wordsOf(text: string): Generator<string, undefined> {
  const plain = text.replace(/^\s*#.*$/gm, '').replace(/(^|\s)macdef\s[^]*?(\n[ \t]*\n|$)/g, '$1')
  for (const [, quoted, word] of plain.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g))
    yield quoted?.replace(/\\(.)/g, '$1') ?? word ?? ''
  return undefined
}
