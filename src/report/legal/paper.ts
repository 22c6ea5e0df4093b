/** A file of the papers of an image. */
export interface Paper {
  /** Below the folder of the papers. */
  readonly path: string
  readonly bytes: Buffer | string
  /** By default false. */
  readonly executable?: boolean
}

/** Folders and files of the papers. */
export const PAPERS = {
  readme: 'README.txt',
  manifest: 'manifest.csv',
  relinking: 'static-lgpl.csv',
  licenses: 'licenses',
  source: 'source',
  /** Source files themselves, as a mirror folder. */
  files: 'source/files',
} as const

/** A table as CSV (RFC 4180), but lines end as everywhere else here. The first row is its head. */
export function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\n`).join('')
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
