import { FixpointError } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { allLicenses, licenseFault } from '../../metadata/format/license.ts'
import type { Recipe } from '../../metadata/model.ts'
import { nodeOf, type Graph } from '../../plan/graph.ts'

/** A recipe of which an image holds something. */
export interface Held {
  readonly recipe: Recipe
  /** True: all its files. False: only what others have taken from it when they were built. */
  readonly isWhole: boolean
  /** SPDX expression of what is held. */
  readonly license: string
  /** What the image holds and was built with its linked files; the image itself may be one. */
  readonly linkedInto: readonly RecipeId[]
}

/**
 * The recipes that an image holds something of, by name: its contents, and those whose linked files
 * its contents or itself were built with. A recipe may be built with a library that it does not
 * link; it is listed all the same. The graph has the image.
 */
export function heldBy({ nodes }: Graph, image: RecipeId): Held[] {
  const contents = nodeOf(nodes, image).contents
  const users = new Map<RecipeId, RecipeId[]>(contents.map((id) => [id, []]))
  for (const user of [image, ...contents])
    for (const input of nodeOf(nodes, user).inputs)
      if (nodeOf(nodes, input).recipe.linkedLicense !== undefined)
        users.set(input, [...(users.get(input) ?? []), user])
  const whole = new Set(contents)
  return [...users]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([id, linkedInto]) => {
      const { recipe } = nodeOf(nodes, id)
      const isWhole = whole.has(id)
      const license = (isWhole ? recipe.license : recipe.linkedLicense) ?? ''
      return { recipe, isWhole, license, linkedInto: linkedInto.sort(byCodeUnit) }
    })
}

/**
 * SPDX expression of an image: of all that it holds. Fails with `lint-license` where something has
 * a license that SPDX does not know.
 */
export function imageLicense(graph: Graph, image: RecipeId): string {
  return joinedLicense(heldBy(graph, image))
}

/** Like {@link imageLicense}, of what is known to be held. */
export function joinedLicense(held: readonly Held[]): string {
  for (const { recipe, isWhole } of held) {
    if (isWhole) requireLicense(recipe.license ?? '', recipe, 'license')
    requireLicenses(recipe)
  }
  return allLicenses(held.map(({ license }) => license))
}

/** Makes sure that SPDX knows all licenses that a recipe states. Fails with `lint-license`. */
export function requireLicenses(recipe: Recipe): void {
  requireLicense(recipe.license, recipe, 'license')
  requireLicense(recipe.linkedLicense, recipe, 'linked-license')
  for (const { license } of recipe.sources) requireLicense(license, recipe, 'sources')
}

function requireLicense(license: string | undefined, { id, origins }: Recipe, field: string): void {
  const fault = license === undefined ? undefined : licenseFault(license)
  if (fault === undefined) return
  const { hint, reason } = fault
  const position = origins[field]?.at(-1)
  const message = `Cannot use license "${license ?? ''}" of ${id}: it ${reason}`
  throw new FixpointError('lint-license', message, { position, hint })
}
