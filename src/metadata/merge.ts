import type { Place } from '../base/error.ts'
import type { At, Path, SourceDocument } from './document.ts'
import type { Faults } from './faults.ts'
import type { LocalFile } from './model.ts'
import {
  LIST_FIELDS,
  WHOLE_FIELDS,
  type AmendText,
  type MergeableText,
  type RecipeText,
  type SourceText,
} from './schema.ts'
import { nearest } from './suggest.ts'

/** A value and where it was written. */
export interface Item<T> {
  readonly value: T
  readonly at: At
}

/** Types of the fields that are replaced as a whole. */
export type WholeValues = { readonly [Field in (typeof WHOLE_FIELDS)[number]]: NonNullable<RecipeText[Field]> }

/** Types of the elements of the fields that are lists. */
export interface ListElements {
  readonly sources: SourceText
  readonly inputs: string
  readonly needs: string
  readonly configure: string
  readonly make: string
  readonly install: string
  readonly contents: string
  readonly patches: LocalFile
  readonly files: LocalFile
}

type WholeField = keyof WholeValues
type ListField = keyof ListElements

/** Where a field got (a part of) its value from. */
export type Origin = At | Place

/** A recipe's fields while they are merged: nothing is expanded or checked against other files yet. Never changed, only replaced. */
export interface Draft {
  readonly whole: ReadonlyMap<WholeField, Item<unknown>>
  readonly lists: ReadonlyMap<ListField, readonly Item<unknown>[]>
  /** For each field the places that it got its value from, latest last. */
  readonly origins: ReadonlyMap<string, readonly Origin[]>
}

/** One file's say: the fields it states, its `set`, `append` and `remove`, and what lies beside it. */
export interface Change {
  readonly document: SourceDocument
  /** Fields stated by the recipe itself; empty for amendments. */
  readonly stated: MergeableText
  readonly operators: Pick<AmendText, 'set' | 'append' | 'remove'>
  readonly patches: readonly LocalFile[]
  readonly files: readonly LocalFile[]
}

const EMPTY: Draft = { whole: new Map(), lists: new Map(), origins: new Map() }

/** Value of a field that is replaced as a whole. */
export function wholeOf<Field extends WholeField>(draft: Draft, field: Field): Item<WholeValues[Field]> | undefined {
  return draft.whole.get(field) as Item<WholeValues[Field]> | undefined
}

/** Elements of a field that is a list; none when it was never stated. */
export function listOf<Field extends ListField>(draft: Draft, field: Field): readonly Item<ListElements[Field]>[] {
  return (draft.lists.get(field) ?? []) as readonly Item<ListElements[Field]>[]
}

/**
 * The one merge operator: `base` after a change, in the order stated fields and set, remove, append, own patches and files.
 * Faults: `merge-conflict` (a field both stated and set, or set and appended to or removed from), `missing-element`, `duplicate-file`.
 */
export function merge(base: Draft | undefined, change: Change, faults: Faults): Draft {
  const merging = new Merging(base ?? EMPTY, change, faults)
  merging.set(change.stated, [])
  merging.checkConflicts()
  merging.set(change.operators.set ?? {}, ['set'])
  merging.remove()
  merging.append()
  merging.addFiles('patches', change.patches)
  merging.addFiles('files', change.files)
  return merging
}

class Merging implements Draft {
  readonly whole: Map<WholeField, Item<unknown>>
  readonly lists: Map<ListField, readonly Item<unknown>[]>
  readonly origins: Map<string, readonly Origin[]>
  readonly #change: Change
  readonly #faults: Faults

  constructor(base: Draft, change: Change, faults: Faults) {
    this.whole = new Map(base.whole)
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
    for (const field of LIST_FIELDS) {
      const value = values[field]
      if (value === undefined) continue
      this.lists.set(field, this.#items(value, [...prefix, field]))
      this.#addOrigin(field, this.#at([...prefix, field]))
    }
  }

  checkConflicts(): void {
    const { stated, operators } = this.#change
    const set = new Set([...Object.keys(stated), ...Object.keys(operators.set ?? {})])
    for (const operator of ['set', 'append', 'remove'] as const) {
      for (const field of Object.keys(operators[operator] ?? {})) {
        if (operator === 'set' ? !Object.hasOwn(stated, field) : !set.has(field)) continue
        const message = `Cannot merge "${field}": one file gives the whole field and changes it as well`
        this.#faults.add(
          'merge-conflict',
          message,
          this.#change.document.placeOfKey([operator, field]),
          `Take "${field}" out of "${operator}" or write the whole field once`,
        )
      }
    }
  }

  remove(): void {
    const { remove } = this.#change.operators
    for (const [field, names] of Object.entries(remove ?? {}) as [ListField, string[] | undefined][]) {
      for (const [index, name] of (names ?? []).entries()) this.#removeElement(field, name, ['remove', field, index])
      this.#addOrigin(field, this.#at(['remove', field]))
    }
  }

  #removeElement(field: ListField, name: string, path: Path): void {
    const old = this.lists.get(field) ?? []
    const left = old.filter(({ value }) => nameOf(value) !== name)
    if (left.length === old.length) {
      const names = old.map(({ value }) => nameOf(value))
      const near = nearest(name, names)
      const hint =
        near === undefined
          ? names.length === 0
            ? 'The list is empty'
            : `It holds: ${names.join(' ')}`
          : `Did you mean "${near}"?`
      this.#faults.add(
        'missing-element',
        `Cannot remove "${name}" from "${field}": it is not there`,
        this.#change.document.place(path),
        hint,
      )
    }
    this.lists.set(field, left)
  }

  append(): void {
    const { append } = this.#change.operators
    for (const field of LIST_FIELDS) {
      const values = append?.[field]
      if (values === undefined) continue
      this.lists.set(field, [...(this.lists.get(field) ?? []), ...this.#items(values, ['append', field])])
      this.#addOrigin(field, this.#at(['append', field]))
    }
  }

  addFiles(field: 'patches' | 'files', added: readonly LocalFile[]): void {
    if (added.length === 0) return
    const old = this.lists.get(field) ?? []
    const names = new Set(old.map(({ value }) => nameOf(value)))
    for (const { name, path } of added) {
      if (!names.has(name)) continue
      const message = `Cannot add "${name}" to "${field}": the recipe it is merged into has one of that name`
      this.#faults.add(
        'duplicate-file',
        message,
        { file: path },
        `Remove the other one by remove: {${field}: ['${name}']}, or rename this one`,
      )
    }
    this.lists.set(field, [...old, ...added.map((value) => ({ value, at: this.#at([]) }))])
    this.#addOrigin(field, { file: added[0]?.path.slice(0, -(added[0].name.length + 1)) ?? '' })
  }

  #at(path: Path): At {
    return { document: this.#change.document, path }
  }

  #items(values: readonly unknown[], path: Path): Item<unknown>[] {
    return values.map((value, index) => ({ value, at: this.#at([...path, index]) }))
  }

  #addOrigin(field: string, origin: Origin): void {
    this.origins.set(field, [...(this.origins.get(field) ?? []), origin])
  }
}

/** What `remove` calls an element: strings are their own name. */
function nameOf(element: unknown): string {
  if (typeof element === 'string') return element
  const source = element as { readonly name?: string; readonly from?: readonly string[] }
  return source.name ?? source.from?.[0]?.split(/[/:]/).at(-1) ?? ''
}
