import type { RecipeId } from '../base/events.ts'
import { mergeAll } from './recipe/drafts.ts'
import type { SourceDocument } from './yaml/yaml-file.ts'
import { Faults } from './yaml/faults.ts'
import { readLayout, type Layout } from './tree/layers.ts'
import type { Draft } from './recipe/merge.ts'
import type { Metadata, Recipe } from './model.ts'
import { expandHere, resolveRecipe, valuesOf, type World } from './recipe/resolve.ts'
import { WORD_LISTS } from './format/schema.ts'
import { readStatements, type Statements } from './tree/statements.ts'
import { readStyles, type Styles } from './tree/styles.ts'

/** Metadata together with the files they come from, for the linter. */
export interface Loaded {
  readonly metadata: Metadata
  readonly layout: Layout
  readonly styles: Styles
  readonly statements: Statements
  readonly drafts: ReadonlyMap<RecipeId, Draft>
}

/**
 * Loads all recipes of `layersFile`, the path of a layers.yaml, and of those it includes. Recipes
 * come in the order of layers, then of names. Throws FixpointErrors with every fault of the tree,
 * by file and line; each has a stable code and a place.
 */
export async function loadMetadata(layersFile: string): Promise<Metadata> {
  return (await loadAll(layersFile)).metadata
}

/** Like {@link loadMetadata}, with what the metadata were made of. */
export function loadAll(layersFile: string): Promise<Loaded> {
  return new Promise((resolve) => {
    resolve(load(layersFile))
  })
}

function load(layersFile: string): Loaded {
  const faults = new Faults()
  const layout = readLayout(layersFile, faults)
  if (layout === undefined) {
    faults.throwIfAny()
    throw new TypeError(`"${layersFile}" gave neither layers nor faults`)
  }
  const styles = readStyles(layout.trees, faults)
  checkStyleTemplates(styles, layout.machine, faults)
  const statements = readStatements(layout.layers, faults)
  const drafts = mergeAll(statements, faults)
  const recipes = resolveAll(layout, styles, statements, drafts, faults)
  faults.throwIfAny()
  const metadata = {
    layers: layout.layers.map(({ name }) => name),
    arch: layout.machine?.['arch'] ?? '',
    recipes,
  }
  return { metadata, layout, styles, statements, drafts }
}

function resolveAll(
  layout: Layout,
  styles: Styles,
  statements: Statements,
  drafts: ReadonlyMap<RecipeId, Draft>,
  faults: Faults,
): Map<RecipeId, Recipe> {
  const roots = rootsOf(statements)
  const rootOf: World['rootOf'] = ({ document }) => roots.get(document) ?? ''
  const world: World = {
    statements,
    styles,
    machine: layout.machine,
    trees: new Map(),
    rootOf,
    faults,
  }
  const recipes = new Map<RecipeId, Recipe>()
  for (const [id, statement] of statements.recipes) {
    const draft = drafts.get(id)
    const recipe =
      statement === undefined || draft === undefined
        ? undefined
        : resolveRecipe(statement, draft, world)
    if (recipe !== undefined) recipes.set(id, recipe)
  }
  return recipes
}

/** Checkout of each document that may state sources. */
function rootsOf(statements: Statements): ReadonlyMap<SourceDocument, string> {
  const roots = new Map<SourceDocument, string>()
  for (const statement of statements.recipes.values())
    if (statement !== undefined) roots.set(statement.document, statement.layer.tree.root)
  for (const { document, layer } of [...statements.amendments.values()].flat())
    roots.set(document, layer.tree.root)
  return roots
}

/** Also finds the faults of styles that no recipe uses. */
function checkStyleTemplates(styles: Styles, machine: Layout['machine'], faults: Faults): void {
  const values = valuesOf('', '', '', machine)
  const inScripts = valuesOf('', '', '', machine)
  for (const list of WORD_LISTS) inScripts.set(list, '')
  for (const style of styles.values()) {
    if (style === undefined) continue
    for (const { value, at } of [...style.words.values()].flat())
      expandHere(value, at, values, faults)
    for (const { value, at } of [...style.env.values(), ...style.steps.values()])
      expandHere(value, at, inScripts, faults)
  }
}
