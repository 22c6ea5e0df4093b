import { licenseFault, licenseParts } from './format/license.ts'
import type { Loaded } from './load.ts'
import type { Recipe } from './model.ts'
import { listOf, wholeOf, type Draft } from './recipe/merge.ts'
import type { Faults } from './yaml/faults.ts'
import type { At } from './yaml/yaml-file.ts'

/** Notes `lint-license` for an expression, at the part of it that is wrong. */
export function lintLicense(expression: string, at: At, findings: Faults): void {
  const fault = licenseFault(expression)
  if (fault === undefined) return
  const { reason, hint, part, start } = fault
  const earlier = expression.slice(0, start).split(part).length - 1
  const position = at.positionOfPart(part, earlier)
  findings.add('lint-license', `License "${expression}" ${reason}`, position, hint)
}

/**
 * Findings about the licenses of merged recipes:
 * - `lint-license-files`: a source that is fetched, and no file of it with the text of a license
 * - `lint-license-part`: the recipe's license leaves out one of its sources or of its linked files
 * - `lint-image-license`: an image states a license
 */
export function lintLicenses({ metadata, drafts }: Loaded, findings: Faults): void {
  for (const recipe of metadata.recipes.values()) {
    const draft = drafts.get(recipe.id)
    if (draft === undefined) continue
    if (recipe.image) lintImage(draft, findings)
    else {
      lintParts(recipe, draft, findings)
      lintLicenseFiles(recipe, draft, findings)
    }
  }
}

function lintImage(draft: Draft, findings: Faults): void {
  const stated = wholeOf(draft, 'license') ?? wholeOf(draft, 'linked-license')
  if (stated === undefined) return
  const hint = 'Take it out: the license of an image follows from what it holds'
  const position = stated.at.positionOfKey()
  findings.add('lint-image-license', 'An image states a license', position, hint)
}

function lintLicenseFiles({ sources }: Recipe, draft: Draft, findings: Faults): void {
  const items = listOf(draft, 'sources')
  for (const [index, { kind, name, licenseFiles = [] }] of sources.entries()) {
    const at = items[index]?.at
    if (at === undefined || kind !== 'file' || licenseFiles.length > 0) continue
    findings.add(
      'lint-license-files',
      `Source "${name}" has no license file`,
      at.positionOfKey(),
      'Name the file with the text by "license-files", so that a change of it is noticed',
    )
  }
}

/** Whoever reads the license of a recipe is to see all that it is made from. */
function lintParts(
  { license, linkedLicense, sources }: Recipe,
  draft: Draft,
  findings: Faults,
): void {
  const stated = wholeOf(draft, 'license')
  if (license === undefined || stated === undefined || !isLicense(license)) return
  const parts = new Set(licenseParts(license))
  const wanted = [
    ...sources.map((source) => [source.license, `source "${source.name}"`] as const),
    [linkedLicense, 'its linked files'] as const,
  ]
  for (const [expression, whose] of wanted) {
    if (expression === undefined || !isLicense(expression)) continue
    for (const part of licenseParts(expression)) {
      if (parts.has(part)) continue
      findings.add(
        'lint-license-part',
        `License "${license}" leaves out "${part}" of ${whose}`,
        stated.at.position(),
        'Join the licenses of all that the recipe is made from by AND',
      )
    }
  }
}

function isLicense(expression: string): boolean {
  return licenseFault(expression) === undefined
}
