import type { Place } from '../../base/error.ts'
import type { RecipeId } from '../../base/events.ts'
import type { At } from '../yaml/yaml-file.ts'
import type { Faults } from '../yaml/faults.ts'
import type { Layout } from '../tree/layers.ts'
import { entriesOf, listOf, wholeOf, type Draft, type Item, type Origin } from './merge.ts'
import type { LocalFile, Recipe, Step } from '../model.ts'
import { WORD_LISTS } from '../format/schema.ts'
import { resolveSources, type TreeCache } from './sources.ts'
import type { RecipeStatement, Statements } from '../tree/statements.ts'
import { isReservedStep, type Style, type Styles } from '../tree/styles.ts'
import { suggestion } from '../yaml/suggest.ts'
import { expand, shellWords, type TemplateValues } from './template.ts'

type WordList = (typeof WORD_LISTS)[number]

/** What recipes are resolved against. */
export interface World {
  readonly statements: Statements
  readonly styles: Styles
  readonly machine: Layout['machine']
  readonly trees: TreeCache
  /** The checkout that a document belongs to. */
  readonly rootOf: (at: At) => string
  readonly faults: Faults
}

/**
 * Bytes of one variable with its name, and of all: execve(2) takes 128 KiB and, with the arguments,
 * 2 MiB.
 */
const MAX_VARIABLE = 120 << 10
const MAX_ENVIRONMENT = 1 << 20

const DEFAULT_MEMORY = '512M'
const DEFAULT_COST = 10
const DEFAULT_TIMEOUT = 7200

/**
 * A merged recipe with its style, templates expanded and names checked. Undefined when something it
 * cannot do without is missing. Faults: `missing-field`, `unknown-style`, `unknown-step`,
 * `unused-list`, `unknown-recipe`, `layer-order`, `self-reference`, `duplicate-element`,
 * `contents-without-image`, `variable-too-large`, those of templates and sources.
 */
export function resolveRecipe(
  statement: RecipeStatement,
  draft: Draft,
  world: World,
): Recipe | undefined {
  const { id, name, layer } = statement
  const [version, summary, license] = [
    required(statement, draft, 'version', world),
    required(statement, draft, 'summary', world),
    required(statement, draft, 'license', world),
  ]
  const style = styleOf(required(statement, draft, 'style', world), world)
  if (version === undefined || summary === undefined || license === undefined) return undefined
  const values = valuesOf(name, version.value, layer.name, world.machine)
  const expandAt = (template: string, at: At, known: TemplateValues = values, used?: Set<string>) =>
    expandHere(template, at, known, world.faults, used)
  const sources = resolveSources(
    listOf(draft, 'sources'),
    (template, at) => expandAt(template, at),
    world.rootOf,
    world.trees,
    world.faults,
  )
  const words = WORD_LISTS.map(
    (list) =>
      [list, wordsOf(draft, style, list).map(({ value, at }) => expandAt(value, at))] as const,
  )
  const references = {
    inputs: referencesOf('inputs', statement, draft, world),
    needs: referencesOf('needs', statement, draft, world),
    contents: referencesOf('contents', statement, draft, world),
  }
  if (style === undefined) return undefined
  const scriptValues = valuesOf(name, version.value, layer.name, world.machine)
  for (const [list, elements] of words) scriptValues.set(list, shellWords(elements))
  const used = new Set<string>()
  const expandItem = ({ value, at }: Item<string>) => expandAt(value, at, scriptValues, used)
  const variables = envOf(style, draft)
  const env = Object.fromEntries(
    [...variables].map(([variable, item]) => [variable, expandItem(item)]),
  )
  checkSizes(env, variables, world.faults)
  const steps = stepsOf(style, draft, world.faults).map(([step, item]): Step => ({
    name: step,
    script: expandItem(item),
  }))
  checkUsed(draft, style, used, world.faults)
  checkContents(draft, style, world.faults)
  let origins: Recipe['origins'] | undefined
  return {
    id,
    layer: layer.name,
    name,
    version: version.value,
    summary: summary.value,
    license: license.value,
    host: layer.host,
    image: style.image,
    sources,
    patches: valuesOfList(listOf(draft, 'patches')),
    files: valuesOfList(listOf(draft, 'files')),
    ...references,
    env,
    steps,
    closure: wholeOf(draft, 'closure')?.value ?? false,
    memory: bytesOf(wholeOf(draft, 'memory')?.value ?? DEFAULT_MEMORY),
    cost: wholeOf(draft, 'cost')?.value ?? DEFAULT_COST,
    timeout: wholeOf(draft, 'timeout')?.value ?? DEFAULT_TIMEOUT,
    // Finding lines costs a second parse of the file, so it waits until someone asks.
    get origins() {
      return (origins ??= placesOf(statement, draft, style))
    },
  }
}

/** Bytes of a size such as `800M`; K, M and G are powers of 1024. */
export function bytesOf(size: string): number {
  const powers: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3 }
  return Number(size.slice(0, -1)) * 1024 ** (powers[size.slice(-1)] ?? 0)
}

/**
 * Names that templates know everywhere. Without a machine, all names of its values are taken for
 * known.
 */
export function valuesOf(
  name: string,
  version: string,
  layer: string,
  machine: Layout['machine'],
): Map<string, string> {
  const values = machine === undefined ? new AnyMachine() : new Map<string, string>()
  values.set('name', name).set('version', version).set('layer', layer)
  for (const [key, value] of Object.entries(machine ?? {})) values.set(`machine.${key}`, value)
  return values
}

class AnyMachine extends Map<string, string> {
  override get(name: string): string | undefined {
    return super.get(name) ?? (name.startsWith('machine.') ? '' : undefined)
  }
}

/** Expands a template, noting its faults at their place. */
export function expandHere(
  template: string,
  at: At,
  values: TemplateValues,
  faults: Faults,
  used?: Set<string>,
): string {
  return expand(
    template,
    values,
    ({ code, message, hint, part, nth }) => {
      faults.add(code, message, at.document.placeOfPart(at.path, part, nth), hint)
    },
    used,
  )
}

function required(
  statement: RecipeStatement,
  draft: Draft,
  field: 'version' | 'summary' | 'license' | 'style',
  { faults }: World,
): Item<string> | undefined {
  const item = wholeOf(draft, field)
  if (item === undefined)
    faults.add(
      'missing-field',
      `Cannot read a recipe: field "${field}" is missing`,
      statement.document.place([]),
    )
  return item
}

function styleOf(item: Item<string> | undefined, { styles, faults }: World): Style | undefined {
  if (item === undefined) return undefined
  if (!styles.has(item.value)) {
    faults.add(
      'unknown-style',
      `Cannot use style "${item.value}": there is no such style`,
      item.at.document.place(item.at.path),
      suggestion(item.value, styles.keys()),
    )
  }
  return styles.get(item.value)
}

function referencesOf(
  field: 'inputs' | 'needs' | 'contents',
  { id, layer }: RecipeStatement,
  draft: Draft,
  { statements, faults }: World,
): RecipeId[] {
  const seen = new Set<string>()
  for (const { value, at } of listOf(draft, field)) {
    const place = () => at.document.place(at.path)
    const other = statements.layers.get(value as RecipeId)
    if (other === undefined)
      faults.add(
        'unknown-recipe',
        `Cannot use recipe "${value}": there is no such recipe`,
        place(),
        suggestion(value, statements.layers.keys()),
      )
    else if (other.rank > layer.rank) {
      faults.add(
        'layer-order',
        `Cannot use recipe "${value}" in "${id}": layer "${other.name}" comes after "${layer.name}"`,
        place(),
        'A recipe names recipes of its own or earlier layers',
      )
    } else if (value === id)
      faults.add(
        'self-reference',
        `Cannot use recipe "${value}" in itself`,
        place(),
        'A tool that builds itself needs an earlier one from another layer',
      )
    if (seen.has(value))
      faults.add(
        'duplicate-element',
        `Cannot use recipe "${value}" twice in "${field}"`,
        place(),
        'Keep one of them',
      )
    seen.add(value)
  }
  return [...seen] as RecipeId[]
}

function envOf(style: Style, draft: Draft): ReadonlyMap<string, Item<string>> {
  return new Map([...style.env, ...entriesOf(draft, 'env')])
}

function stepsOf(style: Style, draft: Draft, faults: Faults): [string, Item<string>][] {
  const steps = new Map(style.steps)
  for (const [step, item] of entriesOf(draft, 'steps')) {
    if (isReservedStep(step, item.at, faults)) continue
    if (steps.has(step)) steps.set(step, item)
    else {
      const hint = suggestion(step, steps.keys()) ?? `Its steps: ${[...steps.keys()].join(', ')}`
      faults.add(
        'unknown-step',
        `Cannot replace step "${step}": style "${style.name}" has no such step`,
        item.at.document.placeOfKey(item.at.path),
        hint,
      )
    }
  }
  return [...steps]
}

/** A list of a recipe, or where that is empty what its style has instead. */
function wordsOf(draft: Draft, style: Style | undefined, list: WordList): readonly Item<string>[] {
  const own = listOf(draft, list)
  return own.length > 0 ? own : (style?.words.get(list) ?? [])
}

function checkSizes(
  env: Readonly<Record<string, string>>,
  variables: ReadonlyMap<string, Item<string>>,
  faults: Faults,
): void {
  const sizes = Object.entries(env).map(([name, value]) => ({
    name,
    bytes: Buffer.byteLength(`${name}=${value}`) + 1,
  }))
  const report = (name: string, message: string) => {
    const at = variables.get(name)?.at
    const hint = 'Put the text into a file below files/, which steps find in $FILES'
    if (at !== undefined)
      faults.add('variable-too-large', message, at.document.placeOfKey(at.path), hint)
  }
  for (const { name, bytes } of sizes) {
    if (bytes > MAX_VARIABLE)
      report(
        name,
        `Cannot set variable "${name}": it has ${bytes} bytes, ${MAX_VARIABLE} are allowed`,
      )
  }
  const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  const largest = sizes.toSorted((a, b) => b.bytes - a.bytes)[0]
  if (all <= MAX_ENVIRONMENT || largest === undefined || largest.bytes > MAX_VARIABLE) return
  report(
    largest.name,
    `Cannot set the variables: together they have ${all} bytes, ${MAX_ENVIRONMENT} are allowed`,
  )
}

function checkUsed(draft: Draft, style: Style, used: ReadonlySet<string>, faults: Faults): void {
  for (const list of WORD_LISTS) {
    const [first] = listOf(draft, list)
    if (first === undefined || used.has(list)) continue
    const message = `Cannot use "${list}": no step and no variable of style "${style.name}" or of the recipe holds {{${list}}}`
    faults.add(
      'unused-list',
      message,
      first.at.document.placeOfKey(first.at.path.slice(0, -1)),
      `Take "${list}" out, or use it in a step`,
    )
  }
}

function checkContents(draft: Draft, style: Style, faults: Faults): void {
  if (style.image) return
  const [first] = listOf(draft, 'contents')
  const closure = wholeOf(draft, 'closure')
  const stated = [
    ['contents', first?.at.document, first?.at.path.slice(0, -1)],
    ['closure', closure?.at.document, closure?.at.path],
  ] as const
  for (const [field, document, path] of stated) {
    if (document === undefined || path === undefined) continue
    faults.add(
      'contents-without-image',
      `Cannot use "${field}": style "${style.name}" makes no image`,
      document.placeOfKey(path),
      'Use a style with "image: true", or "inputs"',
    )
  }
}

function valuesOfList(items: readonly Item<LocalFile>[]): LocalFile[] {
  return items.map(({ value }) => value)
}

function placesOf(
  statement: RecipeStatement,
  draft: Draft,
  style: Style,
): Record<string, readonly Place[]> {
  const origins = new Map<string, readonly Origin[]>([
    ['name', [{ document: statement.document, path: ['name'] }]],
    ...draft.origins,
  ])
  for (const field of ['env', 'steps'] as const) {
    const found = [...style.origins[field], ...(origins.get(field) ?? [])]
    if (found.length > 0) origins.set(field, found)
  }
  for (const list of WORD_LISTS) {
    const [first] = wordsOf(draft, style, list)
    if (first !== undefined && !origins.has(list))
      origins.set(list, [{ document: first.at.document, path: first.at.path.slice(0, -1) }])
  }
  return Object.fromEntries([...origins].map(([field, places]) => [field, places.map(placeOf)]))
}

function placeOf(origin: Origin): Place {
  return 'document' in origin ? origin.document.placeOfKey(origin.path) : origin
}
