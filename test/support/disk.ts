/** Bytes of a sector. */
export const SECTOR = 512

/** A disk with a partition table of the fewest fields that are read, by the UEFI specification's offsets. */
export function diskOf(sectors: number, partitions: readonly { name: string; first: number; last: number }[]): Buffer {
  const disk = Buffer.alloc(sectors * SECTOR)
  const header = disk.subarray(SECTOR)
  header.write('EFI PART', 'latin1')
  header.writeBigUInt64LE(BigInt(sectors - 1), 32)
  header.writeBigUInt64LE(2n, 72)
  header.writeUInt32LE(128, 80)
  header.writeUInt32LE(128, 84)
  for (const [index, { name, first, last }] of partitions.entries()) {
    const entry = disk.subarray(2 * SECTOR + index * 128)
    entry[0] = 1
    entry.writeBigUInt64LE(BigInt(first), 32)
    entry.writeBigUInt64LE(BigInt(last), 40)
    entry.write(name, 56, 'utf16le')
  }
  return disk
}
