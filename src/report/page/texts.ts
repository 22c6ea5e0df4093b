import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What every page is made of. */
export interface PageTexts {
  /** Template of the page. */
  readonly page: string
  /** Templates of its parts, by name. */
  readonly parts: Readonly<Record<string, string>>
  readonly style: string
  readonly script: string
}

const PARTS = [
  'build',
  'confirmations',
  'contents',
  'graph',
  'legend',
  'licenses',
  'name',
  'overview',
  'sources',
  'treemap',
] as const

/** In the order in which they count. */
const STYLES = [
  'colors.css',
  'page.css',
  'tables.css',
  'sections/overview.css',
  'sections/treemap.css',
  'sections/build.css',
  'sections/graph.css',
  'sections/licenses.css',
  'sections/confirmations.css',
] as const

/** Reads the texts from the checkout that the engine runs from. */
export async function readPageTexts(checkout: string): Promise<PageTexts> {
  const read = (...path: readonly string[]): Promise<string> =>
    readFile(join(checkout, 'src', 'report', 'page', ...path), 'utf8')
  const parts = PARTS.map(async (name): Promise<[string, string]> => {
    const text = await read('sections', `${name}.mustache`)
    return [name, text.trimEnd()]
  })
  return {
    page: await read('page.mustache'),
    parts: Object.fromEntries(await Promise.all(parts)),
    style: (await Promise.all(STYLES.map((name) => read(name)))).join('\n'),
    script: await read('page.js'),
  }
}
