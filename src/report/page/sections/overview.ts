import { counted, formatBytes, formatCount, formatDuration } from '../../../base/format.ts'
import type { Facts } from '../facts.ts'
import { fetchedSources } from '../../../metadata/model.ts'
import { sumOf } from '../../size/cut.ts'

/** A number that stands for itself. */
interface Figure {
  readonly label: string
  readonly value: string
  readonly note: string
}

/** What the head of a page says. */
export interface Overview {
  readonly title: string
  readonly recipe: string
  readonly version: string
  readonly summary: string | undefined
  readonly figures: readonly Figure[]
  readonly files: readonly {
    readonly path: string
    readonly size: string
    readonly sha256: string
  }[]
  /** The system that built what sees the host. */
  readonly system: string | undefined
  readonly notices: readonly string[]
}

/** The head of the page: what image it is, and how large. */
export function overview(facts: Facts): Overview {
  const { record, layers } = facts
  const { recipe } = record
  return {
    title: recipe.slice(recipe.indexOf('/') + 1),
    recipe,
    version: record.recipes.find((one) => one.recipe === recipe)?.version ?? '',
    summary: layers?.image.recipe.summary,
    figures: [
      imageFigure(facts),
      contentsFigure(facts),
      sourcesFigure(facts),
      ...buildFigures(facts),
    ],
    files: record.files.map(({ path, size, sha256 }) => ({
      path,
      size: size === undefined ? '' : formatBytes(size),
      sha256,
    })),
    system: record.host?.system,
    notices: noticesOf(facts),
  }
}

function imageFigure({ record: { files } }: Facts): Figure {
  const bytes = files.reduce((sum, { size = 0 }) => sum + size, 0)
  const value = bytes === 0 ? 'unknown' : formatBytes(bytes)
  return { label: 'Image', value, note: counted(files.length, 'file') }
}

function contentsFigure({ layers, listings }: Facts): Figure {
  const sums = [...listings.values()].map(sumOf)
  const files = sums.reduce((sum, one) => sum + one.files, 0)
  const bytes = sums.reduce((sum, one) => sum + one.bytes, 0)
  const packages = layers?.image.contents.length
  return {
    label: 'Packages installed',
    value: packages === undefined ? 'unknown' : formatCount(packages),
    note: files === 0 ? 'sizes unknown' : `${counted(files, 'file')}, ${formatBytes(bytes)}`,
  }
}

function sourcesFigure({ layers, sourceSizes }: Facts): Figure {
  const sources = (layers?.nodes ?? []).flatMap(({ recipe }) => fetchedSources(recipe.sources))
  const digests = new Set(sources.map(({ sha256 }) => sha256))
  const bytes = [...sourceSizes.values()].reduce((sum, size) => sum + size, 0)
  const unknown = [...digests].filter((digest) => !sourceSizes.has(digest)).length
  const more = unknown === 0 ? '' : ` and ${counted(unknown, 'unknown size')}`
  return {
    label: 'Source files',
    value: layers === undefined ? 'unknown' : formatCount(digests.size),
    note: bytes === 0 ? 'sizes unknown' : `${formatBytes(bytes)}${more}`,
  }
}

function buildFigures({ record: { recipes } }: Facts): Figure[] {
  const cpu = recipes.reduce((sum, { cpuMs = 0 }) => sum + cpuMs, 0)
  return [
    {
      label: 'Recipes built',
      value: formatCount(recipes.length),
      note: 'with all that the build takes',
    },
    {
      label: 'CPU time',
      value: cpu === 0 ? 'unknown' : formatDuration(cpu),
      note: 'of all their actions',
    },
  ]
}

function noticesOf({ record, layers }: Facts): string[] {
  if (layers === undefined)
    return [
      `The layers in effect have no recipe ${record.recipe}. So this page has no packages, ` +
        'timeline, dependencies, sources and licenses.',
    ]
  const { changed } = layers
  if (changed.length === 0) return []
  const more = changed.length > 8 ? ` and ${changed.length - 8} more` : ''
  return [
    'The layers in effect would build another image. ' +
      `Changed since: ${changed.slice(0, 8).join(', ')}${more}. ` +
      'What this page says of dependencies, sources and licenses is as the layers are now.',
  ]
}
