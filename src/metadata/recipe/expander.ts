import type { Layout } from '../tree/layers.ts'
import type { Faults } from '../yaml/faults.ts'
import type { At, Item } from '../yaml/yaml-file.ts'
import { expand } from './template.ts'

/** What templates of recipes and styles know: names, the machine's values, and what was used. */
export class Expander {
  /** Names that occurred in what was expanded. */
  readonly used = new Set<string>()
  readonly #machine: Layout['machine']
  readonly #names: ReadonlyMap<string, string>
  readonly #values: ReadonlyMap<string, string>
  readonly #faults: Faults

  constructor(
    names: Iterable<readonly [string, string]>,
    machine: Layout['machine'],
    faults: Faults,
  ) {
    const values = Object.entries(machine ?? {})
    this.#machine = machine
    this.#names = new Map(names)
    this.#values = new Map([
      ...this.#names,
      ...values.map(([name, value]) => [`machine.${name}`, value] as const),
    ])
    this.#faults = faults
  }

  /** An expander that knows further names. */
  with(names: Iterable<readonly [string, string]>): Expander {
    return new Expander([...this.#names, ...names], this.#machine, this.#faults)
  }

  /** Expands a template, and notes its faults at their position. */
  expand(template: string, at: At): string {
    return expand(
      template,
      this.#values,
      ({ code, message, hint, part, nth }) => {
        // A machine with a fault of its own: any value may exist.
        if (this.#machine === undefined && /^\{\{\s*machine\./.test(part)) return
        this.#faults.add(code, message, at.positionOfPart(part, nth), hint)
      },
      this.used,
    )
  }

  /** Expands a value where it was written. */
  expandItem({ value, at }: Item<string>): string {
    return this.expand(value, at)
  }
}
