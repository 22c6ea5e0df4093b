import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../base/files.ts'
import { byCodeUnit } from '../base/order.ts'
import { readRegular } from '../base/regular.ts'

/** One archive that apt is set up for. Formats: sources.list(5). */
interface AptEntry {
  readonly uri: string
  readonly components: readonly string[]
  readonly signedBy: string
}

/**
 * Base addresses (`http:`, `https:`, `file:`; no slash at the end) of the Debian and Ubuntu
 * archives that the host's apt uses, in apt's order. `folder` is the host's apt folder. Empty where
 * there is no apt. What cannot be read, or is no regular file of usual size, names none.
 */
export async function readAptBases(folder = '/etc/apt'): Promise<readonly string[]> {
  const bases = parseSourcesList(await readText(join(folder, 'sources.list')))
  const parts = join(folder, 'sources.list.d')
  for (const name of (await readNames(parts)).sort(byCodeUnit)) {
    if (name.endsWith('.list')) bases.push(...parseSourcesList(await readText(join(parts, name))))
    if (name.endsWith('.sources')) bases.push(...parseDeb822(await readText(join(parts, name))))
  }
  return [...new Set(bases)]
}

/** Bases of a one-line-style file: `deb [OPTIONS] URI SUITE COMPONENT…`. */
export function parseSourcesList(text: string): string[] {
  const entries: AptEntry[] = []
  for (const line of text.split('\n')) {
    const match = /^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line)
    if (match === null) continue
    const [, options = '', uri = '', , components = ''] = match
    entries.push({
      uri,
      components: words(components),
      signedBy: /\bsigned-by=(\S+)/i.exec(options)?.[1] ?? '',
    })
  }
  return basesOf(entries)
}

/** Bases of a deb822-style file: stanzas of `Types:`, `URIs:`, `Suites:`, `Components:`. */
export function parseDeb822(text: string): string[] {
  const entries: AptEntry[] = []
  // A comment is no end of a stanza or of a folded field, so comments go first.
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))
  for (const stanza of lines.join('\n').split(/\n(?:[ \t]*\n)+/)) {
    const fields = parseStanza(stanza)
    if (/^(no|false|without|off|disable|0)$/i.test(fields.get('enabled') ?? '')) continue
    if (!words(fields.get('types')).some((type) => type === 'deb' || type === 'deb-src')) continue
    for (const uri of words(fields.get('uris'))) {
      entries.push({
        uri,
        components: words(fields.get('components')),
        signedBy: fields.get('signed-by') ?? '',
      })
    }
  }
  return basesOf(entries)
}

/**
 * Fields of a stanza by lower-case name; a line that starts with a blank goes on with the field
 * before.
 */
function parseStanza(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  let last: string | undefined
  for (const line of stanza.split('\n')) {
    const match = /^([^\s:]+):(.*)$/.exec(line)
    if (match !== null) {
      last = (match[1] ?? '').toLowerCase()
      fields.set(last, (match[2] ?? '').trim())
    } else if (last !== undefined && /^[ \t]/.test(line)) {
      fields.set(last, `${fields.get(last) ?? ''} ${line.trim()}`)
    }
  }
  return fields
}

function basesOf(entries: readonly AptEntry[]): string[] {
  return entries.filter(isDistribution).map(({ uri }) => uri.replace(/\/+$/, ''))
}

/**
 * True for an archive of the distribution itself, which has `pool/main`. Other vendors' archives
 * must not be asked: they don't have it, and what is built here is none of their business. Told by
 * the archive's folder, `…/debian` or `…/ubuntu-ports`, or by the key it is signed with.
 */
function isDistribution({ uri, components, signedBy }: AptEntry): boolean {
  if (!/^(https?:\/\/|file:\/)/.test(uri) || uri.includes('$(')) return false
  if (!components.includes('main')) return false
  return (
    /\/(debian|ubuntu)(-[a-z]+)*\/*$/i.test(uri) ||
    /\b(debian|ubuntu)-archive-keyring\b/.test(signedBy)
  )
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** Bytes; a list of archives has a few hundred. */
const LARGEST = 1 << 20

async function readText(path: string): Promise<string> {
  return (await unlessUnreadable(readRegular(path, LARGEST, 'follow'))) ?? ''
}

async function readNames(path: string): Promise<string[]> {
  return (await unlessUnreadable(readdir(path))) ?? []
}

async function unlessUnreadable<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}
