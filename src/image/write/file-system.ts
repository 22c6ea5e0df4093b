/** A file system, or what else fills a disk or partition. */
export interface FileSystem {
  readonly kind: string
  readonly label: string | undefined
}

/** Bytes of a partition's beginning in which every mark and label of {@link KINDS} lies. */
export const MARKED = 65_536 + 1024

/** What a kind of file system is known by; places in bytes. */
interface Kind {
  readonly kind: string
  readonly mark: string
  readonly at: number
  readonly label?: { readonly at: number; readonly length: number }
}

/**
 * As blkid(8) knows them; only what people have on sticks and disks. Marks are of Latin-1. A label
 * of NTFS, exFAT or HFS+ is a file, which is not looked for.
 */
const KINDS: readonly Kind[] = [
  { kind: 'ext2/3/4', mark: '\x53\xef', at: 1080, label: { at: 1144, length: 16 } },
  { kind: 'FAT32', mark: 'FAT32', at: 82, label: { at: 71, length: 11 } },
  { kind: 'FAT16', mark: 'FAT16', at: 54, label: { at: 43, length: 11 } },
  { kind: 'FAT12', mark: 'FAT12', at: 54, label: { at: 43, length: 11 } },
  { kind: 'NTFS', mark: 'NTFS    ', at: 3 },
  { kind: 'exFAT', mark: 'EXFAT   ', at: 3 },
  { kind: 'squashfs', mark: 'hsqs', at: 0 },
  { kind: 'btrfs', mark: '_BHRfS_M', at: 65_600, label: { at: 65_835, length: 256 } },
  { kind: 'XFS', mark: 'XFSB', at: 0, label: { at: 108, length: 12 } },
  { kind: 'F2FS', mark: '\x10\x20\xf5\xf2', at: 1024 },
  { kind: 'HFS+', mark: 'H+', at: 1024 },
  { kind: 'APFS', mark: 'NXSB', at: 32 },
  { kind: 'ISO 9660', mark: 'CD001', at: 32_769, label: { at: 32_808, length: 32 } },
  { kind: 'swap', mark: 'SWAPSPACE2', at: 4086, label: { at: 1052, length: 16 } },
  { kind: 'LUKS', mark: 'LUKS\xba\xbe', at: 0 },
  { kind: 'LVM', mark: 'LABELONE', at: 512 },
  { kind: 'RAID', mark: '\xfc\x4e\x2b\xa9', at: 4096, label: { at: 4128, length: 32 } },
]

/** What FAT has in place of a label. */
const NO_LABEL = 'NO NAME'

/** The file system that a disk or partition begins with; undefined where none is known. */
export function fileSystemIn(beginning: Buffer): FileSystem | undefined {
  const found = KINDS.find(({ mark, at }) => text(beginning, at, mark.length, 'latin1') === mark)
  if (found === undefined) return undefined
  const { kind, label } = found
  const written = label === undefined ? '' : text(beginning, label.at, label.length, 'utf8')
  const shown = written.replace(/\0.*$/s, '').trim()
  return { kind, label: shown === '' || shown === NO_LABEL ? undefined : shown }
}

function text(bytes: Buffer, at: number, length: number, encoding: 'latin1' | 'utf8'): string {
  return bytes.toString(encoding, Math.min(at, bytes.length), at + length)
}
