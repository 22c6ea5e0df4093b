import { asDigest } from '../../base/digest.ts'
import type { LicenseFileText } from '../format/license-schema.ts'
import { isInnerPath } from '../format/source-places.ts'
import type { Faults } from '../yaml/faults.ts'
import type { At, Item } from '../yaml/yaml-file.ts'
import type { Expander } from './expander.ts'
import type { LicenseFile, LineRange, Source } from './recipe.ts'

/** What license files are resolved with. */
interface LicenseContext {
  readonly expander: Expander
  readonly faults: Faults
}

/**
 * License files as stated at `at`, expanded; undefined for none. Faults: `bad-value`, those of
 * templates.
 */
export function resolveLicenseFiles(
  texts: readonly Omit<LicenseFileText, 'source'>[] | undefined,
  at: At,
  context: LicenseContext,
): LicenseFile[] | undefined {
  return texts?.map((text, index) => resolveLicenseFile(text, at.below(index), context))
}

/**
 * Sources with the license files that their recipe states of them. Faults: `unknown-source`,
 * `missing-field`, those of {@link resolveLicenseFiles}.
 */
export function addLicenseFiles<T extends Source>(
  sources: readonly T[],
  stated: Item<readonly LicenseFileText[]> | undefined,
  context: LicenseContext,
): T[] {
  const files = new Map<string, LicenseFile[]>()
  for (const [index, text] of (stated?.value ?? []).entries()) {
    const at = stated?.at.below(index)
    const name = at && sourceName(sources, text.source, at, context)
    if (at === undefined || name === undefined) continue
    const file = resolveLicenseFile(text, at, context)
    files.set(name, [...(files.get(name) ?? []), file])
  }
  return sources.map((source) => {
    const added = files.get(source.name)
    if (added === undefined) return source
    return { ...source, licenseFiles: [...(source.licenseFiles ?? []), ...added] }
  })
}

function resolveLicenseFile(
  { path: template, sha256, lines }: Omit<LicenseFileText, 'source'>,
  at: At,
  { expander, faults }: LicenseContext,
): LicenseFile {
  const path = expander.expand(template, at.below('path'))
  if (!isInnerPath(path)) {
    const message = `Cannot use license file ${JSON.stringify(path)}: it is no path in a source`
    faults.add('bad-value', message, at.below('path').position())
  }
  const range = lines === undefined ? undefined : rangeOf(lines, at.below('lines'), faults)
  return { path, sha256: asDigest(sha256), lines: range }
}

/** The schema saw to it that there are two numbers. */
function rangeOf(lines: string, at: At, faults: Faults): LineRange {
  const [first = 0, last = 0] = lines.split('-').map(Number)
  if (last < first)
    faults.add(
      'bad-value',
      `Cannot use lines "${lines}": the last one comes before the first`,
      at.position(),
    )
  return { first, last }
}

/** Name of the source that a license file is in; undefined after noting a fault. */
function sourceName(
  sources: readonly Source[],
  stated: string | undefined,
  at: At,
  { expander, faults }: LicenseContext,
): string | undefined {
  const names = sources.map(({ name }) => name)
  const list = names.length === 0 ? 'The recipe has no source' : `Its sources: ${names.join(' ')}`
  if (stated === undefined) {
    if (names.length === 1) return names[0]
    const message = 'Cannot use a license file: it does not say which source it is in'
    faults.add('missing-field', message, at.position(), list)
    return undefined
  }
  const name = expander.expand(stated, at.below('source'))
  if (names.includes(name)) return name
  const message = `Cannot use a license file of "${name}": the recipe has no such source`
  faults.add('unknown-source', message, at.below('source').position(), list)
  return undefined
}
