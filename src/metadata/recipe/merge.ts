import type { Position } from '../../base/error.ts'
import {
  LIST_FIELDS,
  MAP_FIELDS,
  WHOLE_FIELDS,
  type MergeableText,
  type RecipeText,
} from '../format/schema.ts'
import type { SourceText } from '../format/source-schema.ts'
import type { LocalFile } from '../tree/files.ts'
import type { Change } from '../tree/statements.ts'
import type { Faults } from '../yaml/faults.ts'
import { didYouMean, nearest } from '../yaml/suggest.ts'
import type { At, Item, Path } from '../yaml/yaml-file.ts'

/** Types of the fields that are replaced as a whole. */
export type WholeValues = {
  readonly [Field in (typeof WHOLE_FIELDS)[number]]: NonNullable<RecipeText[Field]>
}

/** Types of the elements of the fields that are lists. */
export interface ListElements {
  readonly sources: SourceText
  readonly inputs: string
  readonly needs: string
  readonly config: string
  readonly configure: string
  readonly make: string
  readonly install: string
  readonly contents: string
  readonly patches: LocalFile
  readonly files: LocalFile
}

type WholeField = keyof WholeValues
type MapField = (typeof MAP_FIELDS)[number]
type ListField = keyof ListElements

/** Where a field got (a part of) its value from. */
export type StatedAt = At | Position

/**
 * A recipe's fields while they are merged: nothing is expanded or checked against other files yet.
 * Never changed, only replaced.
 */
export interface Draft {
  readonly whole: ReadonlyMap<WholeField, Item<unknown>>
  readonly maps: ReadonlyMap<MapField, ReadonlyMap<string, Item<string>>>
  readonly lists: ReadonlyMap<ListField, readonly Item<unknown>[]>
  /** Where each field got its value from, latest last. */
  readonly origins: ReadonlyMap<string, readonly StatedAt[]>
}

const EMPTY: Draft = { whole: new Map(), maps: new Map(), lists: new Map(), origins: new Map() }

/** Value of a field that is replaced as a whole. */
export function wholeOf<Field extends WholeField>(
  draft: Draft,
  field: Field,
): Item<WholeValues[Field]> | undefined {
  return draft.whole.get(field) as Item<WholeValues[Field]> | undefined
}

/** Entries of a field that is a map; none when it was never stated. */
export function entriesOf(draft: Draft, field: MapField): ReadonlyMap<string, Item<string>> {
  return draft.maps.get(field) ?? new Map()
}

/** Elements of a field that is a list; none when it was never stated. */
export function listOf<Field extends ListField>(
  draft: Draft,
  field: Field,
): readonly Item<ListElements[Field]>[] {
  return (draft.lists.get(field) ?? []) as readonly Item<ListElements[Field]>[]
}

/**
 * The one merge operator: `base` after a change, in the order stated fields and set, remove,
 * append, own patches and files. Faults: `merge-conflict` (a field both stated and set, or set and
 * appended to or removed from; of a map only an entry both set and removed), `empty-map`,
 * `missing-element`, `version-without-digest`, `duplicate-file`.
 */
export function merge(base: Draft | undefined, change: Change, faults: Faults): Draft {
  const merging = new Merging(base ?? EMPTY, change, faults)
  merging.set(change.stated, [])
  merging.checkConflicts()
  if (base !== undefined) merging.checkEmptyMaps()
  merging.set(change.operators.set ?? {}, ['set'])
  merging.remove()
  merging.append()
  if (base !== undefined) merging.checkVersion(wholeOf(base, 'version')?.value)
  merging.addFiles('patches', change.patches)
  merging.addFiles('files', change.files)
  return merging
}

class Merging implements Draft {
  readonly whole: Map<WholeField, Item<unknown>>
  readonly maps: Map<MapField, ReadonlyMap<string, Item<string>>>
  readonly lists: Map<ListField, readonly Item<unknown>[]>
  readonly origins: Map<string, readonly StatedAt[]>
  readonly #change: Change
  readonly #faults: Faults

  constructor(base: Draft, change: Change, faults: Faults) {
    this.whole = new Map(base.whole)
    this.maps = new Map(base.maps)
    this.lists = new Map(base.lists)
    this.origins = new Map(base.origins)
    this.#change = change
    this.#faults = faults
  }

  set(values: MergeableText, prefix: Path): void {
    for (const field of WHOLE_FIELDS) {
      const value = values[field]
      if (value === undefined) continue
      const at = this.#at([...prefix, field])
      this.whole.set(field, { value, at })
      this.#addOrigin(field, at)
    }
    for (const field of MAP_FIELDS) {
      const value = values[field]
      if (value === undefined) continue
      const entries = new Map(this.maps.get(field))
      for (const [name, text] of Object.entries(value))
        entries.set(name, { value: text, at: this.#at([...prefix, field, name]) })
      this.maps.set(field, entries)
      this.#addOrigin(field, this.#at([...prefix, field]))
    }
    for (const field of LIST_FIELDS) {
      const value = values[field]
      if (value === undefined) continue
      this.lists.set(field, this.#items(value, [...prefix, field]))
      this.#addOrigin(field, this.#at([...prefix, field]))
    }
  }

  checkConflicts(): void {
    const { stated, operators } = this.#change
    const set = { ...stated, ...operators.set }
    for (const operator of ['set', 'append', 'remove'] as const) {
      for (const field of Object.keys(operators[operator] ?? {})) {
        if (operator === 'remove' && isMapField(field)) this.#checkRemoved(field, set[field] ?? {})
        else if (Object.hasOwn(operator === 'set' ? stated : set, field)) {
          this.#addConflict(field, this.#change.yaml.positionOfKey([operator, field]))
        }
      }
    }
  }

  #checkRemoved(field: MapField, set: Readonly<Record<string, string>>): void {
    for (const [index, name] of (this.#change.operators.remove?.[field] ?? []).entries()) {
      if (Object.hasOwn(set, name))
        this.#addConflict(`${field}.${name}`, this.#change.yaml.position(['remove', field, index]))
    }
  }

  #addConflict(field: string, position: Position): void {
    this.#faults.add(
      'merge-conflict',
      `Cannot merge "${field}": one file gives the whole of it and changes it as well`,
      position,
      'Do one of both',
    )
  }

  /** An empty map looks as if it took all entries out. */
  checkEmptyMaps(): void {
    const { stated, operators, yaml } = this.#change
    for (const field of MAP_FIELDS) {
      for (const [values, path] of [
        [stated, [field]],
        [operators.set, ['set', field]],
      ] as const) {
        if (values?.[field] === undefined || Object.keys(values[field]).length > 0) continue
        const message = `Cannot merge "${field}": the map is empty, and so replaces nothing`
        const hint = `Entries are taken out by name: remove: {${field}: [NAME]}`
        this.#faults.add('empty-map', message, yaml.positionOfKey(path), hint)
      }
    }
  }

  remove(): void {
    const { remove } = this.#change.operators
    for (const [field, names] of Object.entries(remove ?? {}) as [
      MapField | ListField,
      string[] | undefined,
    ][]) {
      for (const [index, name] of (names ?? []).entries()) {
        const left = isMapField(field)
          ? this.#removeEntry(field, name)
          : this.#removeElement(field, name)
        if (left !== undefined) this.#addMissing(field, name, left, ['remove', field, index])
      }
      this.#addOrigin(field, this.#at(['remove', field]))
    }
  }

  /** Takes an entry out; when there is none of that name, the names that there are. */
  #removeEntry(field: MapField, name: string): string[] | undefined {
    const entries = new Map(this.maps.get(field))
    if (!entries.delete(name)) return [...entries.keys()]
    this.maps.set(field, entries)
    return undefined
  }

  /** Takes all elements of that name out; when there are none, the names that there are. */
  #removeElement(field: ListField, name: string): string[] | undefined {
    const old = this.lists.get(field) ?? []
    const left = old.filter(({ value }) => nameOf(value) !== name)
    if (left.length === old.length) return old.map(({ value }) => nameOf(value))
    this.lists.set(field, left)
    return undefined
  }

  #addMissing(field: string, name: string, names: readonly string[], path: Path): void {
    const near = nearest(name, names)
    const held = names.length === 0 ? `"${field}" is empty` : `It holds: ${names.join(' ')}`
    this.#faults.add(
      'missing-element',
      `Cannot remove "${name}" from "${field}": it is not there`,
      this.#change.yaml.position(path),
      near === undefined ? held : didYouMean(near),
    )
  }

  append(): void {
    const { append } = this.#change.operators
    for (const field of LIST_FIELDS) {
      const values = append?.[field]
      if (values === undefined) continue
      this.lists.set(field, [
        ...(this.lists.get(field) ?? []),
        ...this.#items(values, ['append', field]),
      ])
      this.#addOrigin(field, this.#at(['append', field]))
    }
  }

  /** A version that changes without the digest would name the old file by the new version. */
  checkVersion(before: string | undefined): void {
    const version = wholeOf(this, 'version')
    if (before === undefined || version === undefined || version.value === before) return
    for (const { value, at } of listOf(this, 'sources')) {
      if (at.yaml === this.#change.yaml || !('sha256' in value)) continue
      if (![value.name ?? '', ...value.from].some((text) => /\{\{\s*version\s*\}\}/.test(text)))
        continue
      const { file, line } = at.below('sha256').position()
      const kept = `source "${nameOf(value)}" keeps its digest`
      const digest = `Its digest is stated in ${file}:${line ?? 1}`
      this.#faults.add(
        'version-without-digest',
        `Cannot change the version to "${version.value}": ${kept} of "${before}"`,
        version.at.position(),
        `${digest}: remove the source by name and append the new one, or set "sources"`,
      )
    }
  }

  addFiles(field: 'patches' | 'files', added: readonly LocalFile[]): void {
    if (added.length === 0) return
    const old = this.lists.get(field) ?? []
    const others = old.map(({ value }) => value) as LocalFile[]
    for (const { name, path } of added) {
      const other = others.find(
        (one) =>
          one.name === name || one.name.startsWith(`${name}/`) || name.startsWith(`${one.name}/`),
      )
      if (other === undefined) continue
      this.#faults.add(
        'duplicate-file',
        `Cannot add "${name}" to "${field}": the recipe has "${other.path}" already`,
        { file: path },
        `Rename one of them, or remove the other by remove: {${field}: ['${other.name}']}`,
      )
    }
    this.lists.set(field, [...old, ...added.map((value) => ({ value, at: this.#at([]) }))])
    this.#addOrigin(field, { file: added[0]?.path.slice(0, -(added[0].name.length + 1)) ?? '' })
  }

  #at(path: Path): At {
    return this.#change.yaml.at(path)
  }

  #items(values: readonly unknown[], path: Path): Item<unknown>[] {
    return values.map((value, index) => ({ value, at: this.#at([...path, index]) }))
  }

  #addOrigin(field: string, origin: StatedAt): void {
    this.origins.set(field, [...(this.origins.get(field) ?? []), origin])
  }
}

function isMapField(field: string): field is MapField {
  return (MAP_FIELDS as readonly string[]).includes(field)
}

/** What `remove` calls an element: strings are their own name. */
function nameOf(element: unknown): string {
  if (typeof element === 'string') return element
  const source = element as { readonly name?: string; readonly from?: readonly string[] }
  return source.name ?? source.from?.[0]?.split(/[/:]/).at(-1) ?? ''
}
