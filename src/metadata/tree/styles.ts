import { join } from 'node:path'
import { check } from '../format/check.ts'
import { styleSchema, WORD_LISTS, type StyleText } from '../format/schema.ts'
import type { Faults } from '../yaml/faults.ts'
import { readYaml } from '../yaml/parse.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { At, Item, YamlFile } from '../yaml/yaml-file.ts'
import { circle } from './circle.ts'
import { checkName } from './entries.ts'
import { yamlFiles, type LayerTree } from './layers.ts'

/** A style after `extends`. */
export interface Style {
  readonly name: string
  readonly yaml: YamlFile
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
export function isReservedStep(step: string, at: At, faults: Faults): boolean {
  if (!ENGINE_STEPS.has(step)) return false
  const message = `Cannot name a step "${step}": the engine has one of that name`
  faults.add('reserved-step', message, at.positionOfKey(), 'Give it another name, such as prepare')
  return true
}

interface Stated {
  readonly yaml: YamlFile
  readonly text: StyleText
}

/**
 * Reads the styles of all trees; each name is there once. Faults, beside those of reading:
 * `name-mismatch`, `duplicate-style`, `unknown-style`, `extends-cycle`, `missing-field` (no steps),
 * `reserved-step`.
 */
export function readStyles(trees: readonly LayerTree[], faults: Faults): Styles {
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
  for (const name of stated.keys()) resolveStyle(name, [], { all: stated, done: styles, faults })
  return styles
}

function readStyle(name: string, path: string, faults: Faults): Stated | undefined {
  const yaml = readYaml(path, faults)
  const text = yaml === undefined ? undefined : check(yaml, styleSchema, 'a style', faults)
  if (yaml === undefined || text === undefined) return undefined
  checkName(yaml, name, { what: 'a style', where: 'file' }, faults)
  for (const step of Object.keys(text.steps ?? {}))
    isReservedStep(step, yaml.at(['steps', step]), faults)
  return { yaml, text }
}

/** What styles are resolved with. */
interface Resolving {
  readonly all: ReadonlyMap<string, Stated | undefined>
  readonly done: Map<string, Style | undefined>
  readonly faults: Faults
}

/** `chain` holds the styles that extend this one, directly or not. */
function resolveStyle(
  name: string,
  chain: readonly string[],
  resolving: Resolving,
): Style | undefined {
  const { all, done, faults } = resolving
  if (done.has(name)) return done.get(name)
  const stated = all.get(name)
  const base = stated?.text.extends
  const from = base === undefined ? undefined : baseOf(name, base, chain, resolving)
  let style: Style | undefined
  if (stated !== undefined && (base === undefined || from !== undefined)) {
    style = compose(name, stated, from)
    if (style.steps.size === 0) {
      const message = `Cannot read style "${name}": it has no steps`
      faults.add('missing-field', message, stated.yaml.position([]))
    }
  }
  done.set(name, style)
  return style
}

/** The style that `name` extends, after noting `extends-cycle` or `unknown-style`. */
function baseOf(
  name: string,
  base: string,
  chain: readonly string[],
  resolving: Resolving,
): Style | undefined {
  const { all, done, faults } = resolving
  const position = () => all.get(name)?.yaml.position(['extends']) ?? { file: '' }
  const path = [...chain, name]
  if (path.includes(base)) {
    const edges = circle(path, base).join('\n  ')
    const reason = 'styles extend each other in a circle'
    faults.add('extends-cycle', `Cannot read style "${name}": ${reason}\n  ${edges}`, position())
    for (const member of path.slice(path.indexOf(base))) done.set(member, undefined)
    return undefined
  }
  if (all.has(base)) return resolveStyle(base, path, resolving)
  const message = `Cannot read style "${name}": there is no style "${base}"`
  faults.add('unknown-style', message, position(), suggestion(base, all.keys()))
  return undefined
}

/**
 * What the base has comes first; own variables and steps replace those of the same name where they
 * stand.
 */
function compose(name: string, { yaml, text }: Stated, base: Style | undefined): Style {
  const layered = (field: 'env' | 'steps') => {
    const merged = new Map(base?.[field])
    for (const [key, value] of Object.entries(text[field] ?? {}))
      merged.set(key, { value, at: yaml.at([field, key]) })
    return merged
  }
  const origins = (field: 'env' | 'steps') => [
    ...(base?.origins[field] ?? []),
    ...(text[field] === undefined ? [] : [yaml.at([field])]),
  ]
  const words = new Map(base?.words)
  for (const list of WORD_LISTS) {
    const own = text[list]?.map((value, index) => ({
      value,
      at: yaml.at([list, index]),
    }))
    if (own !== undefined) words.set(list, own)
  }
  return {
    name,
    yaml,
    words,
    image: text.image ?? base?.image ?? false,
    env: layered('env'),
    steps: layered('steps'),
    origins: { env: origins('env'), steps: origins('steps') },
  }
}
