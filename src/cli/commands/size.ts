import { basename } from 'node:path'
import { counted, formatBytes, formatCount } from '../../base/format.ts'
import { MANIFEST_PATH } from '../../image/manifest.ts'
import type { PartSize } from '../../report/size/disk-size.ts'
import { measureImage, type ImageSize } from '../../report/size/size.ts'
import type { CommandContext } from '../context.ts'
import { inColumns } from '../view/columns.ts'

/** Options of `size`. */
export interface SizeFlags {
  readonly files?: boolean
  /** Rows of each list for people; JSON has all. */
  readonly most: number
  readonly depth: number
}

/** `size IMAGE`: what takes the space in an image, the largest first. */
export async function sizeCommand(
  command: CommandContext,
  path: string,
  { files: isByFile, most, depth }: SizeFlags,
): Promise<void> {
  const [metadata, store] = [await command.metadata(), await command.store()]
  const measured = await measureImage(path, { metadata, store, depth, signal: command.signal })
  const { files, missing, disk, ...sums } = measured
  const lists = isByFile === true ? filesLines(measured, most) : sumsLines(measured, most)
  const lines = [
    headOf(measured),
    ...lists,
    ...missingLines(measured),
    ...diskLines(path, measured),
  ]
  await command.result(lines, {
    type: 'size',
    ...sums,
    fileCount: files.length,
    files: isByFile === true ? files : undefined,
    missing,
    disk,
  })
}

function headOf({ image, bytes, files }: ImageSize): string {
  return `${image}: ${formatBytes(bytes)} in ${counted(files.length, 'file')}, not compressed`
}

/** A row of a list: name, bytes, and how many files it stands for. */
type Row = readonly [name: string, bytes: number, files: number]

function sumsLines({ packages, manifest, folders, bytes }: ImageSize, most: number): string[] {
  const own: Row[] = manifest === undefined ? [] : [[`(${MANIFEST_PATH})`, manifest, 1]]
  const ofPackages = packages.map((one): Row => [one.recipe, one.bytes, one.files])
  const ofFolders = folders.map((one): Row => [absolute(one.path), one.bytes, one.files])
  return [
    ...listLines('packages', [...ofPackages, ...own], bytes, most),
    ...listLines('folders, with what is below them', ofFolders, bytes, most),
  ]
}

function filesLines({ files, bytes }: ImageSize, most: number): string[] {
  const rows = files.map((one): Row => [`${absolute(one.path)}  ${one.recipe ?? ''}`, one.size, 1])
  return listLines('files', rows, bytes, most)
}

function listLines(title: string, rows: readonly Row[], all: number, most: number): string[] {
  const sorted = [...rows].sort(([, a], [, b]) => b - a)
  const [shown, rest] = [sorted.slice(0, most), sorted.slice(most)]
  const sum = (at: 1 | 2): number => rest.reduce((total, row) => total + row[at], 0)
  const more: Row[] =
    rest.length === 0 ? [] : [[`and ${formatCount(rest.length)} more`, sum(1), sum(2)]]
  const cells = [...shown, ...more].map(([name, bytes, files]) => {
    const row = [`  ${formatBytes(bytes)}`, share(bytes, all), name]
    return title === 'files' ? row : row.toSpliced(2, 0, counted(files, 'file'))
  })
  return ['', `${title}:`, ...inColumns(cells, title === 'files' ? [0, 1] : [0, 1, 2])]
}

function missingLines({ missing }: ImageSize): string[] {
  if (missing.length === 0) return []
  return ['', `not in the store, and so not counted: ${missing.join(', ')}`]
}

/** What compression and booting do to the size. */
function diskLines(path: string, { disk, bytes: held, missing }: ImageSize): string[] {
  if (disk === undefined) return []
  const noteOf = ({ name, squashfs }: PartSize): string => {
    if (squashfs === undefined) return ''
    const isKnown = name === 'root' && missing.length === 0
    return isKnown ? `squashfs: ${share(squashfs, held)} of what it holds` : 'squashfs'
  }
  const cells = disk.parts.map((part) => [`  ${formatBytes(part.bytes)}`, part.name, noteOf(part)])
  const rest = [`  ${formatBytes(disk.rest)}`, '', 'partition tables, and space between']
  const head = `${basename(path)}, ${formatBytes(disk.bytes)}:`
  return ['', head, ...inColumns([...cells, rest], [0])]
}

function share(bytes: number, of: number): string {
  if (of === 0) return ''
  return `${((100 * bytes) / of).toFixed(bytes / of < 0.0995 ? 1 : 0)} %`
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
