import type { Digest } from '../../../base/digest.ts'
import { counted, formatBytes, formatCount } from '../../../base/format.ts'
import type { Facts } from '../facts.ts'
import type { Name } from '../names.ts'
import type { Rules } from '../rules.ts'
import { layOut, type Tile } from '../treemap.ts'

/** A source as a row of a table. */
interface Row {
  readonly source: string
  readonly users: readonly Name[]
  readonly size: string
  readonly digest: string
  readonly from: readonly string[]
}

/** Inputs of one kind that are not source code. */
interface SeedRow {
  readonly kind: string
  readonly why: string
  readonly sources: string
  readonly files: string
  readonly size: string
  readonly bar: string
}

/** What the page says of sources. */
export interface Sources {
  readonly absent: string | undefined
  /** Why there is no drawing, though there are sources. */
  readonly undrawn: string | undefined
  readonly lead: string
  readonly spoken: string
  readonly tiles: readonly Tile[]
  readonly rows: readonly Row[]
}

/** What the page says of inputs that are not source code in the strict sense. */
export interface SeedList {
  readonly absent: string | undefined
  readonly lead: string
  readonly rows: readonly SeedRow[]
}

/** A source, and who uses it. */
interface Used {
  readonly source: string
  readonly digest: Digest
  readonly from: readonly string[]
  /** False for a folder of the checkout. */
  readonly isFile: boolean
  readonly bytes: number | undefined
  readonly users: readonly Name[]
}

const [WIDE, NARROW] = [
  { width: 1180, height: 340 },
  { width: 330, height: 460 },
]

/** All that was fetched to build the image. */
export function sources(facts: Facts, rules: Rules): Sources {
  const all = usedSources(facts)
  const drawn = all.filter(({ bytes }) => bytes !== undefined)
  const bytes = drawn.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  const largest = drawn
    .slice(0, 5)
    .map(({ source, bytes: size = 0 }) => `${source} ${formatBytes(size)}`)
  return {
    absent: absenceOf(facts, all),
    undrawn:
      drawn.length > 0
        ? undefined
        : 'The store has none of these sources, so their sizes are not known.',
    lead: leadOf(all, drawn.length, bytes),
    spoken: `Sources by size, ${formatBytes(bytes)} in all. The largest: ${largest.join(', ')}.`,
    tiles: layOut(drawn.map(boxOf), rules, WIDE, NARROW),
    rows: all.map((one) => ({
      ...one,
      size: one.bytes === undefined ? '–' : formatBytes(one.bytes),
    })),
  }
}

function absenceOf({ layers }: Facts, all: readonly Used[]): string | undefined {
  if (layers === undefined) return 'The layers in effect name no sources of it.'
  return all.length === 0 ? 'No recipe of this image has a source.' : undefined
}

/** What among the sources is not source code in the strict sense. */
export function seeds({ record }: Facts, rules: Rules): SeedList {
  const rows = (record.seeds ?? []).map(({ kind, why, sources: from }) => ({
    kind,
    why,
    sources: from.length,
    files: from.reduce((sum, one) => sum + one.files, 0),
    bytes: from.reduce((sum, one) => sum + one.bytes, 0),
  }))
  const largest = rows.reduce((most, { bytes }) => Math.max(most, bytes), 1)
  return {
    absent:
      record.seeds === undefined
        ? 'The record of this image does not say what in its sources is no source code: ' +
          'the image carries none of them.'
        : undefined,
    lead:
      'Inputs that are not source code in the strict sense: what a person wrote to be read and ' +
      'changed. Sizes are unpacked.',
    rows: rows.map((row) => ({
      ...row,
      sources: formatCount(row.sources),
      files: formatCount(row.files),
      size: formatBytes(row.bytes),
      bar: rules.bar(row.bytes / largest),
    })),
  }
}

/** The largest first; those of unknown size last. */
function usedSources({ layers, names, sourceSizes }: Facts): Used[] {
  const found = new Map<Digest, Used>()
  for (const { recipe } of layers?.nodes ?? []) {
    const user = names.of(recipe.id)
    if (user === undefined) continue
    for (const source of recipe.sources) {
      const isFile = source.kind === 'file'
      const digest = isFile ? source.sha256 : source.digest
      const { users = [], ...known } = found.get(digest) ?? {
        source: source.name,
        digest,
        isFile,
        from: isFile ? source.from : [`this checkout, ${counted(source.files.length, 'file')}`],
        bytes: isFile ? sourceSizes.get(digest) : undefined,
      }
      found.set(digest, { ...known, users: [...users, user] })
    }
  }
  return [...found.values()].sort((a, b) => (b.bytes ?? -1) - (a.bytes ?? -1))
}

function leadOf(all: readonly Used[], known: number, bytes: number): string {
  const files = all.filter(({ isFile }) => isFile).length
  const [some, trees] = [`${formatCount(known)} of which have`, all.length - files]
  const size = known === 0 ? '' : `, ${known === files ? '' : `${some} `}${formatBytes(bytes)}`
  const own = trees === 0 ? '' : `, and ${counted(trees, 'folder')} of the checkout`
  return `${counted(files, 'file')}${size}${own}. Each is checked by its SHA-256 when it is used.`
}

function boxOf({ source, bytes = 0, users }: Used): Parameters<typeof layOut>[0][number] {
  const size = formatBytes(bytes)
  const by = users.map(({ id }) => id).join(', ')
  const tone = users[0]?.tone ?? '1'
  return { label: source, title: `${source}: ${size}, for ${by}`, tone, bytes, size, boxes: [] }
}
