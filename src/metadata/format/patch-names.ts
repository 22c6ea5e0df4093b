import { isFileName, MAX_PATH } from './source-places.ts'

/** What a line `--- ` or `+++ ` of a patch says about a file, as GNU patch reads it. */
export interface HeaderName {
  /**
   * Its path below the folder that is patched; '' for /dev/null, undefined for none that can be
   * used.
   */
  readonly path: string | undefined
  /** Whether the file is not there, before or after. */
  readonly none: boolean
  /** Whether GNU patch may take its time as a sign that the file is not there. */
  readonly doubtful: boolean
}

/** A name that `diff --git` states on both sides. */
export interface GitName {
  readonly path: string
  /** Whether GNU patch finds it by that line alone: not where blanks are without quotes. */
  readonly found: boolean
}

/** Reads a name in quotes, or up to a tab, behind which there may be a time. */
export function headerName(line: string): HeaderName {
  const { name, time } = nameAndTime(line.slice(4, 8 * MAX_PATH))
  const epoch = isEpoch(time)
  const path = name === '/dev/null' ? '' : pathOf(name)
  const doubtful = !epoch && time !== '' && (/^19(?:69|70)-/.test(time) || !TIME.test(time))
  return { path, none: path === '' || epoch, doubtful }
}

/** Reads what follows `diff --git `; undefined where the two names are not the same. */
export function gitName(text: string): GitName | undefined {
  if (text.length > 8 * MAX_PATH) return undefined
  if (text.startsWith('"')) {
    const first = unquoted(text)
    const second = unquoted(first?.rest.slice(1) ?? '')
    const path = pathOf(first?.name ?? '')
    const same = path !== undefined && path === pathOf(second?.name ?? '')
    return same && second?.rest === '' ? { path, found: true } : undefined
  }
  for (let at = text.indexOf(' '); at !== -1; at = text.indexOf(' ', at + 1)) {
    const path = pathOf(text.slice(0, at))
    if (path !== undefined && path === pathOf(text.slice(at + 1)))
      return { path, found: text.indexOf(' ') === text.lastIndexOf(' ') }
  }
  return undefined
}

function nameAndTime(text: string): { readonly name: string; readonly time: string } {
  if (text.startsWith('"')) {
    const { name, rest } = unquoted(text) ?? { name: '', rest: '' }
    return { name, time: rest.trim() }
  }
  const tab = text.indexOf('\t')
  if (tab !== -1) {
    const name = text.slice(0, tab)
    // A blank in front of the tab is no part of the name, for GNU patch.
    return { name: name.endsWith(' ') ? '' : name, time: text.slice(tab + 1).trim() }
  }
  const [name = '', ...time] = text.trimEnd().split(' ')
  const rest = time.join(' ').trim()
  // Without a tab a name ends at a blank: what follows is a time, or the rest of the name.
  return rest === '' || TIME.test(rest) ? { name, time: rest } : { name: '', time: '' }
}

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?: ([-+]\d\d)(\d\d))?$/

/** Whether a time is the one that diff(1) writes for a file that is not there. */
function isEpoch(time: string): boolean {
  const [, day = '', clock = '', fraction = '', hours, minutes = ''] = TIME.exec(time) ?? []
  const zone = hours === undefined ? 'Z' : `${hours}:${minutes}`
  return !/[1-9]/.test(fraction) && Date.parse(`${day}T${clock}${zone}`) === 0
}

/** What `-p1` leaves of a name, when all of its components are names of files. */
function pathOf(name: string): string | undefined {
  const parts = name.split(/\/+/)
  const usable =
    parts.length > 1 &&
    Buffer.byteLength(name) <= MAX_PATH &&
    !name.includes('\uFFFD') &&
    parts.every(isFileName)
  return usable ? parts.slice(1).join('/') : undefined
}

/** A text in the quotes of C, with escapes, that stands for bytes of UTF-8; and what follows it. */
function unquoted(text: string): { readonly name: string; readonly rest: string } | undefined {
  const [whole, inner] = /^"((?:[^"\\]|\\(?:[abfnrtv"\\]|[0-3][0-7]{2}))*)"/.exec(text) ?? []
  if (whole === undefined || inner === undefined) return undefined
  const bytes = Buffer.from(inner)
    .toString('latin1')
    .replace(/\\(?:(\d{3})|(.))/g, (_, octal: string | undefined, letter: string) => {
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8))
      // The letters stand for control characters, which no name may have.
      return letter === '"' || letter === '\\' ? letter : '\0'
    })
  return { name: Buffer.from(bytes, 'latin1').toString(), rest: text.slice(whole.length) }
}
