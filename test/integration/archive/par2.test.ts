import { execa } from 'execa'
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createParity } from '../../../src/archive/par2/create.ts'
import { repairWithParity } from '../../../src/archive/par2/repair.ts'
import { verifyWithParity, type ParityReport } from '../../../src/archive/par2/verify.ts'
import { md5, noise, writeFiles, type Content } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const hasPar2 = await execa('par2', ['--version']).then(
  () => true,
  () => false,
)

const BLOCK = 1024
const RECOVERY = 12

/** 49 + 20 + 1 + 1 blocks, of which two are alike. */
const FILES: readonly Content[] = [
  ['data/images/image.img', Buffer.concat([noise(40_000, 1), Buffer.alloc(9_000)])],
  ['data/sources/tool_1.0.orig.tar.gz', noise(20 * BLOCK, 2)],
  ['manifest-sha256.txt', Buffer.from('0123456789abcdef  data/images/image.img\n')],
  ['name with blanks', noise(7, 3)],
]
const IMAGE = 'data/images/image.img'
const SOURCE = 'data/sources/tool_1.0.orig.tar.gz'
const MANIFEST = 'manifest-sha256.txt'

/** A folder of files, with their parity beside them. */
type Maker = (root: string) => Promise<void>

const ours: Maker = async (root) => {
  await createParity({
    root,
    files: FILES.map(([name]) => name),
    blockSize: BLOCK,
    recoveryBlocks: RECOVERY,
    output: { folder: root, name: 'kit' },
  })
}

const theirs: Maker = async (root) => {
  const sizes = [`-s${BLOCK}`, `-c${RECOVERY}`, '-q', '-q']
  const files = FILES.map(([name]) => join(root, name))
  await execa('par2', ['create', ...sizes, '-B', root, join(root, 'kit.par2'), ...files])
}

async function makeKit(maker: Maker): Promise<string> {
  const root = await temporaryFolder()
  await writeFiles(root, FILES)
  await maker(root)
  return root
}

async function parityIn(root: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => name.endsWith('.par2')).sort()
}

/** Changes one byte in each of some blocks. */
async function hit(root: string, name: string, blocks: readonly number[]): Promise<void> {
  const bytes = await readFile(join(root, name))
  for (const block of blocks) bytes[block * BLOCK + 5]! ^= 0x80
  await writeFile(join(root, name), bytes)
}

/** All files and links below a folder, by path, with their digests. */
async function state(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, md5(await readFile(join(root, path)))] as const),
    ),
  )
}

/** Exit status of par2: 0 whole or repaired, 1 repairable, 2 not repairable. */
async function par2(
  root: string,
  command: 'verify' | 'repair',
  more: string[] = [],
): Promise<number> {
  const [first = 'kit.par2'] = await parityIn(root)
  const words = [command, '-q', '-q', '-B', root, join(root, first), ...more]
  return (await execa('par2', words, { cwd: root, reject: false })).exitCode ?? -1
}

/** What our own check says, with all files below the folder as extra ones. */
async function check(root: string): Promise<ParityReport> {
  const parity = { root, paths: await parityIn(root) }
  const paths = [...(await state(root)).keys()].filter((path) => !path.endsWith('.par2'))
  return verifyWithParity({ root, parity, extra: [{ root, paths }] })
}

/** Repairs with our own code, and puts what was rebuilt in place. */
async function repair(root: string): Promise<void> {
  const into = await temporaryFolder()
  const parity = { root, paths: await parityIn(root) }
  const paths = [...(await state(root)).keys()].filter((path) => !path.endsWith('.par2'))
  const options = { root, parity, extra: [{ root, paths }], into }
  for (const name of (await repairWithParity(options)).rebuilt) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await rm(join(root, name), { force: true })
    await copyFile(join(into, name), join(root, name))
  }
}

async function expectWhole(root: string): Promise<void> {
  const found = await state(root)
  for (const [name, bytes] of FILES) expect(found.get(name), name).toBe(md5(bytes))
}

interface Damage {
  readonly title: string
  readonly of: (root: string) => Promise<void>
  /** Names that par2 has to be told of. */
  readonly more?: readonly string[]
}

const DAMAGES: readonly Damage[] = [
  {
    title: 'a file deleted, bytes flipped, a file emptied, a file renamed',
    more: ['other'],
    of: async (root) => {
      await rm(join(root, 'name with blanks'))
      await hit(root, IMAGE, [0, 7, 33])
      await writeFile(join(root, MANIFEST), '')
      await rename(join(root, SOURCE), join(root, 'other'))
    },
  },
  {
    title: 'a byte inserted',
    of: async (root) => {
      const [, bytes] = FILES[0]!
      const parts = [bytes.subarray(0, 3000), Buffer.from('x'), bytes.subarray(3000)]
      await writeFile(join(root, IMAGE), Buffer.concat(parts))
    },
  },
  {
    title: 'a file cut off and another one with more at its end',
    of: async (root) => {
      await writeFile(join(root, IMAGE), FILES[0]![1].subarray(0, 39_000))
      await writeFile(join(root, SOURCE), Buffer.concat([FILES[1]![1], noise(500, 9)]))
    },
  },
  {
    title: 'the index deleted, packets damaged',
    of: async (root) => {
      await rm(join(root, 'kit.par2'))
      const [first, second] = await parityIn(root)
      for (const name of [first!, second!]) {
        const bytes = await readFile(join(root, name))
        bytes[bytes.indexOf('RecvSlic') + 50]! ^= 1
        bytes[bytes.indexOf('FileDesc') + 20]! ^= 1
        await writeFile(join(root, name), bytes)
      }
      await hit(root, IMAGE, [3])
      await hit(root, SOURCE, [19])
    },
  },
  {
    title: 'as many blocks lost as there are recovery blocks',
    of: (root) => hit(root, SOURCE, [0, 1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 19]),
  },
]

const PAIRS = [
  { maker: 'our', make: ours },
  { maker: "par2's", make: theirs },
]

describe.skipIf(!hasPar2)('with par2, of Debian,', () => {
  describe.each(PAIRS)('$maker parity', ({ make }) => {
    it('is right to both', async () => {
      const root = await makeKit(make)
      expect(await par2(root, 'verify')).toBe(0)
      expect(await check(root)).toMatchObject({ isWhole: true, recovery: RECOVERY, lost: 0 })
    })

    it.each(DAMAGES)('repairs: $title', async ({ of, more = [] }) => {
      const [one, two] = [await makeKit(make), await makeKit(make)]
      for (const root of [one, two]) await of(root)
      const report = await check(one)
      expect(report).toMatchObject({ isWhole: false, isRepairable: true })
      const extra = more.map((name) => join(one, name))
      expect(await par2(one, 'verify', extra)).toBe(1)
      expect(await par2(one, 'repair', extra)).toBe(0)
      await expectWhole(one)
      await repair(two)
      await expectWhole(two)
      expect(await check(two)).toMatchObject({ isWhole: true })
      expect(await par2(two, 'verify')).toBe(0)
    })

    it('changes nothing where one block more is lost', async () => {
      const root = await makeKit(make)
      await hit(
        root,
        SOURCE,
        Array.from({ length: RECOVERY }, (_, index) => index),
      )
      await hit(root, IMAGE, [4])
      const before = await state(root)
      expect(await check(root)).toMatchObject({ lost: RECOVERY + 1, isRepairable: false })
      await expect(repair(root)).rejects.toMatchObject({ code: 'parity-not-enough' })
      expect(await par2(root, 'verify')).toBe(2)
      expect(await par2(root, 'repair')).toBe(2)
      expect(await state(root)).toEqual(before)
    })

    it('makes a whole of two ruined copies', async () => {
      const root = await makeKit(make)
      await copyFile(join(root, SOURCE), join(root, 'copy'))
      const odd = Array.from({ length: 10 }, (_, index) => 2 * index + 1)
      await hit(root, SOURCE, odd)
      await hit(root, IMAGE, [1, 2, 3])
      expect(await check(root)).toMatchObject({ lost: 3, isRepairable: true })
      await hit(
        root,
        'copy',
        odd.map((block) => block - 1),
      )
      expect(await check(root)).toMatchObject({ lost: 3, isRepairable: true })
      await repair(root)
      await expectWhole(root)
    })

    it('finds the same blocks as par2 does', async () => {
      const root = await makeKit(make)
      const blocks = [FILES[1]![1].subarray(BLOCK, 9 * BLOCK), FILES[0]![1].subarray(5, 30_000)]
      await writeFile(join(root, IMAGE), Buffer.concat(blocks))
      await rm(join(root, SOURCE))
      const words = ['verify', '-B', root, join(root, 'kit.par2')]
      const { stdout } = await execa('par2', words, { cwd: root, reject: false })
      const [, good, all] = /have (\d+) out of (\d+) data blocks/.exec(stdout)!
      const { lost, files } = await check(root)
      const count = files.reduce((sum, file) => sum + file.blocks.length, 0)
      expect([count - lost, count]).toEqual([Number(good), Number(all)])
    })
  })

  it('empty files beside the others are no fault to par2, and are made again', async () => {
    const root = await temporaryFolder()
    await writeFiles(root, [['empty', Buffer.alloc(0)], ...FILES])
    await createParity({
      root,
      files: ['empty', ...FILES.map(([name]) => name)],
      blockSize: BLOCK,
      recoveryBlocks: RECOVERY,
      output: { folder: root, name: 'kit' },
    })
    expect(await par2(root, 'verify')).toBe(0)
    await rm(join(root, 'empty'))
    await hit(root, IMAGE, [2])
    expect(await par2(root, 'repair')).toBe(0)
    await repair(root)
    await expectWhole(root)
    expect(await readFile(join(root, 'empty'), 'utf8')).toBe('')
  })
})
