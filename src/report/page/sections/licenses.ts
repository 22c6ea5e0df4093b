import { FixpointError } from '../../../base/error.ts'
import { counted } from '../../../base/format.ts'
import { byCodeUnit } from '../../../base/order.ts'
import { licenseFault } from '../../../metadata/format/license.ts'
import type { LicenseFile } from '../../../metadata/model.ts'
import { wantsSource } from '../../legal/copyleft.ts'
import { joinedLicense, type Held } from '../../legal/held.ts'
import type { Facts } from '../facts.ts'
import type { Layers } from '../layers.ts'
import type { Name, Names } from '../names.ts'
import type { Rules } from '../rules.ts'

/** A license, and the recipes that state it. */
interface Row {
  readonly license: string
  /** The license by words, none of which is to be broken. */
  readonly words: readonly string[]
  readonly recipes: readonly Name[]
  readonly count: number
  readonly bar: string
  /** Whether source code has to go with what is in the image. */
  readonly withSource: boolean
}

/** Licenses of one kind of recipes. */
interface Group {
  readonly heading: string
  readonly rows: readonly Row[]
}

/** A source of what is in the image, and where in it the texts of its licenses are. */
interface TextRow {
  readonly name: Name
  readonly source: string
  readonly license: string
  readonly files: readonly string[]
}

/** What the page says of licenses. */
export interface Licenses {
  readonly absent: string | undefined
  readonly lead: string
  /** Words of the image's SPDX expression; undefined where it cannot be made. */
  readonly expression: readonly string[] | undefined
  /** Why there is no expression. */
  readonly fault: string | undefined
  readonly groups: readonly Group[]
  readonly texts: readonly TextRow[]
  readonly hasTexts: boolean
}

/** Licenses of what is in the image, and of what only builds it. */
export function licenses({ layers, names }: Facts, rules: Rules): Licenses {
  if (layers === undefined) return NONE
  const texts = layers.held.flatMap((held) => textRows(held, names))
  return {
    absent: undefined,
    lead: leadOf(layers, texts),
    ...expressionOf(layers.held),
    groups: groupsOf(layers, names, rules),
    texts,
    hasTexts: texts.length > 0,
  }
}

const NONE: Licenses = {
  absent: 'The layers in effect state no licenses for it.',
  lead: '',
  expression: undefined,
  fault: undefined,
  groups: [],
  texts: [],
  hasTexts: false,
}

/** A recipe, and the license that counts for it here. */
type Licensed = Pick<Held, 'recipe' | 'license' | 'isWhole'>

function groupsOf({ nodes, held }: Layers, names: Names, rules: Rules): Group[] {
  const isHeld = new Set(held.map(({ recipe }) => recipe.id))
  // An image states no license: its own follows from what it holds.
  const others = nodes.flatMap(({ recipe }): Licensed[] => {
    const { id, license } = recipe
    return isHeld.has(id) || license === undefined ? [] : [{ recipe, license, isWhole: false }]
  })
  const [whole, linked] = [true, false].map((want) =>
    held.filter(({ isWhole }) => isWhole === want),
  )
  const rowsOf = (of: readonly Licensed[] = []): Row[] => rowsBy(of, names, rules)
  return [
    { heading: 'In the image', rows: rowsOf(whole) },
    { heading: 'Linked into what is in the image', rows: rowsOf(linked) },
    { heading: 'Only to build it', rows: rowsOf(others).map(withoutSource) },
  ].filter(({ rows }) => rows.length > 0)
}

function withoutSource(row: Row): Row {
  return { ...row, withSource: false }
}

function rowsBy(all: readonly Licensed[], names: Names, rules: Rules): Row[] {
  const byLicense = new Map<string, Licensed[]>()
  for (const one of all) byLicense.set(one.license, [...(byLicense.get(one.license) ?? []), one])
  const sorted = [...byLicense].sort(
    ([a, first], [b, second]) => second.length - first.length || byCodeUnit(a, b),
  )
  const most = sorted[0]?.[1].length ?? 1
  return sorted.map(([license, found]) => ({
    license,
    words: license.split(' '),
    recipes: names.some(found.map(({ recipe }) => recipe.id)),
    count: found.length,
    bar: rules.bar(found.length / most),
    withSource: found.some(needsSource),
  }))
}

function needsSource(one: Licensed): boolean {
  return licenseFault(one.license) === undefined && wantsSource(one)
}

function leadOf({ held, image }: Layers, texts: readonly TextRow[]): string {
  const distinct = new Set(held.map(({ license }) => license)).size
  const open = held.filter(needsSource).length
  const place = image.mirror === undefined ? 'it is not in the image' : 'the image holds it'
  const source =
    open === 0
      ? ''
      : ` Whoever passes the image on has to pass on the source of ${counted(open, 'package')}, ` +
        `too: ${place}.`
  const files = texts.reduce((sum, one) => sum + one.files.length, 0)
  const stated = files === 0 ? '' : ` The recipes name ${counted(files, 'text')} and their digests.`
  const whole = held.filter(({ isWhole }) => isWhole).length
  const linked = held.length - whole
  const others = linked === 0 ? '' : ` and ${linked} linked into them`
  return (
    `${counted(whole, 'package')} installed${others}, under ` +
    `${counted(distinct, 'SPDX expression')}, as the recipes state them.${source}${stated}`
  )
}

function expressionOf(held: readonly Held[]): Pick<Licenses, 'expression' | 'fault'> {
  try {
    return { expression: joinedLicense(held).split(' '), fault: undefined }
  } catch (error) {
    if (!(error instanceof FixpointError)) throw error
    return { expression: undefined, fault: error.message }
  }
}

function textRows({ recipe }: Held, names: Names): TextRow[] {
  const name = names.of(recipe.id)
  if (name === undefined) return []
  return recipe.sources.flatMap(({ name: source, license = '', licenseFiles = [] }) =>
    licenseFiles.length === 0
      ? []
      : [{ name, source, license, files: licenseFiles.map(describeFile) }],
  )
}

function describeFile({ path, lines }: LicenseFile): string {
  return lines === undefined ? path : `${path}, lines ${lines.first} to ${lines.last}`
}
