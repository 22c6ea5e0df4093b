import type { Position } from '../../base/error.ts'
import { WORD_LISTS } from '../format/schema.ts'
import type { RecipeStatement } from '../tree/statements.ts'
import type { Style } from '../tree/styles.ts'
import { At } from '../yaml/yaml-file.ts'
import type { Draft, StatedAt } from './merge.ts'
import { wordsOf } from './scripts.ts'

/** Where each field of a recipe got its value from, latest last. */
export function originsOf(
  statement: RecipeStatement,
  draft: Draft,
  style: Style,
): Record<string, readonly Position[]> {
  const origins = new Map<string, readonly StatedAt[]>([
    ['name', [statement.yaml.at(['name'])]],
    ...draft.origins,
  ])
  for (const field of ['env', 'steps'] as const) {
    const found = [...style.origins[field], ...(origins.get(field) ?? [])]
    if (found.length > 0) origins.set(field, found)
  }
  for (const list of WORD_LISTS) {
    const [first] = wordsOf(draft, style, list)
    if (first !== undefined && !origins.has(list)) origins.set(list, [first.at.parent()])
  }
  return Object.fromEntries([...origins].map(([field, all]) => [field, all.map(positionOf)]))
}

function positionOf(stated: StatedAt): Position {
  return stated instanceof At ? stated.positionOfKey() : stated
}
