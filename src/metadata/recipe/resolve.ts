import type { Layout } from '../tree/layers.ts'
import type { RecipeStatement, Statements } from '../tree/statements.ts'
import type { Style, Styles } from '../tree/styles.ts'
import type { Faults } from '../yaml/faults.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { Item } from '../yaml/yaml-file.ts'
import { Expander } from './expander.ts'
import { fragmentsOf, fragmentWords } from './fragments.ts'
import { addLicenseFiles } from './license-files.ts'
import { listOf, wholeOf, type Draft } from './merge.ts'
import { originsOf } from './origins.ts'
import type { Recipe, Source } from './recipe.ts'
import { checkContents, referencesOf, type ReferenceField } from './references.ts'
import { expandWords, scriptsOf } from './scripts.ts'
import { resolveSources, type TreeCache } from './sources.ts'

/** What recipes are resolved against. */
export interface ResolveContext {
  readonly statements: Statements
  readonly styles: Styles
  readonly machine: Layout['machine']
  readonly trees: TreeCache
  readonly faults: Faults
}

const DEFAULT_MEMORY = '512M'
const DEFAULT_COST = 10
const DEFAULT_TIMEOUT = 7200

/**
 * A merged recipe with its style, templates expanded and names checked. Undefined when a field is
 * missing that it needs. Faults: `missing-field`, `unknown-style`, those of references, sources and
 * scripts.
 */
export function resolveRecipe(
  statement: RecipeStatement,
  draft: Draft,
  context: ResolveContext,
): Recipe | undefined {
  const { faults } = context
  const { id, name, layer } = statement
  const head = headOf(statement, draft, faults)
  const style = styleOf(head.style, context)
  // What an image states does not count; the linter says so.
  const license =
    style?.image === true ? undefined : requiredField(statement, draft, 'license', faults)?.value
  const { version, summary } = head
  if (version === undefined || summary === undefined) return undefined
  const names = Object.entries({ name, version: version.value, layer: layer.name })
  const expander = new Expander(names, context.machine, faults)
  const sources = sourcesOf(draft, license, { ...context, expander })
  const config = fragmentsOf(draft, expander, faults)
  const words = expandWords(draft, style, expander)
  const references = (field: ReferenceField) => referencesOf(field, statement, draft, context)
  const [inputs, needs, contents] = [
    references('inputs'),
    references('needs'),
    references('contents'),
  ]
  if (style === undefined) return undefined
  const scripts = scriptsOf(
    draft,
    style,
    expander.with([...words, ['config', fragmentWords(config)]]),
    faults,
  )
  checkContents(draft, style, faults)
  let origins: Recipe['origins'] | undefined
  return {
    id,
    layer: layer.name,
    name,
    version: version.value,
    cpe: wholeOf(draft, 'cpe')?.value,
    summary: summary.value,
    style: style.name,
    license,
    linkedLicense: wholeOf(draft, 'linked-license')?.value,
    host: layer.host,
    image: style.image,
    sources,
    patches: listOf(draft, 'patches').map(({ value }) => value),
    files: listOf(draft, 'files').map(({ value }) => value),
    inputs,
    needs,
    contents,
    config,
    ...scripts,
    ...limitsOf(draft),
    closure: wholeOf(draft, 'closure')?.value ?? false,
    // Finding lines costs a second parse of the file, so it waits until someone asks.
    get origins() {
      return (origins ??= originsOf(statement, draft, style))
    },
  }
}

type HeadField = 'version' | 'summary' | 'style'

/** The fields that every recipe needs; undefined after noting `missing-field`. */
function headOf(
  statement: RecipeStatement,
  draft: Draft,
  faults: Faults,
): Record<HeadField, Item<string> | undefined> {
  const required = (field: HeadField) => requiredField(statement, draft, field, faults)
  return { version: required('version'), summary: required('summary'), style: required('style') }
}

function requiredField(
  { yaml }: RecipeStatement,
  draft: Draft,
  field: HeadField | 'license',
  faults: Faults,
): Item<string> | undefined {
  const item = wholeOf(draft, field)
  const message = `Cannot read a recipe: field "${field}" is missing`
  if (item === undefined) faults.add('missing-field', message, yaml.position([]))
  return item
}

function sourcesOf(
  draft: Draft,
  license: string | undefined,
  context: ResolveContext & { readonly expander: Expander },
): Source[] {
  const before = context.faults.count
  const sources = resolveSources(listOf(draft, 'sources'), { ...context, license })
  // A source with a fault of its own has no name that a license file could state.
  if (context.faults.count > before) return sources
  return addLicenseFiles(sources, wholeOf(draft, 'license-files'), context)
}

function styleOf(
  item: Item<string> | undefined,
  { styles, faults }: ResolveContext,
): Style | undefined {
  if (item === undefined) return undefined
  const { value, at } = item
  if (!styles.has(value)) {
    const message = `Cannot use style "${value}": there is no such style`
    faults.add('unknown-style', message, at.position(), suggestion(value, styles.keys()))
  }
  return styles.get(value)
}

function limitsOf(draft: Draft): Pick<Recipe, 'memory' | 'cost' | 'timeout'> {
  return {
    memory: bytesOf(wholeOf(draft, 'memory')?.value ?? DEFAULT_MEMORY),
    cost: wholeOf(draft, 'cost')?.value ?? DEFAULT_COST,
    timeout: wholeOf(draft, 'timeout')?.value ?? DEFAULT_TIMEOUT,
  }
}

/** Bytes of a size such as `800M`; K, M and G are powers of 1024. */
function bytesOf(size: string): number {
  const powers: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3 }
  return Number(size.slice(0, -1)) * 1024 ** (powers[size.slice(-1)] ?? 0)
}
