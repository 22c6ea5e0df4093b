/**
 * Rules of style for single elements, with an id for each. The page forbids style attributes, so
 * that no name in it can bring one.
 */
export class Rules {
  readonly #wide: string[] = []
  readonly #narrow: string[] = []
  #count = 0

  /** The id of an element that is placed so; `narrow` counts on small screens. */
  add(declarations: string, narrow?: string): string {
    const id = `s${this.#count++}`
    this.#wide.push(`#${id}{${declarations}}`)
    if (narrow !== undefined) this.#narrow.push(`#${id}{${narrow}}`)
    return id
  }

  /** The id of a bar that is a share of its place, from 0 to 1. */
  bar(share: number): string {
    return this.add(`width:${percent(share)}`)
  }

  get text(): string {
    const narrow = this.#narrow.length === 0 ? '' : `${NARROW}{\n${this.#narrow.join('\n')}\n}\n`
    return `${this.#wide.join('\n')}\n${narrow}`
  }
}

/** Where the drawings take their narrow form, as in page.css. */
const NARROW = '@media (max-width:40rem)'

/** A share from 0 to 1 as CSS has it. */
export function percent(share: number): string {
  return `${decimal(share * 100)}%`
}

/** A number with as many digits as a drawing needs. */
export function decimal(value: number): string {
  return String(Number(value.toFixed(3)))
}
