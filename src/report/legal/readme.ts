import { counted } from '../../base/format.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { Held } from './held.ts'
import { PAPERS } from './paper.ts'

/** What the README of papers says of them. */
export interface PaperFacts {
  readonly image: RecipeId
  readonly license: string
  readonly held: readonly Held[]
  readonly copyleft: readonly Held[]
  /** Whether the image holds the sources itself. */
  readonly hasMirror: boolean
  /** Whether the source files of copyleft parts are among the papers. */
  readonly hasFiles: boolean
}

/** README.txt: what the files are, and what goes with the image. Plain text. */
export function readme(facts: PaperFacts): string {
  const { image, license, held, copyleft } = facts
  const names = copyleft.map(({ recipe }) => `  ${recipe.id} ${recipe.version}\n`).join('')
  return `Licenses of the image ${image}

SPDX expression of all that it holds:

  ${license}

${PAPERS.manifest}
  What the image holds: ${counted(held.length, 'recipe')} with sources, patches and licenses.
  "whole" stands for all files of a recipe. "linked files" stands for parts of it that became
  part of others when those were built, such as static libraries.
${PAPERS.licenses}/RECIPE/SOURCE/
  The texts of the licenses, as they are in the sources.
${PAPERS.source}/RECIPE/
  For each copyleft part what belongs to its source code: the list of its source files (SOURCES),
  its patches and files, its recipe, and action.json. That file says exactly what was run on what.
${PAPERS.relinking}
  Programs that hold libraries under the LGPL. There is no such file where there are none.

Copyleft parts (${copyleft.length}):

${names}
${travelNote(facts)}`
}

/** Where the source code is that whoever passes the image on has to pass on, too. */
export function travelNote({
  copyleft,
  hasMirror,
  hasFiles,
}: Pick<PaperFacts, 'copyleft' | 'hasMirror' | 'hasFiles'>): string {
  if (copyleft.length === 0) return 'No part asks for its source code to go with the image.\n'
  if (hasMirror)
    return 'The image holds the source files of all its parts, in its partition "mirror".\n'
  const files = hasFiles
    ? `They are here, in ${PAPERS.files}: pass this folder on with the image.\n`
    : 'They are not among these files: --sources copies them.\n'
  return `The image holds no source files: those of the copyleft parts must go with it.\n${files}`
}
