import { FixpointError, type Position } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { byCodeUnit } from '../base/order.ts'
import { nearest } from '../metadata/yaml/suggest.ts'
import type { Metadata } from '../metadata/model.ts'

/**
 * Recipes that a command's words mean: `layer/name`, or a name that only one layer has. Fails with
 * `unknown-target` or `ambiguous-target`.
 */
export function resolveTargets(metadata: Metadata, words: readonly string[]): RecipeId[] {
  return words.map((word) => resolveTarget(metadata, word))
}

/** The recipe that one word means; `position` is where a file has the word. */
export function resolveTarget(metadata: Metadata, word: string, position?: Position): RecipeId {
  if (metadata.recipes.has(word as RecipeId)) return word as RecipeId
  const ids = [...metadata.recipes.keys()].sort(byCodeUnit)
  const named = ids.filter((id) => id.split('/')[1] === word)
  if (named.length === 1 && named[0] !== undefined) return named[0]
  if (named.length > 1) {
    throw new FixpointError(
      'ambiguous-target',
      `Cannot tell which recipe "${word}" is: ${named.join(', ')}`,
      { position },
    )
  }
  const near = nearest(word, [...ids, ...ids.map((id) => id.split('/')[1] ?? '')])
  const facts = near === undefined ? {} : { near }
  throw new FixpointError('unknown-target', `Cannot find recipe "${word}"`, { facts, position })
}

/** Fails with `unknown-target` for a word that is no layer. */
export function checkLayers({ layers }: Metadata, words: readonly string[]): void {
  for (const word of words) {
    if (layers.includes(word)) continue
    const near = nearest(word, [...layers])
    const facts = near === undefined ? {} : { near }
    throw new FixpointError('unknown-target', `Cannot find layer "${word}"`, { facts })
  }
}
