import { readFileSync } from 'node:fs'
import { canonicalJson } from '../base/canonical.ts'
import { digestOf } from '../base/digest.ts'
import type { FileSource } from '../metadata/model.ts'
import type { Store } from '../store/store.ts'
import { scanSource, type Tally } from './scan-source.ts'

/** What the store noted of a source that was looked through before, by the same rules. */
export function notedTallies(store: Store, source: FileSource): readonly Tally[] | undefined {
  const noted = store.sources.finding(source.sha256, formOf(source))
  return noted === undefined ? undefined : (JSON.parse(noted) as Tally[])
}

/** Looks through a source whose file is at `path`, and notes what was found. */
export async function scanAndNote(
  store: Store,
  source: FileSource,
  path: string,
): Promise<readonly Tally[]> {
  const tallies = await scanSource(path, source.name, isOfNpm(source))
  await store.sources.noteFinding(source.sha256, formOf(source), canonicalJson(tallies))
  return tallies
}

function isOfNpm({ from }: FileSource): boolean {
  return from.some((place) => place.startsWith('npm:'))
}

let rules: string | undefined

/**
 * Names all that the result depends on besides the bytes: the source's name, where it is from, and
 * the rules, which are code. Whoever changes that code need not think of a version.
 */
function formOf(source: FileSource): string {
  rules ??= digestOf(
    RULES.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8')).join('\n'),
  )
  return `seeds ${digestOf(canonicalJson([rules, source.name, isOfNpm(source)]))}`
}

const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'))

/** The modules that tell what is found in a source. */
const RULES = [
  './seeds',
  './scan-source',
  '../fetch/source-tar',
  '../base/ar',
  '../base/unpacked',
].map((name) => `${name}${EXTENSION}`)
