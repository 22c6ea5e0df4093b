import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { removeTree } from '../base/remove-tree.ts'
import type { Loaded } from '../metadata/load.ts'
import { listOf } from '../metadata/recipe/merge.ts'
import type { Change, RecipeStatement } from '../metadata/tree/statements.ts'
import type { YamlFile } from '../metadata/yaml/yaml-file.ts'
import { putNewFolder } from './new-folder.ts'
import { putText } from './put-text.ts'
import { ownFolder } from './own-folder.ts'
import { ordersIn } from './with-word.ts'
import { withField, withTexts, type TextChange } from './yaml-text.ts'

/** A source as its file states it. One from a folder has no `sha256` and no `from`. */
export interface SourceText {
  readonly sha256?: string
  readonly from?: readonly string[]
  readonly name?: string | undefined
}

/** What was fetched, by the index of its source. */
type FoundSources = ReadonlyMap<number, { readonly sha256: Digest }>

/** Where version and sources are written. */
export interface WritePlace {
  readonly file: string
  readonly sources: readonly SourceText[]
  /**
   * The file's text with another version, and with digests by the index of their source. Fails with
   * `upgrade-elsewhere`.
   */
  readonly textWith: (version: string, found: FoundSources) => string
  /** Writes the file. Resolves to what undoes that. */
  readonly put: (text: string) => Promise<() => Promise<void>>
}

/** The file that states version and sources, and where in it; `isOwn`: it is the user's. */
export interface Stated {
  readonly yaml: YamlFile
  readonly path: readonly string[]
  readonly isOwn: boolean
}

/** Where the version of a recipe is stated last. */
export function whereStated({ layout, statements }: Loaded, statement: RecipeStatement): Stated {
  const tree = layout.trees.at(-1)
  const amendment = (statements.amendments.get(statement.id) ?? []).findLast(
    ({ operators }) => operators.set?.version !== undefined,
  )
  const { yaml, layer } = amendment ?? statement
  const isSet = amendment !== undefined || statement.extends !== undefined
  const path = isSet && statement.stated.version === undefined ? ['set'] : []
  const isStated = [statement.stated.version, statement.operators.set?.version].some(
    (version) => version !== undefined,
  )
  const isOwn = layer.tree === tree && (amendment !== undefined || isStated)
  return { yaml, path: amendment === undefined ? path : ['set'], isOwn }
}

function sourcesIn({ yaml, path }: Stated, recipe: RecipeId): SourceText[] {
  let value: unknown = yaml.value
  for (const field of [...path, 'sources'])
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[field]
  if (Array.isArray(value)) return value as SourceText[]
  throw new FixpointError(
    'upgrade-elsewhere',
    `Cannot upgrade ${recipe}: "${yaml.file}" states its version, and another file its sources`,
  )
}

/** The file that states both already. */
export function statedPlace(stated: Stated, recipe: RecipeId): WritePlace {
  const { yaml, path } = stated
  return {
    file: yaml.file,
    sources: sourcesIn(stated, recipe),
    textWith: (version, found) => {
      const changes: TextChange[] = [
        { path: [...path, 'version'], text: version },
        ...[...found].map(([index, { sha256 }]) => ({
          path: [...path, 'sources', index, 'sha256'],
          text: sha256,
        })),
      ]
      const text = withTexts(yaml.text, changes)
      if (text !== undefined) return text
      throw new FixpointError(
        'upgrade-elsewhere',
        `Cannot upgrade ${recipe}: "${yaml.file}" does not state its version as one word`,
        { position: yaml.position([...path, 'version']) },
      )
    },
    put: (text) => change(yaml, text),
  }
}

/** The file in which the user's changes of a recipe belong: it sets both. */
export async function amendedPlace(loaded: Loaded, recipe: RecipeId): Promise<WritePlace> {
  const { folder, change: own } = await ownFolder(loaded, recipe, undefined)
  if (own !== undefined) refuseOperators(own, recipe)
  const sources = allSources(loaded, recipe)
  const valuesOf = (
    version: string,
    found: FoundSources,
  ): Readonly<Record<'version' | 'sources', unknown>> => ({
    version,
    sources: sources.map((source, index) => {
      const other = found.get(index)
      return other === undefined ? source : { ...source, sha256: other.sha256 }
    }),
  })
  if (own === undefined) {
    const file = join(folder, 'amend.yaml')
    return {
      file,
      sources,
      textWith: (...values) => stringify({ amends: recipe, set: valuesOf(...values) }, LINES),
      put: async (text) => {
        await putNewFolder(folder, { 'amend.yaml': text })
        return () => removeTree(folder)
      },
    }
  }
  const { yaml } = own
  return {
    file: yaml.file,
    sources,
    textWith: (...values) => withSet(yaml, recipe, valuesOf(...values)),
    put: (text) => change(yaml, text),
  }
}

/** One file cannot both set a list and add to it or take from it. */
function refuseOperators({ yaml, operators }: Change, recipe: RecipeId): void {
  for (const operator of ['append', 'remove'] as const) {
    if (operators[operator]?.sources === undefined) continue
    throw new FixpointError(
      'upgrade-elsewhere',
      `Cannot upgrade ${recipe}: what has "${operator}: sources" cannot set them`,
      {
        position: yaml.positionOfKey([operator, 'sources']),
        hint: `State all sources of ${recipe} by "set", and then upgrade it`,
      },
    )
  }
}

/** Sources of a recipe whose version another file states, wherever they are stated. */
function allSources({ drafts }: Loaded, recipe: RecipeId): SourceText[] {
  const draft = drafts.get(recipe)
  const sources = draft === undefined ? [] : listOf(draft, 'sources')
  for (const { value, at } of sources) {
    if (!('tree' in value)) continue
    throw new FixpointError(
      'upgrade-elsewhere',
      `Cannot upgrade ${recipe}: its source "${value.name}" is a folder`,
      { position: at.position() },
    )
  }
  return sources.map(({ value }) => value)
}

/** The text of a file that sets more fields. */
function withSet(
  yaml: YamlFile,
  recipe: RecipeId,
  fields: Readonly<Record<string, unknown>>,
): string {
  const { top, set: inSet } = ordersIn(yaml.file)
  let text: string | undefined = yaml.text
  for (const [field, value] of Object.entries(fields))
    text &&= withField(text, {
      path: ['set', field],
      orders: [top, inSet],
      value: stringify(value, LINES).trimEnd(),
    })
  if (text !== undefined) return text
  throw new FixpointError(
    'upgrade-elsewhere',
    `Cannot upgrade ${recipe}: its "set" cannot be added to`,
    {
      position: yaml.positionOfKey(['set']),
      hint: 'Write "set" without braces, one field in a line, and without "version" and "sources"',
    },
  )
}

async function change(
  { file, text: before }: YamlFile,
  text: string,
): Promise<() => Promise<void>> {
  await putText(file, text)
  return () => putText(file, before)
}

/** How YAML is written: lines as wide as those of the layers. */
const LINES = { lineWidth: 96 } as const
