import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createParity } from '../../../src/archive/par2/create.ts'
import { repairWithParity } from '../../../src/archive/par2/repair.ts'
import { FixpointError } from '../../../src/base/error.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { digestsBelow, md5, noise, writeFiles, type Content } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const FILES: readonly Content[] = [
  ['one', noise(300, 1)],
  ['sub/two', noise(130, 2)],
  ['three', noise(64, 3)],
  ['empty', Buffer.alloc(0)],
]

/** Numbers below a limit, the same for each seed. */
function numbers(seed: number): (below: number) => number {
  const bytes = noise(4096, seed)
  let at = 0
  return (below) => {
    at = (at + 4) % 4092
    return bytes.readUInt32LE(at) % below
  }
}

/** Damages some bytes; every other time it makes the MD5 of all packets right again. */
function mutate(original: Buffer, seed: number): Buffer {
  const next = numbers(seed)
  let bytes: Buffer = Buffer.from(original)
  for (let count = 1 + next(4); count > 0; count--) {
    const at = next(bytes.length)
    const odd = [0, 1, 2, 0x7f, 0x80, 0xff, next(256)][next(7)]!
    const kind = next(8)
    if (kind < 5) bytes[at] = odd
    else if (kind === 5) bytes.fill(odd, at, at + next(24))
    else if (kind === 6)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + next(9))])
    else bytes = Buffer.concat([bytes, bytes.subarray(at, at + 200)])
  }
  return seed % 2 === 0 ? bytes : withRightDigests(bytes)
}

function withRightDigests(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf('PAR2\0PKT'); at !== -1; at = bytes.indexOf('PAR2\0PKT', at + 8)) {
    if (at + 64 > bytes.length) break
    const length = Number(bytes.readBigUInt64LE(at + 8))
    if (length < 64 || at + length > bytes.length) continue
    const digest = createHash('md5')
      .update(bytes.subarray(at + 32, at + length))
      .digest()
    digest.copy(bytes, at + 16)
  }
  return bytes
}

async function outcome(repair: Promise<unknown>): Promise<string> {
  try {
    await repair
    return 'repaired'
  } catch (error) {
    if (error instanceof FixpointError) return error.code
    throw error
  }
}

it('1,000 mutated parity files do no harm', { timeout: 120_000 }, async () => {
  const root = await temporaryFolder()
  const kept = join(root, 'kept')
  await writeFiles(kept, FILES)
  const { files } = await createParity({
    root: kept,
    files: FILES.map(([name]) => name),
    blockSize: 64,
    recoveryBlocks: 4,
    output: { folder: root, name: 'kit' },
  })
  const original = await readFile(join(root, files.at(-1)!))
  // Two blocks of five, one and the empty file are lost.
  const damaged = Buffer.from(FILES[0]![1])
  for (const at of [10, 299]) damaged[at]! ^= 1
  await writeFile(join(kept, 'one'), damaged)
  await removeTree(join(kept, 'three'))
  await removeTree(join(kept, 'empty'))
  const before = await digestsBelow(kept)
  const wanted = new Map(FILES.map(([name, bytes]) => [name, md5(bytes)]))
  const outcomes = new Map<string, number>()
  for (let seed = 1; seed <= 1000; seed++) {
    await writeFile(join(root, 'x.par2'), mutate(original, seed))
    const into = join(root, 'into')
    await mkdir(into)
    const parity = { root, paths: ['x.par2', ...files.slice(0, seed % 3)] }
    const code = await outcome(repairWithParity({ root: kept, parity, into }))
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
    for (const [name, digest] of Object.entries(await digestsBelow(into)))
      if (wanted.has(name) && digest !== 'no file') expect(digest, name).toBe(wanted.get(name))
    await removeTree(into)
  }
  expect(await digestsBelow(kept)).toEqual(before)
  const seen = [...outcomes.keys()]
  expect(seen.filter((code) => !/^(repaired|parity-[a-z-]+)$/.test(code))).toEqual([])
  // Not all of them failed for one reason.
  expect(outcomes.get('repaired')).toBeGreaterThan(100)
  expect(seen).toEqual(
    expect.arrayContaining(['parity-refused', 'parity-unreadable', 'parity-not-enough']),
  )
})
