import { counted, formatBytes, formatCount } from '../../../base/format.ts'
import type { RecipeId } from '../../../base/recipe-id.ts'
import type { Listing } from '../../../store/artifact/listing.ts'
import { cut, filesIn, foldersOf, sumOf, type Piece } from '../../size/cut.ts'
import type { Facts } from '../facts.ts'
import type { Name } from '../names.ts'
import type { Rules } from '../rules.ts'
import { layOut, type Box, type Tile } from '../treemap.ts'

/** A package or folder, as a row of a table. */
interface Row {
  readonly name: Name | undefined
  readonly path: string | undefined
  readonly files: string
  readonly size: string
  readonly bar: string
}

/** What the page says of the image's contents. */
export interface Contents {
  /** Why there is no drawing. */
  readonly absent: string | undefined
  readonly lead: string
  /** The drawing in words. */
  readonly spoken: string
  readonly tiles: readonly Tile[]
  readonly packages: readonly Row[]
  readonly folders: readonly Row[]
}

/** The smallest piece that is drawn by itself, as a share of all. */
const SMALLEST = 1 / 350

/** Folders that the table lists, and how deep they are. */
const [MOST_FOLDERS, DEPTH] = [40, 3]

/** The image's contents by size. */
export function contents({ layers, names, listings }: Facts, rules: Rules): Contents {
  const packages = names
    .some(listings.keys())
    .map((name) => ({ name, listing: listings.get(name.id) ?? [] }))
    .map((one) => ({ ...one, ...sumOf(one.listing) }))
    .sort((a, b) => b.bytes - a.bytes)
  const total = packages.reduce((sum, { bytes }) => sum + bytes, 0)
  const missing = (layers?.image.contents ?? []).filter((id) => !listings.has(id))
  const absent = absenceOf(layers !== undefined, missing, total)
  const largest = packages[0]?.bytes ?? 1
  const folders = foldersOf([...listings.values()].flatMap(filesIn), DEPTH)
  return {
    absent,
    lead: leadOf(packages, total, missing),
    spoken: spokenOf(packages, total),
    tiles:
      absent === undefined
        ? layOut(
            packages.map((one) => boxOf(one, total)),
            rules,
          )
        : [],
    packages: packages.map(({ name, files, bytes }) => ({
      name,
      path: undefined,
      files: formatCount(files),
      size: formatBytes(bytes),
      bar: rules.bar(bytes / largest),
    })),
    folders: folders.slice(0, MOST_FOLDERS).map(({ path, files, bytes }) => ({
      name: undefined,
      path,
      files: formatCount(files),
      size: formatBytes(bytes),
      bar: rules.bar(bytes / (folders[0]?.bytes || 1)),
    })),
  }
}

interface Package {
  readonly name: Name
  readonly listing: Listing
  readonly bytes: number
  readonly files: number
}

function absenceOf(
  hasLayers: boolean,
  missing: readonly RecipeId[],
  total: number,
): string | undefined {
  if (!hasLayers) return 'The layers in effect do not say which packages are in this image.'
  if (total > 0) return undefined
  return missing.length > 0
    ? 'The store has none of the packages of this image, so their files are not known.'
    : 'No package of this image has a file.'
}

function leadOf(packages: readonly Package[], total: number, missing: readonly RecipeId[]): string {
  const files = packages.reduce((sum, one) => sum + one.files, 0)
  const without =
    missing.length === 0 ? '' : ` Not in the store, and so not counted: ${missing.join(', ')}.`
  return (
    `${counted(packages.length, 'package')} with ${counted(files, 'file')}, ` +
    `${formatBytes(total)} before the file system compresses them.${without}`
  )
}

function spokenOf(packages: readonly Package[], total: number): string {
  const first = packages
    .slice(0, 5)
    .map(({ name, bytes }) => `${name.id} ${formatBytes(bytes)}`)
    .join(', ')
  return `Packages by size, ${formatBytes(total)} in all. The largest: ${first}.`
}

function boxOf({ name, listing, bytes, files }: Package, total: number): Box {
  const { id, tone } = name
  const size = formatBytes(bytes)
  return {
    label: name.name,
    title: `${id}: ${size}, ${counted(files, 'file')}`,
    tone,
    bytes,
    size,
    boxes: piecesOf(cut(listing, total * SMALLEST), tone),
  }
}

/** Pieces by their last name, and of several such by the last two. */
function piecesOf(pieces: readonly Piece[], tone: string): Box[] {
  const lastOf = ({ path }: Piece, names: number): string => path.split('/').slice(-names).join('/')
  const lasts = pieces.map((piece) => lastOf(piece, 1))
  const isShared = (last: string): boolean => lasts.indexOf(last) !== lasts.lastIndexOf(last)
  return pieces.map((piece) =>
    pieceBox(piece, lastOf(piece, isShared(lastOf(piece, 1)) ? 2 : 1), tone),
  )
}

function pieceBox({ path, bytes, files }: Piece, name: string, tone: string): Box {
  const size = formatBytes(bytes)
  return {
    label: files === 1 ? name : `${name}/`,
    title: `/${path}: ${size}${files === 1 ? '' : `, ${counted(files, 'file')}`}`,
    tone,
    bytes,
    size,
    boxes: [],
  }
}
