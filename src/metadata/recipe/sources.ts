import { dirname, resolve } from 'node:path'
import { digestOfValue } from '../../base/canonical.ts'
import { asDigest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { SourceText } from '../format/source-schema.ts'
import {
  fileNameOf,
  isFileName,
  isInnerFolder,
  parsePlace,
  reservedName,
} from '../format/source-places.ts'
import { readTree, type LocalFile } from '../tree/files.ts'
import type { Faults } from '../yaml/faults.ts'
import type { At, Item } from '../yaml/yaml-file.ts'
import type { Expander } from './expander.ts'
import { resolveLicenseFiles } from './license-files.ts'
import type { Licensed, Source } from './recipe.ts'

/** Files of the checkout that were read already. */
export interface ReadTree {
  /** What was named, as absolute paths of files and folders. */
  readonly tops: readonly string[]
  readonly files: readonly LocalFile[]
}

/** What was read of the checkout, by root and names. */
export type TreeCache = Map<string, ReadTree>

/** What sources are resolved with. */
interface SourceContext {
  /** License of the recipe. */
  readonly license: string | undefined
  readonly expander: Expander
  readonly trees: TreeCache
  readonly faults: Faults
}

/**
 * Sources as the planner wants them: expanded, with absolute `file:` places. A relative one is
 * relative to the folder of the file that states it. Faults: `bad-place`, `bad-value`,
 * `missing-field`, `reserved-name`, `duplicate-source`, those of {@link readTree}.
 */
export function resolveSources(
  items: readonly Item<SourceText>[],
  context: SourceContext,
): Source[] {
  const sources: Source[] = []
  const names = new Set<string>()
  for (const { value, at } of items) {
    const source =
      'tree' in value ? resolveTree(value, at, context) : resolveFile(value, at, context)
    if (source === undefined) continue
    if (names.has(source.name)) {
      const message = `Cannot use source "${source.name}": there is another of that name`
      const hint = 'Give one of them a name of its own by "name:"'
      context.faults.add('duplicate-source', message, at.position(), hint)
    }
    names.add(source.name)
    sources.push(source)
  }
  return sources
}

type FileText = Extract<SourceText, { sha256: string }>
type TreeText = Extract<SourceText, { tree: string[] }>

function resolveFile(text: FileText, at: At, context: SourceContext): Source | undefined {
  const from = text.from.map((place, index) => placeIn(place, at.below('from', index), context))
  if (text.name === undefined && from.length === 0) {
    const message = 'Cannot use a source: without a place it needs a "name"'
    context.faults.add('missing-field', message, at.position())
  }
  // A place with a fault of its own has none for the name that it would have given.
  const name = text.name === undefined ? from[0]?.name : statedName(text.name, at, context)
  const nameIs = text.name === undefined ? at.below('from', 0) : at.below('name')
  if (name === undefined || isReserved(name, text.sha256, nameIs, context.faults)) return undefined
  return {
    kind: 'file',
    name,
    sha256: asDigest(text.sha256),
    from: from.map(({ place }) => absolute(place, dirname(at.yaml.file))),
    to: folderOf(text, at, context),
    ...licensingOf(text, at, context),
  }
}

interface PlaceText {
  readonly place: string
  /** What the file is called there; undefined after noting a fault of the place or template. */
  readonly name: string | undefined
}

function placeIn(template: string, at: At, { expander, faults }: SourceContext): PlaceText {
  const before = faults.count
  const place = expander.expand(template, at)
  if (faults.count > before) return { place, name: undefined }
  // Taken from what was written: a path made absolute has lost its "..".
  const parsed = parsePlace(place.replace(/^file:(?!\/)/, 'file:/'))
  const name = parsed === undefined ? undefined : fileNameOf(parsed)
  if (name !== undefined && isFileName(name)) return { place, name }
  const [reason, hint] = name === undefined ? UNKNOWN_PLACE : badName(name)
  const message = `Cannot use place ${JSON.stringify(place)}: ${reason}`
  faults.add('bad-place', message, at.position(), hint)
  return { place, name: undefined }
}

const UNKNOWN_PLACE = [
  'it has none of the known forms',
  'A place is debian:PACKAGE/FILE, npm:NAME@VERSION, https://HOST/PATH/FILE or file:PATH',
] as const

function badName(name: string): readonly [reason: string, hint: string] {
  const allowed = 'one component of a path, at most 255 bytes, no control characters'
  const hint = `A place ends in the name of a file: ${allowed}`
  return [`${JSON.stringify(name)} is no name of a file`, hint]
}

function isReserved(name: string, digest: string | undefined, at: At, faults: Faults): boolean {
  const reason = reservedName(name, digest)
  if (reason === undefined) return false
  const message = `Cannot call a source "${name}": ${reason}`
  faults.add('reserved-name', message, at.position(), 'Give it another name by "name:"')
  return true
}

function resolveTree(text: TreeText, at: At, context: SourceContext): Source | undefined {
  const { trees, faults } = context
  const { root } = at.yaml
  const name = statedName(text.name, at, context)
  const missing = (file: string, index: number) => {
    const message = `Cannot use "${file}": there is no such file in "${root}"`
    const hint =
      'Put the sources there: "tree" is relative to the folder that holds the layers folder'
    faults.add('missing-file', message, at.below('tree', index).position(), hint)
  }
  const id = JSON.stringify([root, text.tree])
  let read = trees.get(id)
  if (read === undefined) {
    const tops = text.tree.map((path) => resolve(root, path))
    trees.set(id, (read = { tops, files: readTree(root, text.tree, faults, missing) }))
  }
  const { files } = read
  const digest = digestOfValue(
    [...files]
      .sort((a, b) => byCodeUnit(a.name, b.name))
      .map(({ name, digest, executable }) => ({ name, digest, executable })),
  )
  if (name === undefined || isReserved(name, undefined, at.below('name'), faults)) return undefined
  const to = folderOf(text, at, context)
  return { kind: 'tree', name, digest, files, to, ...licensingOf(text, at, context) }
}

function licensingOf(text: SourceText, at: At, context: SourceContext): Licensed {
  const field = 'license-files'
  return {
    license: text.license ?? context.license,
    licenseFiles: resolveLicenseFiles(text[field], at.below(field), context),
  }
}

/** `file:PATH` made absolute; every other place as it is. */
function absolute(place: string, folder: string): string {
  if (!place.startsWith('file:') || place.startsWith('file:/')) return place
  return `file:${resolve(folder, place.slice('file:'.length))}`
}

function statedName(
  stated: string,
  at: At,
  { expander, faults }: SourceContext,
): string | undefined {
  const name = expander.expand(stated, at.below('name'))
  if (isFileName(name)) return name
  const message = `Cannot use a source: ${JSON.stringify(name)} is no name of a file`
  faults.add('bad-value', message, at.below('name').position())
  return undefined
}

function folderOf(
  text: SourceText,
  at: At,
  { expander, faults }: SourceContext,
): string | undefined {
  const to = at.below('to')
  const folder = expander.expand(text.to ?? '.', to)
  if (!isInnerFolder(folder)) {
    const reason = 'it must be a folder below $SRC'
    const message = `Cannot unpack a source to ${JSON.stringify(folder)}: ${reason}`
    faults.add('bad-value', message, to.position())
  }
  if (text.unpack !== false) return folder
  if (text.to !== undefined) {
    const message = 'Cannot unpack a source to a folder: "unpack" is false'
    faults.add('bad-value', message, to.positionOfKey())
  }
  return undefined
}
