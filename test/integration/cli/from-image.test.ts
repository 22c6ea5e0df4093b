import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { unpackPartition } from '../../../src/cli/world/unpack-image.ts'
import { commandLine, makes, TOOLS_RECIPE, type Toy } from '../../support/cli.ts'
import { diskOf, SECTOR } from '../../support/disk.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const makeToy = commandLine()

/** Packs badly, so that an image of it is as large; larger than the small disk below. */
const SOURCE = randomBytes(12 << 20)

const PARTITION = { name: 'mirror', first: 40 }

/** An image whose mirror holds {@link SOURCE}, and where its partition begins. */
async function imageOf(source: Uint8Array): Promise<{ image: string; start: number; size: number }> {
  const folder = await temporaryFolder()
  const [mirror, packed, image] = ['mirror', 'packed', 'image'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await mkdir(mirror)
  await writeFile(join(mirror, 'source.bin'), source)
  execFileSync('mksquashfs', [mirror, packed, '-quiet', '-no-progress'], { stdio: 'ignore' })
  const bytes = await readFile(packed)
  const sectors = Math.ceil(bytes.length / SECTOR)
  const disk = diskOf(sectors + 100, [{ ...PARTITION, last: PARTITION.first + sectors - 1 }])
  const start = PARTITION.first * SECTOR
  bytes.copy(disk, start)
  await writeFile(image, disk)
  return { image, start, size: sectors * SECTOR }
}

/** A tree that wants {@link SOURCE} and finds it nowhere but in an image. */
function wanting(): Promise<Toy> {
  return makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/sourced/recipe.yaml': makes(
      'sourced',
      'sourced',
      `sources: [{ sha256: ${digestOf(SOURCE)}, from: ['file:source.bin'], unpack: false }]`,
      'inputs: [bootstrap/tools]',
    ),
  })
}

test('sources come from an image; a full disk is not taken for a damaged image, nor that for a full disk', async () => {
  const { image, start } = await imageOf(SOURCE)
  const toy = await wanting()
  const small = ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs -o size=8m none "$0" && exec "$@"', toy.store]
  await mkdir(toy.store)
  const full = await toy.runWith({ wrap: small }, 'fetch', 'sourced', '--from', image)
  expect(full.stderr).toMatch(/the disk is full/)
  expect(full.code).toBe(6)

  const fetched = await toy.run('fetch', 'sourced', '--from', image)
  expect(fetched.code, fetched.stderr).toBe(0)

  const bytes = await readFile(image)
  bytes.fill(0xff, start, start + 4096)
  await writeFile(image, bytes)
  const damaged = await (await wanting()).run('fetch', 'sourced', '--from', image)
  expect(damaged.stderr).toMatch(/Cannot unpack partition "mirror" of ".*image"/)
  expect(damaged.code).toBe(4)
})

test('interrupted, the unpacking of an image ends, and is not taken for a damaged one', async () => {
  const { image, start, size } = await imageOf(SOURCE)
  const interrupt = new AbortController()
  const target = join(await temporaryFolder(), 'target')
  const unpacked = unpackPartition(image, { name: 'mirror', start, size }, target, interrupt.signal)
  interrupt.abort()
  await expect(unpacked).rejects.toMatchObject({ name: 'AbortError' })
})
