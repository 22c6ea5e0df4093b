import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { unpackPartition } from '../../../src/image/unpack-partition.ts'
import {
  commandLine,
  makes,
  onSmallDisk,
  TOOLS_RECIPE,
  WITHOUT_NAMESPACES,
  type Toy,
} from '../../support/cli.ts'
import { imageOf, rootWith } from '../../support/disk.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { writeTreeAt } from '../../support/trees.ts'

const makeToy = commandLine()

/** Packs badly, so that an image of it is as large; larger than the small disk below. */
const SOURCE = randomBytes(12 << 20)

/** A folder with {@link SOURCE}, as a mirror is. */
async function mirrorFolder(): Promise<string> {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'source.bin'), SOURCE)
  return folder
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
  const { image, partitions } = await imageOf({ mirror: await mirrorFolder() })
  const { start } = partitions[0]!
  const toy = await wanting()
  await mkdir(toy.store, { recursive: true })
  const full = await toy.runWith(
    { wrap: onSmallDisk(toy.store, 8) },
    'fetch',
    'sourced',
    '--from',
    image,
  )
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

test('a mirror folder is filled from an image; it is one, and nothing of what lay there is lost', async () => {
  const { image } = await imageOf({ mirror: await mirrorFolder() })
  const mirror = await temporaryFolder()
  const own = `${digestOf('of my own\n')}  notes`
  await writeTreeAt(mirror, { notes: 'of my own\n', SHA256SUMS: own })
  const fill = async (...words: string[]) => {
    const { code, stdout, stderr } = await (
      await wanting()
    ).run('mirror', 'update', mirror, 'sourced', ...words)
    expect(code, stderr).toBe(0)
    return stdout.split('\n')[0]
  }
  expect(await fill('--from', image)).toBe(`${mirror}: 1 of 1 source file, 1 copied now`)
  expect(execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: mirror, encoding: 'utf8' })).toBe(
    'notes: OK\nsource.bin: OK\n',
  )
  // As a mirror of its own, and once more with nothing to do.
  expect(await fill('--from', mirror)).toBe(`${mirror}: 1 of 1 source file, 0 copied now`)

  await writeFile(join(mirror, 'source.bin'), 'damaged')
  expect(await fill('--from', image)).toContain('1 copied now')
  expect((await readFile(join(mirror, 'source.bin'))).equals(SOURCE)).toBe(true)
})

test('a file of the same name in a mirror folder stays, and a full disk is named', async () => {
  const { image } = await imageOf({ mirror: await mirrorFolder() })
  const mirror = await temporaryFolder()
  await writeTreeAt(mirror, { 'source.bin': 'of my own', SHA256SUMS: '' })
  const toy = await wanting()
  const { code, stderr } = await toy.run('mirror', 'update', mirror, '--from', image)
  expect(code, stderr).toBe(0)
  expect(await readFile(join(mirror, 'source.bin'), 'utf8')).toBe('of my own')
  expect((await readFile(join(mirror, digestOf(SOURCE)))).equals(SOURCE)).toBe(true)

  const small = await temporaryFolder()
  const wrap = [
    ...onSmallDisk(small, 8),
    'sh',
    '-c',
    '"$@"; code=$?; ls -A "$0"; exit "$code"',
    small,
  ]
  const full = await toy.runWith({ wrap }, 'mirror', 'create', small)
  expect(full.stderr).toMatch(/the disk is full/)
  // Nor is anything half left behind.
  expect(full).toMatchObject({ code: 6, stdout: 'SHA256SUMS\n' })
})

test('interrupted, the unpacking of an image ends, and is not taken for a damaged one', async () => {
  const { image, partitions } = await imageOf({ mirror: await mirrorFolder() })
  const interrupt = new AbortController()
  const target = join(await temporaryFolder(), 'target')
  const unpacked = unpackPartition(image, partitions[0]!, target, interrupt.signal)
  interrupt.abort()
  await expect(unpacked).rejects.toMatchObject({ name: 'AbortError' })
})

test('an image is not begun to be rebuilt where nobody may make namespaces', async () => {
  // The host's tools under the name of the image's.
  const root = await rootWith('exec "$@"')
  const { image } = await imageOf({ root, mirror: await mirrorFolder() })
  const { folder, runWith } = await makeToy()
  const globals = ['--store', join(folder, 'store')]
  const how = { globals, wrap: WITHOUT_NAMESPACES }
  const { code, stdout, stderr } = await runWith(how, 'rebuild', '--image', image)
  expect(stderr).toMatch(
    /Cannot run the image's engine here: .+\nhint: .*fixpoint (--\S+ \S+ )*doctor`/,
  )
  expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
})
