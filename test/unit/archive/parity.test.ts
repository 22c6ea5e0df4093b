import { existsSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createParity, type CreateOptions } from '../../../src/archive/par2/create.ts'
import { repairWithParity, type RepairOptions } from '../../../src/archive/par2/repair.ts'
import { verifyWithParity } from '../../../src/archive/par2/verify.ts'
import { byCodeUnit } from '../../../src/base/order.ts'
import { digestsBelow, md5, noise, writeFiles, type Content } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const BLOCK = 256
/** 10 + 1 + 4 + 0 blocks. */
const FILES: readonly Content[] = [
  ['image', noise(2500, 1)],
  ['sub/note', noise(99, 2)],
  ['table', noise(1024, 3)],
  ['empty', Buffer.alloc(0)],
]

interface Kit {
  readonly root: string
  readonly into: string
  readonly parity: { readonly root: string; readonly paths: readonly string[] }
}

async function makeKit(changes: Partial<CreateOptions> = {}): Promise<Kit> {
  const folder = await temporaryFolder()
  const [root, into, parity] = ['kit', 'into', 'parity'].map((name) => join(folder, name))
  await writeFiles(root!, FILES)
  await mkdir(into!)
  await mkdir(parity!)
  const { files: paths } = await createParity({
    root: root!,
    files: FILES.map(([name]) => name),
    blockSize: BLOCK,
    recoveryBlocks: 5,
    output: { folder: parity!, name: 'kit' },
    ...changes,
  })
  return { root: root!, into: into!, parity: { root: parity!, paths } }
}

/** Changes one byte in each of some blocks of a file. */
async function hit(kit: Kit, name: string, blocks: readonly number[]): Promise<void> {
  const bytes = await readFile(join(kit.root, name))
  for (const block of blocks) bytes[block * BLOCK]! ^= 1
  await writeFile(join(kit.root, name), bytes)
}

/** Repairs, and expects all files that are not whole to be rebuilt, and nothing else changed. */
async function expectRepair(kit: Kit, changes: Partial<RepairOptions> = {}): Promise<string[]> {
  const before = await digestsBelow(kit.root)
  const { rebuilt } = await repairWithParity({ ...kit, ...changes })
  expect(await digestsBelow(kit.root)).toEqual(before)
  for (const name of rebuilt) {
    const [, wanted] = FILES.find(([known]) => known === name)!
    expect(md5(await readFile(join(kit.into, name))), name).toBe(md5(wanted))
  }
  return [...rebuilt].sort()
}

describe('parity', () => {
  it('of the same files has the same bytes, whatever their order and the memory', async () => {
    const files = ['empty', 'table', 'image', 'sub/note']
    const one = await makeKit({ recoveryBlocks: 12 })
    const two = await makeKit({ recoveryBlocks: 12, files, memory: 8 * BLOCK })
    expect(await digestsBelow(one.parity.root)).toEqual(await digestsBelow(two.parity.root))
    // These never change: kits that exist must stay checkable, and new ones comparable.
    expect(await digestsBelow(one.parity.root)).toEqual({
      'kit.par2': '54fadb38b13f3382aab0303d21834aa6',
      'kit.vol0+1.par2': '5dd9dc7d366b07698fd729dc7ae0ecb8',
      'kit.vol1+2.par2': '6a16db02079e8aa3c27d25289c34008e',
      'kit.vol3+9.par2': 'b72b39542dcef281900ad8e7cf32c729',
    })
  })

  it('finds whole files whole', async () => {
    const report = await verifyWithParity(await makeKit())
    expect(report).toMatchObject({ isWhole: true, isRepairable: true, lost: 0, recovery: 5 })
    expect(report.blockSize).toBe(BLOCK)
    const counts = report.files.map(({ name, state, blocks }) => [name, state, blocks.length])
    expect(counts.sort()).toEqual([
      ['empty', 'whole', 0],
      ['image', 'whole', 10],
      ['sub/note', 'whole', 1],
      ['table', 'whole', 4],
    ])
  })

  it('names the blocks that are good', async () => {
    const kit = await makeKit()
    await hit(kit, 'image', [0, 9])
    const { files, lost } = await verifyWithParity(kit)
    expect(lost).toBe(2)
    const blocks = files.find(({ name }) => name === 'image')?.blocks
    expect(blocks?.map((state) => state === 'here')).toEqual([
      false,
      ...Array.from({ length: 8 }, () => true),
      false,
    ])
  })

  it('repairs any damage of as many blocks as it has, in stripes of any width', async () => {
    const damage = fc.uniqueArray(fc.nat(14), { minLength: 1, maxLength: 12 })
    const memory = fc.constantFrom(undefined, 8 * BLOCK, 9 * BLOCK)
    await fc.assert(
      fc.asyncProperty(damage, memory, async (blocks, bytes) => {
        const kit = await makeKit({ recoveryBlocks: 12 })
        const inFile = (first: number, count: number): number[] =>
          blocks.filter((at) => at >= first && at < first + count).map((at) => at - first)
        await hit(kit, 'image', inFile(0, 10))
        await hit(kit, 'table', inFile(10, 4))
        if (blocks.includes(14)) await rm(join(kit.root, 'sub/note'))
        await expectRepair(kit, { memory: bytes })
      }),
      { numRuns: 40 },
    )
  })

  it('changes nothing when one block more is lost, and names every bad file', async () => {
    const kit = await makeKit()
    await hit(kit, 'image', [1, 2, 3, 4])
    await hit(kit, 'table', [0, 3])
    const before = await digestsBelow(kit.root)
    const repair = repairWithParity(kit)
    await expect(repair).rejects.toMatchObject({
      code: 'parity-not-enough',
      message: expect.stringMatching(/(?=.*"image")(?=.*"table")(?!.*"sub)/) as string,
    })
    expect(await digestsBelow(kit.root)).toEqual(before)
    expect(await digestsBelow(kit.into)).toEqual({})
    expect(await verifyWithParity(kit)).toMatchObject({ lost: 6, isRepairable: false })
    await hit(kit, 'table', [0])
    expect(await expectRepair(kit)).toEqual(['image', 'table'])
  })

  it('needs no index, and only intact recovery blocks', async () => {
    const kit = await makeKit()
    const [index, ...volumes] = kit.parity.paths
    await rm(join(kit.parity.root, index!))
    for (const volume of volumes) {
      const bytes = await readFile(join(kit.parity.root, volume))
      bytes[80]! ^= 1 // in the first recovery block
      await writeFile(join(kit.parity.root, volume), bytes)
    }
    await hit(kit, 'image', [2, 5])
    const report = await verifyWithParity(kit)
    expect(report).toMatchObject({ recovery: 5 - volumes.length, lost: 2, passedOver: [index] })
    expect(await expectRepair(kit)).toEqual(['image'])
  })
})

describe('blocks', () => {
  it('are found at other positions', async () => {
    const kit = await makeKit()
    const bytes = FILES[0]![1]
    const shifted = [bytes.subarray(0, 700), Buffer.from('!'), bytes.subarray(700)]
    await writeFile(join(kit.root, 'image'), Buffer.concat(shifted))
    expect(await verifyWithParity(kit)).toMatchObject({ lost: 1 })
    await writeFile(join(kit.root, 'image'), bytes.subarray(3))
    expect(await verifyWithParity(kit)).toMatchObject({ lost: 1 })
    expect(await expectRepair(kit)).toEqual(['image'])
  })

  it('are found where other bytes follow the last, short one', async () => {
    const kit = await makeKit()
    for (const [name, bytes] of FILES)
      await writeFile(join(kit.root, name), Buffer.concat([bytes, noise(300, 8)]))
    expect(await verifyWithParity(kit)).toMatchObject({ lost: 0, isWhole: false })
    expect(await expectRepair(kit)).toEqual(['empty', 'image', 'sub/note', 'table'])
  })

  it('are found in files of other names', async () => {
    const kit = await makeKit({ recoveryBlocks: 0 })
    await rename(join(kit.root, 'image'), join(kit.root, 'renamed'))
    await rename(join(kit.root, 'table'), join(kit.root, 'image'))
    await rename(join(kit.root, 'sub/note'), join(kit.root, 'table'))
    const extra = [{ root: kit.root, paths: ['renamed'] }]
    expect(await verifyWithParity(kit)).toMatchObject({ lost: 10 })
    const report = await verifyWithParity({ ...kit, extra })
    expect(report).toMatchObject({ lost: 0, isWhole: false, isRepairable: true })
    const places = report.files.map(({ name, state, others }) => [
      name,
      state,
      ...others.map(({ path }) => path),
    ])
    expect(places.sort()).toEqual([
      ['empty', 'whole'],
      ['image', 'damaged', 'renamed'],
      ['sub/note', 'missing', 'table'],
      ['table', 'damaged', 'image'],
    ])
    expect(await expectRepair(kit, { extra })).toEqual(['image', 'sub/note', 'table'])
  })

  it('that are alike stand for each other, but count as those of their own file', async () => {
    const folder = await temporaryFolder()
    const [x, y, z] = [4, 5, 6].map((seed) => noise(BLOCK, seed))
    const files: Content[] = [
      ['one', Buffer.concat([x!, y!, x!])],
      ['two', Buffer.concat([y!, z!])],
      ['twin', Buffer.concat([y!, z!])],
    ]
    await writeFiles(folder, files)
    const made = await createParity({
      root: folder,
      files: ['one', 'twin', 'two'],
      blockSize: BLOCK,
      recoveryBlocks: 0,
      output: { folder, name: 'kit' },
    })
    const kit = { root: folder, into: folder, parity: { root: folder, paths: made.files } }
    const blocks = async (): Promise<string[]> =>
      (await verifyWithParity(kit)).files
        .toSorted((a, b) => byCodeUnit(a.name, b.name))
        .map((file) => file.blocks.join(' '))
    expect(await blocks()).toEqual(['here here here', 'here here', 'here here'])
    await hit(kit, 'one', [0, 1])
    expect(await blocks()).toEqual(['here elsewhere here', 'here here', 'here here'])
    await writeFiles(folder, files)
    await hit(kit, 'one', [0, 2])
    await hit(kit, 'twin', [1])
    await hit(kit, 'two', [1])
    expect(await blocks()).toEqual(['lost here lost', 'here lost', 'here lost'])
  })

  it('of a file that holds another one are not passed over for those of the other', async () => {
    const folder = await temporaryFolder()
    const inner = noise(20 * BLOCK, 7)
    const files: Content[] = [
      ['image', Buffer.concat([noise(BLOCK + 50, 8), inner, noise(3 * BLOCK, 9)])],
      ['source', inner],
    ]
    await writeFiles(folder, files)
    const made = await createParity({
      root: folder,
      files: ['image', 'source'],
      blockSize: BLOCK,
      recoveryBlocks: 1,
      output: { folder, name: 'kit' },
    })
    const parity = { root: folder, paths: made.files }
    await hit({ root: folder, into: folder, parity }, 'image', [0])
    expect(await verifyWithParity({ root: folder, parity })).toMatchObject({ lost: 1 })
  })

  it('of two ruined copies make a whole', async () => {
    const kit = await makeKit({ recoveryBlocks: 1 })
    const copy = await temporaryFolder()
    await writeFiles(copy, FILES)
    await hit(kit, 'image', [0, 2, 4, 6, 8])
    await hit({ ...kit, root: copy }, 'image', [1, 2, 3, 5, 7, 9])
    await expect(repairWithParity(kit)).rejects.toMatchObject({ code: 'parity-not-enough' })
    const extra = [{ root: copy, paths: ['image'] }]
    expect(await expectRepair(kit, { extra })).toEqual(['image'])
  })
})

describe('making parity', () => {
  it.each([0, -4, 6, 4.5, NaN, 64 << 20])('refuses blocks of %d bytes', (blockSize) =>
    expect(makeKit({ blockSize })).rejects.toMatchObject({ code: 'parity-limits' }),
  )

  it.each([-1, 0.5, 65536])('refuses %d recovery blocks', (recoveryBlocks) =>
    expect(makeKit({ recoveryBlocks })).rejects.toMatchObject({ code: 'parity-limits' }),
  )

  it('refuses more than 32,768 blocks', async () => {
    const root = await temporaryFolder()
    await writeFile(join(root, 'image'), Buffer.alloc(4 * 32768 + 1))
    const made = makeKit({ root, files: ['image'], blockSize: 4 })
    await expect(made).rejects.toMatchObject({ code: 'parity-limits' })
  })

  it('refuses names that no reader would take', async () => {
    for (const files of [['../kit/image'], ['image', 'image'], ['sub/../image'], ['/etc/hosts']])
      await expect(makeKit({ files })).rejects.toMatchObject({ code: 'parity-refused' })
    await expect(makeKit({ files: ['sub'] })).rejects.toMatchObject({ code: 'unsafe-path' })
  })

  it('replaces nothing, and leaves nothing behind', async () => {
    const { root } = await makeKit()
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'kit.vol1+4.par2'), 'mine')
    const made = makeKit({ root, output: { folder, name: 'kit' } })
    await expect(made).rejects.toMatchObject({ code: 'parity-file-there' })
    expect(await digestsBelow(folder)).toEqual({ 'kit.vol1+4.par2': md5(Buffer.from('mine')) })
  })

  it('notices that a file changes meanwhile', async () => {
    const { root } = await makeKit()
    const folder = await temporaryFolder()
    let isChanged = false
    const made = makeKit({
      root,
      output: { folder, name: 'kit' },
      onProgress: () => {
        if (!isChanged) writeFileSync(join(root, 'image'), 'x')
        isChanged = true
      },
    })
    await expect(made).rejects.toMatchObject({ code: 'parity-input-changed' })
    expect(await digestsBelow(folder)).toEqual({})
  })

  it('says how far it is, and ends when it is told to', async () => {
    const steps: [number, number][] = []
    const kit = await makeKit({ onProgress: (...step) => steps.push(step) })
    const total = 2500 + 99 + 1024 + 15 * BLOCK
    expect(steps.at(-1)).toEqual([total, total])
    expect(steps.every(([done], at) => done >= (steps[at - 1]?.[0] ?? 0))).toBe(true)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(makeKit({ signal })).rejects.toThrow('enough')
    await expect(verifyWithParity({ ...kit, signal })).rejects.toThrow('enough')
    await expect(repairWithParity({ ...kit, signal })).rejects.toThrow('enough')
  })
})

describe('a failure in the middle', () => {
  /** Fails as soon as something is at a path. */
  const failAt = (path: string) => () => {
    if (existsSync(path)) throw new Error('in the middle')
  }

  it('leaves no parity behind', async () => {
    const { root } = await makeKit()
    const folder = await temporaryFolder()
    const onProgress = failAt(join(folder, 'kit.par2'))
    const made = makeKit({ root, output: { folder, name: 'kit' }, onProgress })
    await expect(made).rejects.toThrow('in the middle')
    expect(await digestsBelow(folder)).toEqual({})
  })

  it('leaves no rebuilt file behind', async () => {
    const kit = await makeKit()
    await rm(join(kit.root, 'sub/note'))
    await hit(kit, 'image', [3])
    for (const name of ['image', 'sub/note']) {
      const onProgress = failAt(join(kit.into, name))
      await expect(repairWithParity({ ...kit, onProgress })).rejects.toThrow('in the middle')
      expect(await digestsBelow(kit.into)).toEqual({})
    }
    expect(await expectRepair(kit)).toEqual(['image', 'sub/note'])
  })
})
