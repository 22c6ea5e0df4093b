import { sourceDigest } from '../../plan/action-document.ts'
import { wantsRelinking } from './copyleft.ts'
import type { Held } from './held.ts'
import { csv, PAPERS, type Paper } from './paper.ts'
import { recipeFiles } from './source-papers.ts'

const HEAD = [
  ...['recipe', 'version', 'held', 'license', 'source', 'sha256', 'source license'],
  ...['patches', 'recipe files'],
]

/**
 * The table of what an image holds: a row for each source of a recipe, and one for a recipe without
 * sources.
 */
export function manifest(held: readonly Held[]): string {
  return csv([HEAD, ...held.flatMap(rowsOf)])
}

function rowsOf({ recipe, isWhole, license }: Held): string[][] {
  const left = [recipe.id, recipe.version, isWhole ? 'whole' : 'linked files', license]
  const right = [
    recipe.patches.map(({ name, digest }) => `${name} ${digest}`).join('; '),
    recipeFiles(recipe)
      .map(({ path }) => path)
      .join('; '),
  ]
  if (recipe.sources.length === 0) return [[...left, '', '', '', ...right]]
  return recipe.sources.map((source) => [
    ...left,
    source.name,
    sourceDigest(source),
    source.license ?? '',
    ...right,
  ])
}

/**
 * Programs that hold code under the LGPL, which whoever gets them must be able to link again: those
 * that were built with a library of another recipe, and those with a source of such a license among
 * several. No file where there are none.
 */
export function relinkingList(held: readonly Held[]): Paper[] {
  const rows = held.flatMap(({ recipe, isWhole, linkedInto }) => [
    ...(wantsRelinking(recipe.linkedLicense)
      ? linkedInto.map((user) => [user, recipe.id, recipe.linkedLicense ?? ''])
      : []),
    ...(isWhole && recipe.sources.length > 1
      ? recipe.sources
          .filter(({ license }) => license !== recipe.license && wantsRelinking(license))
          .map(({ name, license = '' }) => [recipe.id, name, license])
      : []),
  ])
  if (rows.length === 0) return []
  return [{ path: PAPERS.relinking, bytes: csv([['program', 'library', 'license'], ...rows]) }]
}
