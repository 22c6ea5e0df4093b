import type { RecipeId } from '../base/recipe-id.ts'
import { SCRIPT_LISTS } from './format/schema.ts'
import type { Metadata } from './model.ts'
import { mergeAll } from './recipe/drafts.ts'
import { Expander } from './recipe/expander.ts'
import type { Draft } from './recipe/merge.ts'
import type { Recipe } from './recipe/recipe.ts'
import { resolveRecipe, type ResolveContext } from './recipe/resolve.ts'
import type { TreeCache } from './recipe/sources.ts'
import { readLayout, type Layout } from './tree/layers.ts'
import { readStatements, type Statements } from './tree/statements.ts'
import { readStyles, type Styles } from './tree/styles.ts'
import { Faults } from './yaml/faults.ts'

/** Metadata together with the files they come from, for the linter. */
export interface Loaded {
  readonly metadata: Metadata
  readonly layout: Layout
  readonly styles: Styles
  readonly statements: Statements
  readonly drafts: ReadonlyMap<RecipeId, Draft>
  /** What the recipes' sources took from the checkout. */
  readonly trees: TreeCache
}

/**
 * Loads all recipes of `layersFile`, the path of a layers.yaml, and of those it includes. Recipes
 * come in the order of layers, then of names. Throws FixpointErrors with every fault of the tree,
 * by file and line; each has a stable code and a position.
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

/** Reads only the list of layers: their recipes may be unfinished. Throws their faults. */
export function loadLayout(layersFile: string): Layout {
  const faults = new Faults()
  const layout = wholeLayout(layersFile, faults)
  faults.throwIfAny()
  return layout
}

function wholeLayout(layersFile: string, faults: Faults): Layout {
  const layout = readLayout(layersFile, faults)
  if (layout !== undefined) return layout
  faults.throwIfAny()
  throw new TypeError(`"${layersFile}" gave neither layers nor faults`)
}

function load(layersFile: string): Loaded {
  const faults = new Faults()
  const layout = wholeLayout(layersFile, faults)
  const { machine } = layout
  const styles = readStyles(layout.trees, faults)
  checkStyleTemplates(styles, machine, faults)
  const statements = readStatements(layout.layers, faults)
  const drafts = mergeAll(statements, faults)
  const trees: TreeCache = new Map()
  const recipes = resolveAll(drafts, { statements, styles, machine, trees, faults })
  faults.throwIfAny()
  const metadata = {
    layers: layout.layers.map(({ name }) => name),
    arch: machine?.['arch'] ?? '',
    recipes,
  }
  return { metadata, layout, styles, statements, drafts, trees }
}

function resolveAll(
  drafts: ReadonlyMap<RecipeId, Draft>,
  context: ResolveContext,
): Map<RecipeId, Recipe> {
  const recipes = new Map<RecipeId, Recipe>()
  for (const [id, statement] of context.statements.recipes) {
    const draft = drafts.get(id)
    if (statement === undefined || draft === undefined) continue
    const recipe = resolveRecipe(statement, draft, context)
    if (recipe !== undefined) recipes.set(id, recipe)
  }
  return recipes
}

/** Also finds the faults of styles that no recipe uses. */
function checkStyleTemplates(styles: Styles, machine: Layout['machine'], faults: Faults): void {
  const names = ['name', 'version', 'layer'].map((name) => [name, ''] as const)
  const expander = new Expander(names, machine, faults)
  const inScripts = expander.with(SCRIPT_LISTS.map((list) => [list, '']))
  for (const style of styles.values()) {
    if (style === undefined) continue
    for (const item of [...style.words.values()].flat()) expander.expandItem(item)
    for (const item of [...style.env.values(), ...style.steps.values()]) inScripts.expandItem(item)
  }
}
