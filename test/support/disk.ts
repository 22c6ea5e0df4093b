import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../../src/base/digest.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { MANIFEST_PATH, makeManifest } from '../../src/image/manifest.ts'
import { packTree } from '../../src/store/artifact/pack.ts'
import { temporaryFolder } from './temporary.ts'
import { writeTreeAt } from './trees.ts'

/** Bytes of a sector. */
export const SECTOR = 512

/**
 * A disk with a partition table of the fewest fields that are read, by the UEFI specification's
 * offsets.
 */
export function diskOf(
  sectors: number,
  partitions: readonly { name: string; first: number; last: number }[],
): Buffer {
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

/** An image with these folders as partitions, and where those begin. */
export async function imageOf(folders: Readonly<Record<string, string>>): Promise<{
  image: string
  partitions: readonly { name: string; start: number; size: number }[]
}> {
  const folder = await temporaryFolder()
  const image = join(folder, 'image')
  const parts: { name: string; first: number; last: number; bytes: Buffer }[] = []
  for (const [name, path] of Object.entries(folders)) {
    const packed = join(folder, name)
    execFileSync('mksquashfs', [path, packed, '-quiet', '-no-progress', '-all-root'], {
      stdio: 'ignore',
    })
    const bytes = await readFile(packed)
    const first = (parts.at(-1)?.last ?? 39) + 1
    parts.push({ name, first, last: first + Math.ceil(bytes.length / SECTOR) - 1, bytes })
  }
  const disk = diskOf(parts.at(-1)!.last + 100, parts)
  for (const { first, bytes } of parts) bytes.copy(disk, first * SECTOR)
  await writeFile(image, disk)
  const partitions = parts.map(({ name, first, last }) => ({
    name,
    start: first * SECTOR,
    size: (last + 1 - first) * SECTOR,
  }))
  return { image, partitions }
}

/**
 * The root of an image of which nothing is looked at but its busybox: a script of `sh` in its
 * place.
 */
export async function rootWith(script: string): Promise<string> {
  const root = await temporaryFolder()
  await writeTreeAt(root, { 'usr/bin/busybox': { mode: 0o755, data: `#!/bin/sh\n${script}\n` } })
  const { digest, listing } = await packTree(root, undefined)
  const recipe = 'system/busybox' as RecipeId
  const manifest = makeManifest([
    { recipe, version: '1', key: digestOf('key'), artifact: digest, listing },
  ])
  await writeTreeAt(root, { [MANIFEST_PATH]: manifest })
  return root
}
