import { join } from 'node:path'
import { readDocument, type At, type SourceDocument } from '../yaml/yaml-file.ts'
import type { Faults } from '../yaml/faults.ts'
import { yamlFiles, type Tree } from './layers.ts'
import type { Item } from '../recipe/merge.ts'
import { styleSchema, WORD_LISTS, type StyleText } from '../format/schema.ts'
import { suggestion } from '../yaml/suggest.ts'
import { validate } from '../yaml/validate.ts'

/** A style after `extends`. */
export interface Style {
  readonly name: string
  readonly document: SourceDocument
  readonly image: boolean
  /** What a recipe's empty list stands for. */
  readonly words: ReadonlyMap<(typeof WORD_LISTS)[number], readonly Item<string>[]>
  readonly env: ReadonlyMap<string, Item<string>>
  /** In the order they run. */
  readonly steps: ReadonlyMap<string, Item<string>>
  /** Where `env` and `steps` come from, latest last. */
  readonly origins: { readonly env: readonly At[]; readonly steps: readonly At[] }
}

/** Styles by name; undefined stands for one that is there but has a fault. */
export type Styles = ReadonlyMap<string, Style | undefined>

/** Steps that the engine adds in front of the style's; nothing else may have their names. */
const ENGINE_STEPS: ReadonlySet<string> = new Set(['unpack', 'patch'])

/** True for a step of the engine's own, after noting `reserved-step`. */
export function isReservedStep(step: string, { document, path }: At, faults: Faults): boolean {
  if (!ENGINE_STEPS.has(step)) return false
  const message = `Cannot name a step "${step}": the engine has one of that name`
  faults.add(
    'reserved-step',
    message,
    document.placeOfKey(path),
    'Give it another name, such as prepare',
  )
  return true
}

interface Stated {
  readonly document: SourceDocument
  readonly text: StyleText
}

/**
 * Reads the styles of all trees; each name is there once. Faults, beside those of reading:
 * `name-mismatch`, `duplicate-style`, `unknown-style`, `extends-cycle`, `missing-field` (no steps),
 * `reserved-step`.
 */
export function readStyles(trees: readonly Tree[], faults: Faults): Styles {
  const stated = new Map<string, Stated | undefined>()
  for (const { name, path, usable } of trees.flatMap((tree) =>
    yamlFiles(join(tree.folder, 'styles'), faults),
  )) {
    if (stated.has(name))
      faults.add(
        'duplicate-style',
        `Cannot read "${path}": there is another style "${name}"`,
        { file: path },
        'Give it a name of its own',
      )
    else stated.set(name, usable ? readStyle(name, path, faults) : undefined)
  }
  const styles = new Map<string, Style | undefined>()
  for (const name of stated.keys()) resolveStyle(name, stated, styles, [], faults)
  return styles
}

function readStyle(name: string, path: string, faults: Faults): Stated | undefined {
  const document = readDocument(path, faults)
  const text =
    document === undefined ? undefined : validate(document, styleSchema, 'a style', faults, {})
  if (document === undefined || text === undefined) return undefined
  if (text.name !== name) {
    faults.add(
      'name-mismatch',
      `Cannot read a style: its name is "${text.name}", its file's "${name}"`,
      document.place(['name']),
      `Write "name: ${name}" or rename the file`,
    )
  }
  for (const step of Object.keys(text.steps ?? {}))
    isReservedStep(step, { document, path: ['steps', step] }, faults)
  return { document, text }
}

function resolveStyle(
  name: string,
  all: ReadonlyMap<string, Stated | undefined>,
  done: Map<string, Style | undefined>,
  chain: readonly string[],
  faults: Faults,
): Style | undefined {
  if (done.has(name)) return done.get(name)
  const stated = all.get(name)
  if (stated === undefined) {
    done.set(name, undefined)
    return undefined
  }
  const { document, text } = stated
  let base: Style | undefined
  if (text.extends !== undefined) {
    if (chain.includes(text.extends) || text.extends === name) {
      const cycle = [...chain, name].slice([...chain, name].indexOf(text.extends))
      const edges = cycle.map(
        (from, at) => `${from} -> ${cycle[at + 1] ?? cycle[0] ?? ''} (extends)`,
      )
      faults.add(
        'extends-cycle',
        `Cannot read style "${name}": styles extend each other in a circle\n  ${edges.join('\n  ')}`,
        document.place(['extends']),
      )
      for (const member of cycle) done.set(member, undefined)
      return undefined
    }
    if (!all.has(text.extends)) {
      faults.add(
        'unknown-style',
        `Cannot read style "${name}": there is no style "${text.extends}"`,
        document.place(['extends']),
        suggestion(text.extends, all.keys()),
      )
    } else base = resolveStyle(text.extends, all, done, [...chain, name], faults)
    if (base === undefined) {
      done.set(name, undefined)
      return undefined
    }
  }
  const style = compose(name, stated, base)
  if (style.steps.size === 0)
    faults.add('missing-field', `Cannot read style "${name}": it has no steps`, document.place([]))
  done.set(name, style)
  return style
}

/**
 * What the base has comes first; own variables and steps replace those of the same name where they
 * stand.
 */
function compose(name: string, { document, text }: Stated, base: Style | undefined): Style {
  const layered = (field: 'env' | 'steps') => {
    const merged = new Map(base?.[field])
    for (const [key, value] of Object.entries(text[field] ?? {}))
      merged.set(key, { value, at: { document, path: [field, key] } })
    return merged
  }
  const origins = (field: 'env' | 'steps') => [
    ...(base?.origins[field] ?? []),
    ...(text[field] === undefined ? [] : [{ document, path: [field] }]),
  ]
  const words = new Map(base?.words)
  for (const list of WORD_LISTS) {
    const own = text[list]?.map((value, index) => ({
      value,
      at: { document, path: [list, index] },
    }))
    if (own !== undefined) words.set(list, own)
  }
  return {
    name,
    document,
    words,
    image: text.image ?? base?.image ?? false,
    env: layered('env'),
    steps: layered('steps'),
    origins: { env: origins('env'), steps: origins('steps') },
  }
}
