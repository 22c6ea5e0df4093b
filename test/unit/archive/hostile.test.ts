import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe as group, expect, it } from 'vitest'
import { blockChecksum } from '../../../src/archive/par2/blocks.ts'
import { checksumsBody, fileBody, fileId, mainBody } from '../../../src/archive/par2/bodies.ts'
import { createParity } from '../../../src/archive/par2/create.ts'
import { packet } from '../../../src/archive/par2/packet.ts'
import { repairWithParity } from '../../../src/archive/par2/repair.ts'
import { verifyWithParity, type ParityReport } from '../../../src/archive/par2/verify.ts'
import {
  checksumsOf,
  craft,
  describe,
  digestsBelow,
  md5,
  noise,
  writeFiles,
  type Content,
  type Crafted,
} from '../../support/parity.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

const BYTES = noise(200, 7)
const FILE = describe(['good', BYTES])

/** Folders of a test: `root` holds kit.par2, `into` is empty, `outside` must stay as it is. */
async function folders(parity: Buffer): Promise<{ root: string; into: string; all: string }> {
  const all = await temporaryFolder()
  const [root, into] = [join(all, 'root'), join(all, 'into')]
  await writeFiles(all, [
    ['root/kit.par2', parity],
    ['outside/theirs', Buffer.from('theirs')],
  ])
  await mkdir(into)
  return { root, into, all }
}

/** Verifies and repairs by hostile parity: both fail with a code, and nothing is written. */
async function expectRefusal(crafted: Crafted | Buffer, code = 'parity-refused'): Promise<void> {
  const bytes = Buffer.isBuffer(crafted) ? crafted : craft(crafted)
  const { root, into, all } = await folders(bytes)
  const parity = { root, paths: ['kit.par2'] }
  const before = await digestsBelow(all)
  await expect(verifyWithParity({ root, parity })).rejects.toMatchObject({ code })
  await expect(repairWithParity({ root, parity, into })).rejects.toMatchObject({ code })
  expect(await digestsBelow(all)).toEqual(before)
}

async function verify(crafted: Crafted, files: readonly Content[] = []): Promise<ParityReport> {
  const { root } = await folders(craft(crafted))
  await writeFiles(root, files)
  return verifyWithParity({ root, parity: { root, paths: ['kit.par2'] } })
}

group('names', () => {
  it.each([
    '../outside/theirs',
    'a/../../outside/theirs',
    '/etc/passwd',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\u202eb',
    'a//b',
    './a',
    'a/',
    '..',
    `long/${'x'.repeat(256)}`,
    'd/'.repeat(2100) + 'x',
  ])('like %j are refused', (name) =>
    expectRefusal({ files: [FILE, describe([name, Buffer.alloc(0)])] }),
  )

  it('that are not UTF-8 are refused', async () => {
    const body = fileBody(FILE)
    body.writeUInt8(0xff, 56)
    const id = md5(body.subarray(32))
    body.write(id, 'hex')
    const main = mainBody({ blockSize: 64, ids: [id], others: [] })
    const set = md5(main)
    await expectRefusal(Buffer.concat([packet(set, 'main', main), packet(set, 'file', body)]))
  })

  it('may count with the zeros behind them, as some programs do it', async () => {
    const file = describe(['good1', BYTES])
    const files = [{ ...file, id: fileId({ ...file, name: 'good1\0\0\0' }) }]
    expect((await verify({ files })).files[0]?.name).toBe('good1')
  })

  it('of two files may not be the same, nor one the folder of another', async () => {
    const other = noise(30, 8)
    await expectRefusal({ files: [FILE, describe(['good', other])] })
    await expectRefusal({ files: [FILE, describe(['good/other', other])] })
  })
})

group('numbers', () => {
  it.each([0, 2, 6, 2 ** 52, 64 << 20])('like blocks of %d bytes are refused', (blockSize) =>
    expectRefusal({ files: [FILE], blockSize }),
  )

  it('of files and blocks that cannot be are refused', async () => {
    const many = mainBody({ blockSize: 64, ids: [FILE.id], others: [] })
    many.writeUInt32LE(2 ** 32 - 1, 8)
    await expectRefusal({ files: [FILE], main: many })
    await expectRefusal({ files: [describe(['good', BYTES], { size: 2 ** 52 })] })
    await expectRefusal({ files: [describe(['good', BYTES], { size: 32768 * 64 + 1 })] })
    await expectRefusal({ files: [FILE], checksums: [[FILE.id, Buffer.alloc(20 * 5)]] })
    await expectRefusal({ files: [FILE], checksums: [[FILE.id, Buffer.alloc(20 * 3)]] })
    await expectRefusal({ files: [], main: Buffer.alloc(8) })
  })

  it('of size make no file, and take no room, before it is known to be repairable', async () => {
    const huge = describe(['huge', BYTES], { size: 32768 * (16 << 20) })
    const { root, into } = await folders(craft({ files: [huge], blockSize: 16 << 20 }))
    const parity = { root, paths: ['kit.par2'] }
    const repair = repairWithParity({ root, parity, into })
    await expect(repair).rejects.toMatchObject({ code: 'parity-not-enough' })
    expect(await digestsBelow(into)).toEqual({})
  })

  it('of exponents count once, and only as far as they can be used', async () => {
    const block = (exponent: number): Buffer => {
      const body = Buffer.alloc(4 + 64)
      body.writeUInt32LE(exponent)
      return body
    }
    const more = (set: string): Buffer[] => [
      ...[0, 0, 1, 65534, 65535, 2 ** 32 - 1].map((one) => packet(set, 'recovery', block(one))),
      packet(set, 'recovery', Buffer.alloc(4 + 60)), // of another block size
    ]
    expect(await verify({ files: [FILE], more })).toMatchObject({ recovery: 3, lost: 4 })
  })
})

it('many names in deep folders do not keep the check of names busy', async () => {
  const deep = 'd/'.repeat(2000)
  const files = Array.from({ length: 4000 }, (_, index) =>
    describe([`${deep}${index}`, Buffer.alloc(0)]),
  )
  const ids = files.map(({ id }) => id)
  const main = mainBody({ blockSize: 64, ids: [], others: ids })
  expect((await verify({ files, main })).files).toHaveLength(4000)
})

it('many files of the same bytes do not keep the search busy', async () => {
  const files = Array.from({ length: 20_000 }, (_, index) => describe([`${index}`, BYTES]))
  const checksums = files.map(({ id }) => [id, checksumsOf(BYTES, 256)] as const)
  const report = await verify({ files, checksums, blockSize: 256 }, [['19999', BYTES]])
  expect(report).toMatchObject({ lost: 0, isWhole: false })
})

group('identifiers', () => {
  it('that a set lists twice are refused', () => expectRefusal({ files: [FILE, FILE] }))

  it('that are not those of their contents are refused', async () => {
    await expectRefusal({ files: [{ ...FILE, id: md5(BYTES) }] })
    const main = mainBody({ blockSize: 64, ids: [], others: [] })
    await expectRefusal(packet(md5(BYTES), 'main', main), 'parity-unreadable')
  })

  it('with two descriptions or lists of checksums are refused', () =>
    expectRefusal({
      files: [FILE],
      checksums: [
        [FILE.id, checksumsOf(BYTES, 64)],
        [FILE.id, checksumsOf(noise(200, 9), 64)],
      ],
    }))

  it('of two sets are refused', () =>
    expectRefusal(
      Buffer.concat([craft({ files: [FILE] }), craft({ files: [FILE], blockSize: 32 })]),
      'parity-mixed',
    ))

  it('without packets say that parity cannot be read', async () => {
    await expectRefusal(Buffer.alloc(0), 'parity-unreadable')
    const main = mainBody({ blockSize: 64, ids: [FILE.id], others: [] })
    await expectRefusal({ files: [], main }, 'parity-unreadable')
  })
})

group('files', () => {
  it('are passed over where a link, pipe or folder takes the place of parity', async () => {
    const { root, all } = await folders(craft({ files: [FILE] }))
    await symlink(join(root, 'kit.par2'), join(root, 'link.par2'))
    await symlink(join(all, 'outside'), join(root, 'away'))
    makeFifo(join(root, 'fifo.par2'))
    await mkdir(join(root, 'folder.par2'))
    const odd = ['link.par2', 'fifo.par2', 'folder.par2', 'missing.par2', 'away/theirs']
    const report = await verifyWithParity({ root, parity: { root, paths: [...odd, 'kit.par2'] } })
    expect(report.passedOver).toEqual(odd)
    expect(report.files[0]?.state).toBe('missing')
  })

  it('are rebuilt elsewhere where a dangling link or a pipe takes their place', async () => {
    const all = await temporaryFolder()
    const [root, into] = [join(all, 'root'), join(all, 'into')]
    const files: Content[] = ['a', 'b/c', 'd'].map((name, at) => [name, noise(100, at)])
    await writeFiles(root, files.slice(2))
    const made = join(all, 'made')
    await writeFiles(made, files)
    await mkdir(into)
    const { files: paths } = await createParity({
      root: made,
      files: files.map(([name]) => name),
      blockSize: 64,
      recoveryBlocks: 4,
      output: { folder: root, name: 'kit' },
    })
    await symlink(join(all, 'nowhere'), join(root, 'a'))
    await mkdir(join(root, 'b'))
    makeFifo(join(root, 'b/c'))
    const before = await digestsBelow(root)
    const extra = [{ root, paths: ['a', 'b/c', 'kit.par2'] }]
    const options = { root, parity: { root, paths }, into, extra }
    const { rebuilt, report } = await repairWithParity(options)
    expect(report.files.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
      'a unreadable',
      'b/c unreadable',
      'd whole',
    ])
    expect([...rebuilt].sort()).toEqual(['a', 'b/c'])
    expect(await digestsBelow(root)).toEqual(before)
    expect(await readFile(join(into, 'b/c'))).toEqual(files[1]?.[1])
    expect(Object.keys(await digestsBelow(all)).filter((path) => path.includes('nowhere'))).toEqual(
      [],
    )
    // Nothing is replaced, be it by a second run or through a link.
    await expect(repairWithParity(options)).rejects.toMatchObject({ code: 'parity-file-there' })
    expect(await readFile(join(into, 'b/c'))).toEqual(files[1]?.[1])
    const linked = join(all, 'linked')
    await mkdir(linked)
    await symlink(join(all, 'made'), join(linked, 'b'))
    const atLink = repairWithParity({ ...options, into: linked })
    await expect(atLink).rejects.toMatchObject({ code: 'unsafe-path' })
    expect(Object.keys(await digestsBelow(linked))).toEqual(['b'])
  })

  it('that do not get the digest that parity states are removed again', async () => {
    const honest = describe(['good', BYTES])
    const lies = [{ md5: md5(Buffer.from('x')) }, { md5Of16k: md5(Buffer.from('x')) }]
    for (const lie of lies) {
      const file = describe(['sub/good', BYTES], lie)
      const checksums = [[file.id, checksumsOf(BYTES, 64)]] as const
      const { root, into, all } = await folders(craft({ files: [file], checksums }))
      await writeFile(join(root, 'copy'), BYTES)
      const before = await digestsBelow(all)
      const repair = repairWithParity({
        root,
        parity: { root, paths: ['kit.par2'] },
        extra: [{ root, paths: ['copy'] }],
        into,
      })
      await expect(repair, honest.name).rejects.toMatchObject({ code: 'parity-not-rebuilt' })
      expect(await digestsBelow(all)).toEqual(before)
    }
  })
})

it('a right CRC and a wrong MD5 at every position do not keep the search busy', async () => {
  const blockSize = 1 << 20
  const bytes = Buffer.alloc(blockSize + (1 << 19), 0x41)
  const file = describe(['good', bytes], { md5: md5(BYTES) })
  const block = bytes.subarray(0, blockSize)
  const lie = blockChecksum(Buffer.alloc(16), crc32(block))
  const more = (set: string): Buffer[] => [
    packet(set, 'checksums', checksumsBody(file.id, Buffer.concat([lie, lie]))),
  ]
  expect(await verify({ files: [file], blockSize, more }, [['good', bytes]])).toMatchObject({
    lost: 2,
  })
})

it('many equal blocks are found without looking at each pair', async () => {
  const bytes = Buffer.alloc(4 * 32768)
  const file = describe(['zeros', bytes])
  const checksums = [[file.id, checksumsOf(bytes, 4)]] as const
  const shifted = Buffer.concat([Buffer.from('xyz'), bytes])
  const report = await verify({ files: [file], blockSize: 4, checksums }, [['zeros', shifted]])
  expect(report).toMatchObject({ lost: 0, isWhole: false, isRepairable: true })
})
