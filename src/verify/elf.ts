/** A part of an ELF file. */
interface Section {
  readonly name: string
  readonly offset: number
  readonly size: number
}

/** Section type of .bss and its kind: they take no room in the file (System V ABI, gABI 4.1). */
const SHT_NOBITS = 8

/**
 * Name of the section that holds the byte at `offset` of a 64-bit little-endian ELF file; undefined
 * for other files or bytes outside all sections.
 */
export function elfSectionAt(file: Buffer, offset: number): string | undefined {
  return sections(file).find(
    (section) => offset >= section.offset && offset < section.offset + section.size,
  )?.name
}

function sections(file: Buffer): Section[] {
  // e_ident: magic, class 2 (64-bit), data 1 (little-endian).
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    return []
  const table = Number(file.readBigUInt64LE(0x28))
  const [entrySize, count, namesIndex] = [
    file.readUInt16LE(0x3a),
    file.readUInt16LE(0x3c),
    file.readUInt16LE(0x3e),
  ]
  if (entrySize < 64 || table + entrySize * count > file.length || namesIndex >= count) return []
  const headers = Array.from({ length: count }, (_, at) =>
    file.subarray(table + at * entrySize, table + (at + 1) * entrySize),
  )
  const names = headers[namesIndex]
  if (names === undefined) return []
  const namesAt = Number(names.readBigUInt64LE(0x18))
  return headers
    .filter((header) => header.readUInt32LE(4) !== SHT_NOBITS)
    .map((header) => ({
      name: textAt(file, namesAt + header.readUInt32LE(0)),
      offset: Number(header.readBigUInt64LE(0x18)),
      size: Number(header.readBigUInt64LE(0x20)),
    }))
    .filter(({ size }) => size > 0)
}

function textAt(file: Buffer, at: number): string {
  if (at >= file.length) return ''
  const end = file.indexOf(0, at)
  return file.toString('latin1', at, end === -1 ? undefined : end)
}
