import { createHash } from 'node:crypto'
import mustache from 'mustache'
import { visible } from '../../base/visible.ts'
import type { Facts } from './facts.ts'
import { Rules } from './rules.ts'
import { build } from './sections/build.ts'
import { confirmations } from './sections/confirmations.ts'
import { contents } from './sections/contents.ts'
import { dependencies } from './sections/graph.ts'
import { licenses } from './sections/licenses.ts'
import { overview } from './sections/overview.ts'
import { seeds, sources } from './sections/sources.ts'
import type { PageTexts } from './texts.ts'

/**
 * The page as one text of HTML that needs nothing else. The same facts give the same text. Names in
 * it may be anyone's: each is escaped, and the page's policy lets no other style or script act.
 */
export function renderPage(facts: Facts, { page, parts, style: own, script }: PageTexts): string {
  const rules = new Rules()
  const graph = dependencies(facts, rules)
  const view = {
    overview: overview(facts),
    contents: contents(facts, rules),
    build: build(facts, rules),
    dependencies: graph,
    sources: sources(facts, rules),
    seeds: seeds(facts, rules),
    licenses: licenses(facts, rules),
    confirmations: confirmations(facts, rules),
    layers: facts.names.layers,
    data: dataText(graph.entries),
  }
  const style = `\n${own}${rules.text}`
  const policy = policyOf(style, script)
  return mustache.render(page, { ...view, style, script, policy }, parts, { escape: escaped })
}

/** Only what is in the page acts or is shown; nothing is loaded or sent. */
function policyOf(style: string, script: string): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** A text of anyone as HTML shows it, without what would turn the order of letters. */
function escaped(text: unknown): string {
  return mustache.escape(visible(String(text), { lines: true }))
}

/** Data for the script, which no name in them can end, nor turn the order of letters. */
function dataText(entries: unknown): string {
  const shown = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? visible(value) : value
  return JSON.stringify(entries, shown).replace(/[<>&]/g, (character) => {
    return `\\u00${character.charCodeAt(0).toString(16)}`
  })
}
