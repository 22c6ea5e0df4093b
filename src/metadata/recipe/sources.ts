import { dirname, resolve } from 'node:path'
import { digestOfValue } from '../../base/canonical.ts'
import { asDigest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { At, Path } from '../yaml/yaml-file.ts'
import type { Faults } from '../yaml/faults.ts'
import { readTree } from '../tree/files.ts'
import type { Item } from './merge.ts'
import type { LocalFile, Source } from '../model.ts'
import {
  fileNameOf,
  isFileName,
  isInnerFolder,
  parsePlace,
  reservedName,
} from '../format/source-places.ts'
import type { SourceText } from '../format/schema.ts'

/** Expands a template found at a place, noting its faults. */
export type Expander = (template: string, at: At) => string

/** Files of the checkout that were read already, by root and names. */
export type TreeCache = Map<string, readonly LocalFile[]>

/**
 * Sources as the planner wants them: expanded, with absolute `file:` places (relative ones are
 * relative to the folder of the file that states them). `rootOf` gives the checkout of a document.
 * Faults: `bad-place`, `bad-value`, `missing-field`, `reserved-name`, `duplicate-source`, those of
 * {@link readTree}.
 */
export function resolveSources(
  items: readonly Item<SourceText>[],
  expand: Expander,
  rootOf: (at: At) => string,
  trees: TreeCache,
  faults: Faults,
): Source[] {
  const sources: Source[] = []
  const names = new Set<string>()
  for (const item of items) {
    const { value, at } = item
    const source =
      'tree' in value
        ? resolveTree(value, at, expand, rootOf(at), trees, faults)
        : resolveFile(value, at, expand, faults)
    if (source === undefined) continue
    if (names.has(source.name)) {
      faults.add(
        'duplicate-source',
        `Cannot use source "${source.name}": there is another of that name`,
        at.document.place(at.path),
        'Give one of them a name of its own by "name:"',
      )
    }
    names.add(source.name)
    sources.push(source)
  }
  return sources
}

type FileText = Extract<SourceText, { sha256: string }>
type TreeText = Extract<SourceText, { tree: string[] }>

function resolveFile(text: FileText, at: At, expand: Expander, faults: Faults): Source | undefined {
  const from = text.from.map((place, index) =>
    placeIn(place, below(at, ['from', index]), expand, faults),
  )
  if (text.name === undefined && from.length === 0)
    faults.add(
      'missing-field',
      'Cannot use a source: without a place it needs a "name"',
      at.document.place(at.path),
    )
  // A place with a fault of its own has none for the name that it would have given.
  const name = text.name === undefined ? from[0]?.name : statedName(text.name, at, expand, faults)
  const nameIs = below(at, text.name === undefined ? ['from', 0] : ['name'])
  if (name === undefined || isReserved(name, text.sha256, nameIs, faults)) return undefined
  return {
    kind: 'file',
    name,
    sha256: asDigest(text.sha256),
    from: from.map(({ place }) => absolute(place, dirname(at.document.file))),
    to: folderOf(text, at, expand, faults),
  }
}

interface PlaceText {
  readonly place: string
  /**
   * What the file is called there; undefined after noting `bad-place` or a fault of the template.
   */
  readonly name: string | undefined
}

function placeIn(template: string, at: At, expand: Expander, faults: Faults): PlaceText {
  const before = faults.count
  const place = expand(template, at)
  if (faults.count > before) return { place, name: undefined }
  // Taken from what was written: a path made absolute has lost its "..".
  const parsed = parsePlace(place.replace(/^file:(?!\/)/, 'file:/'))
  const name = parsed === undefined ? undefined : fileNameOf(parsed)
  if (name !== undefined && isFileName(name)) return { place, name }
  const [reason, hint] =
    name === undefined
      ? [
          'it has none of the known forms',
          'A place is debian:PACKAGE/FILE, npm:NAME@VERSION, https://HOST/PATH/FILE or file:PATH',
        ]
      : [
          `${JSON.stringify(name)} is no name of a file`,
          'A place ends in the name of a file: one component of a path, at most 255 bytes, no control characters',
        ]
  faults.add(
    'bad-place',
    `Cannot use place ${JSON.stringify(place)}: ${reason}`,
    at.document.place(at.path),
    hint,
  )
  return { place, name: undefined }
}

function isReserved(name: string, digest: string | undefined, at: At, faults: Faults): boolean {
  const reason = reservedName(name, digest)
  if (reason === undefined) return false
  const hint = 'Give it another name by "name:"'
  faults.add(
    'reserved-name',
    `Cannot call a source "${name}": ${reason}`,
    at.document.place(at.path),
    hint,
  )
  return true
}

function resolveTree(
  text: TreeText,
  at: At,
  expand: Expander,
  root: string,
  trees: TreeCache,
  faults: Faults,
): Source | undefined {
  const name = statedName(text.name, at, expand, faults)
  const missing = (file: string, index: number) => {
    faults.add(
      'missing-file',
      `Cannot use "${file}": there is no such file in "${root}"`,
      at.document.place([...at.path, 'tree', index]),
    )
  }
  const id = JSON.stringify([root, text.tree])
  let files = trees.get(id)
  if (files === undefined) trees.set(id, (files = readTree(root, text.tree, faults, missing)))
  const digest = digestOfValue(
    [...files]
      .sort((a, b) => byCodeUnit(a.name, b.name))
      .map(({ name, digest, executable }) => ({ name, digest, executable })),
  )
  if (name === undefined || isReserved(name, undefined, below(at, ['name']), faults))
    return undefined
  return { kind: 'tree', name, digest, files, to: folderOf(text, at, expand, faults) }
}

/** `file:PATH` made absolute; every other place as it is. */
function absolute(place: string, folder: string): string {
  if (!place.startsWith('file:') || place.startsWith('file:/')) return place
  return `file:${resolve(folder, place.slice('file:'.length))}`
}

function statedName(stated: string, at: At, expand: Expander, faults: Faults): string | undefined {
  const name = expand(stated, below(at, ['name']))
  if (isFileName(name)) return name
  faults.add(
    'bad-value',
    `Cannot use a source: ${JSON.stringify(name)} is no name of a file`,
    at.document.place([...at.path, 'name']),
  )
  return undefined
}

function folderOf(text: SourceText, at: At, expand: Expander, faults: Faults): string | undefined {
  const folder = expand(text.to ?? '.', below(at, ['to']))
  if (!isInnerFolder(folder))
    faults.add(
      'bad-value',
      `Cannot unpack a source to ${JSON.stringify(folder)}: it must be a folder below $SRC`,
      at.document.place([...at.path, 'to']),
    )
  if (text.unpack !== false) return folder
  if (text.to !== undefined)
    faults.add(
      'bad-value',
      'Cannot unpack a source to a folder: "unpack" is false',
      at.document.placeOfKey([...at.path, 'to']),
    )
  return undefined
}

function below(at: At, path: Path): At {
  return { document: at.document, path: [...at.path, ...path] }
}
