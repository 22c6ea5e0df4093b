import {
  chmod,
  link,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keyOf, type InputRef } from '../../../../src/plan/action-document.ts'
import { digestOf, type Digest } from '../../../../src/base/digest.ts'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import { examineReceipts, type Examination } from '../../../../src/report/receipts/examine.ts'
import { receiptLine, type Receipt } from '../../../../src/report/receipts/receipt.ts'
import { parseTime } from '../../../../src/report/receipts/ssh/time.ts'
import { BLOCK, encodeEntry, padding } from '../../../../src/store/artifact/tar-header.ts'
import {
  artifactOf,
  DEBIAN,
  document,
  receiptOf,
  toySigner,
  type ToySigner,
} from '../../../support/receipts.ts'
import { makeFifo, temporaryFolder } from '../../../support/temporary.ts'

const [ALICE, BOB] = [toySigner(), toySigner()]
const GCC = { recipe: 'toolchain/gcc' as RecipeId, artifact: artifactOf('toolchain/gcc') }
const INPUTS = [GCC]
/** What the image's own file holds, and the artifact that it makes. */
const IMAGE = 'the bytes of an image\n'
const ARTIFACT = artifactOfFile('image.img', IMAGE)
const zlib = (more: Partial<Receipt> = {}): Receipt => ({
  ...receiptOf('base/zlib', { inputs: INPUTS }),
  artifact: ARTIFACT,
  ...more,
})
const ZLIB = zlib()
const ALPINE = {
  distribution: 'alpine 3',
  kernel: '6.6',
  processor: 'AuthenticAMD family 25 model 1',
}

function artifactOfFile(path: string, text: string): Digest {
  const header = encodeEntry({ type: 'file', path, mode: 0o644, size: text.length })
  const rest = Buffer.alloc(padding(text.length) + 2 * BLOCK)
  return digestOf(Buffer.concat([header, Buffer.from(text), rest]))
}

/** The image's record: it holds gcc and zlib, which a host's make built. */
function recordOf() {
  const entry = (recipe: string, inputs: readonly InputRef[]) => ({
    recipe,
    version: '1',
    key: keyOf(document(recipe, inputs)),
    artifact: artifactOf(recipe),
  })
  const make = { recipe: 'bootstrap/make', version: '1', key: digestOf('key of make'), host: true }
  const gcc = entry('toolchain/gcc', [])
  const { recipe, key, artifact } = ZLIB
  const own: Entry = { recipe, version: '1', key, artifact }
  const files = [{ path: 'image.img', mode: 0o644, sha256: digestOf(IMAGE) }]
  return { recipe, key, artifact, files, recipes: [make, gcc, own] as Entry[] }
}

interface Entry {
  recipe: string
  version: string
  key: Digest
  artifact?: Digest
  host?: boolean
}

type Record = ReturnType<typeof recordOf>

/** A folder with an image, its record, and receipts. */
async function place(change: (record: Record) => unknown = () => undefined) {
  const folder = await temporaryFolder()
  const record = join(folder, 'image.json')
  const stated = recordOf()
  change(stated)
  await writeFile(record, JSON.stringify(stated))
  await writeFile(join(folder, 'image.img'), IMAGE)
  const signers = join(folder, 'signers')
  await writeFile(signers, `alice ${ALICE.line}\nbob ${BOB.line}\n`)
  const write = async (
    name: string,
    receipts: readonly Receipt[],
    signer?: ToySigner,
    {
      edit = (text: string) => text,
      namespace,
    }: {
      edit?: (text: string) => string
      namespace?: string
    } = {},
  ): Promise<string> => {
    const path = join(folder, `${name}.intoto.jsonl`)
    const text = receipts.map((receipt) => `${receiptLine(receipt)}\n`).join('')
    await writeFile(path, edit(text))
    if (signer !== undefined) await writeFile(`${path}.sig`, signer.sign(text, namespace))
    return path
  }
  const examine = (paths: readonly string[], how: Partial<Examination> = {}) =>
    examineReceipts({
      record,
      paths,
      signers,
      at: parseTime('20300101Z')!,
      require: undefined,
      signal: new AbortController().signal,
      ...how,
    })
  return { folder, signers, write, examine }
}

type Examined = Awaited<ReturnType<typeof examineReceipts>>

const zlibOf = ({ artifacts }: Examined) => artifacts.find(({ recipe }) => recipe === 'base/zlib')
const codesOf = ({ faults }: Examined): string[] => faults.map(({ code }) => code)

test('distinct keys, distributions and processors are counted for each artifact', async () => {
  const { write, examine, folder } = await place()
  const other = zlib({ machine: ALPINE })
  await write('alice', [ZLIB, receiptOf('toolchain/gcc')], ALICE)
  await write('alice-again', [ZLIB], ALICE)
  await write('bob', [other], BOB)
  const found = await examine([folder], { require: 1 })
  expect(found.artifacts.map(({ recipe, builders }) => [recipe, builders.length])).toEqual([
    ['toolchain/gcc', 1],
    ['base/zlib', 2],
  ])
  expect(zlibOf(found)).toMatchObject({
    builders: [ALICE.fingerprint, BOB.fingerprint].sort(),
    distributions: ['alpine 3', 'debian 12'],
    processors: [ALPINE.processor, DEBIAN.processor],
    uncounted: 0,
  })
  expect(codesOf(found)).toEqual([])
  const missing = await examine([folder], { require: 2 })
  expect(codesOf(missing)).toEqual(['not-confirmed'])
  expect(missing.faults[0]?.message).toContain('toolchain/gcc: 1 of 2')
  expect(missing.faults[0]?.message).not.toContain('base/zlib')
})

test('one key is one builder, whatever names it has', async () => {
  const { write, examine, signers } = await place()
  await writeFile(signers, `alice ${ALICE.line}\nbob ${ALICE.line}\n`)
  const paths = [
    await write('alice', [ZLIB], ALICE),
    await write('bob', [zlib({ machine: ALPINE })], ALICE),
  ]
  expect(zlibOf(await examine(paths))?.builders).toEqual([ALICE.fingerprint])
})

describe('not counted, but shown', () => {
  test.each([
    ['what nobody signed', undefined, '', 'unsigned'],
    ['what a stranger signed', toySigner(), '', 'unknown-signer'],
    ['an expired signer', ALICE, `alice valid-before="20291231Z" ${ALICE.line}`, 'expired'],
    ['a signer to come', ALICE, `alice valid-after="20300102Z" ${ALICE.line}`, 'not-yet-valid'],
    ['a signer of other things', ALICE, `alice namespaces="git" ${ALICE.line}`, 'other-namespace'],
  ])('is %s', async (_, signer, line, refusal) => {
    const { write, examine, signers } = await place()
    if (line !== '') await writeFile(signers, `${line}\n`)
    const found = await examine([await write('x', [ZLIB], signer)])
    expect(found.files).toMatchObject([{ refusal }])
    expect(zlibOf(found)).toMatchObject({ builders: [], distributions: [], uncounted: 1 })
    expect(codesOf(found)).toEqual([])
  })

  test('is anyone, where no signers are named', async () => {
    const { write, examine } = await place()
    const found = await examine([await write('x', [ZLIB], ALICE)], { signers: undefined })
    expect(found.files).toMatchObject([{ refusal: 'unknown-signer' }])
  })
})

describe('found, while the other files count', () => {
  const other = digestOf('another artifact')
  test.each<[string, Parameters<Awaited<ReturnType<typeof place>>['write']>[3], string]>([
    [
      'a changed artifact',
      { edit: (text) => text.replace(ZLIB.artifact, other) },
      'receipt-signature',
    ],
    ['a changed input', { edit: (text) => text.replace(GCC.artifact, other) }, 'receipt-signature'],
    ['a line more', { edit: (text) => `${text}${text}` }, 'receipt-signature'],
    ['another namespace', { namespace: 'file' }, 'receipt-signature'],
  ])('is %s in a signed file', async (_, how, code) => {
    const { write, examine } = await place()
    const paths = [await write('alice', [ZLIB], ALICE, how), await write('bob', [ZLIB], BOB)]
    const found = await examine(paths)
    expect(codesOf(found)).toEqual([code])
    expect(found.faults[0]?.message).toContain('alice.intoto.jsonl')
    expect(found.faults[0]?.message).toMatch(/SHA256:/)
    expect(zlibOf(found)?.builders).toEqual([BOB.fingerprint])
  })

  test.each([
    ['a signed file', ALICE, 'receipt-signature'],
    ['an unsigned file', undefined, 'receipt-invalid'],
  ])('is another byte that reads as the same text, in %s', async (_, signer, code) => {
    const { write, examine } = await place()
    const path = await write('x', [ZLIB], signer, { edit: (text) => `${text}\ufffd\n` })
    if (signer !== undefined)
      await writeFile(`${path}.sig`, signer.sign(await readFile(path, 'utf8')))
    const bytes = (await readFile(path)).toString('latin1').replace('\xef\xbf\xbd', '\xff')
    await writeFile(path, bytes, 'latin1')
    const { faults } = await examine([path])
    expect(faults.map((fault) => fault.code)).toEqual([code])
    if (signer === undefined) expect(faults[0]?.message).toContain('UTF-8')
  })

  test('is a changed input in an unsigned file', async () => {
    const { write, examine } = await place()
    const edit = (text: string): string => text.replace(GCC.artifact, other)
    const found = await examine([await write('x', [ZLIB], undefined, { edit })])
    expect(codesOf(found)).toEqual(['receipt-invalid'])
    expect(found.faults[0]?.message).toContain('line 1 of')
  })

  test('is a receipt that names another builder than its signer', async () => {
    const { write, examine } = await place()
    const found = await examine([
      await write('x', [{ ...ZLIB, builder: BOB.fingerprint }], ALICE),
      await write('y', [{ ...ZLIB, builder: BOB.fingerprint }], BOB),
    ])
    expect(codesOf(found)).toEqual(['receipt-invalid'])
    expect(zlibOf(found)?.builders).toEqual([BOB.fingerprint])
  })

  test.each(['', 'nonsense', 'x'.repeat(20_000)])('is the signature %.9s', async (text) => {
    const { write, examine } = await place()
    const path = await write('alice', [ZLIB])
    await writeFile(`${path}.sig`, text)
    expect(codesOf(await examine([path]))).toEqual(['receipt-signature'])
  })
})

describe('a contradiction', () => {
  test('of two builders names both, and both artifacts', async () => {
    const { write, examine } = await place()
    const own = receiptOf('base/own', { artifact: 'one' })
    const other = receiptOf('base/own', { artifact: 'other' })
    const paths = [await write('a', [own], ALICE), await write('b', [other], BOB)]
    const found = await examine(paths, { require: 1 })
    expect(codesOf(found)).toEqual(['receipts-contradict', 'not-confirmed'])
    const [fault] = found.faults
    expect(fault?.kind).toBe('notReproducible')
    for (const word of ['alice', 'bob', own.artifact, other.artifact, ALICE.fingerprint])
      expect(fault?.message).toContain(word)
  })

  test('of the image, by whomever', async () => {
    const { write, examine } = await place()
    const other = receiptOf('base/zlib', { inputs: INPUTS, artifact: 'other' })
    const found = await examine([await write('x', [other])])
    expect(codesOf(found)).toEqual(['receipts-contradict'])
    expect(found.faults[0]?.message).toContain('unsigned')
  })

  test('is none where the host may have a part', async () => {
    const { write, examine } = await place()
    const paths = [
      await write('a', [receiptOf('bootstrap/x', { host: true, artifact: 'one' })], ALICE),
      await write('b', [receiptOf('bootstrap/x', { host: true, artifact: 'other' })], BOB),
    ]
    expect(codesOf(await examine(paths))).toEqual([])
  })
})

test('what comes from other inputs, or is not in the image, is apart and not counted', async () => {
  const { write, examine } = await place()
  const receipts = [
    receiptOf('base/zlib', { inputs: [{ ...GCC, artifact: digestOf('other gcc') }] }),
    receiptOf('base/zstd'),
    receiptOf('bootstrap/make', { host: true }),
  ]
  const found = await examine([await write('alice', receipts, ALICE)])
  expect(found.apart.map(({ recipe, why }) => [recipe, why])).toEqual([
    ['base/zlib', 'other-inputs'],
    ['base/zstd', 'other-recipe'],
    ['bootstrap/make', 'host-layer'],
  ])
  expect(zlibOf(found)).toMatchObject({ builders: [], uncounted: 0 })
})

describe('a record that contradicts itself is refused', () => {
  const own = ({ recipes }: Record): Entry => recipes.find(({ recipe }) => recipe === 'base/zlib')!
  test.each<[string, (record: Record) => unknown]>([
    ['since it lists nothing', (record) => (record.recipes = [])],
    ['since it does not list its image', (record) => record.recipes.pop()],
    ['since it lists a recipe twice', ({ recipes }) => recipes.push({ ...recipes[1]! })],
    ['since its image is of the host', (record) => (own(record).host = true)],
    ['since its image has no artifact', (record) => delete own(record).artifact],
    ['since its image has another artifact', (record) => (own(record).artifact = digestOf('x'))],
    ['since it is of another artifact', (record) => (record.artifact = digestOf('x'))],
    ['since its image has another key', (record) => (own(record).key = digestOf('x'))],
    ['since it is of another key', (record) => (record.key = digestOf('x'))],
    [
      'since it is of a recipe that is not there',
      (record) => Object.assign(record, { recipe: 'x/y' }),
    ],
    ['since all is of the host', ({ recipes }) => recipes.forEach((one) => (one.host = true))],
  ])('%s', async (_, change) => {
    const { examine, write } = await place(change)
    const paths = [await write('alice', [ZLIB, receiptOf('toolchain/gcc')], ALICE)]
    await expect(examine(paths, { require: 1 })).rejects.toMatchObject({ code: 'no-record' })
    await expect(examine(paths)).rejects.toMatchObject({ code: 'no-record' })
  })
})

describe('what a confirmed action took must be counted: a record', () => {
  const gcc = ({ recipes }: Record): Entry => recipes[1]!
  test.each<[string, (record: Record) => unknown]>([
    ['that leaves it out', ({ recipes }) => recipes.splice(1, 1)],
    ['that says the host made it', (record) => (gcc(record).host = true)],
    ['that says it has no artifact', (record) => delete gcc(record).artifact],
    ['that names another artifact', (record) => (gcc(record).artifact = digestOf('x'))],
    ['that has it by another name', (record) => (gcc(record).recipe = 'toolchain/cc')],
  ])('%s confirms nothing', async (_, change) => {
    const { examine, write } = await place(change)
    const paths = [
      await write('alice', [ZLIB, receiptOf('toolchain/gcc')], ALICE),
      await write('bob', [ZLIB], BOB),
    ]
    const found = await examine(paths, { require: 1 })
    expect(codesOf(found)).toContain('not-confirmed')
    // One for all who ran it.
    const told = found.contradictions.filter(({ message }) =>
      message.includes('took toolchain/gcc'),
    )
    expect(told).toHaveLength(1)
    expect(found.apart).toContainEqual(
      expect.objectContaining({ recipe: 'base/zlib', why: 'other-inputs', receipts: 2 }),
    )
    expect(zlibOf(found)?.builders).toEqual([])
  })

  test('that names another key of a content confirms nothing', async () => {
    const contents = [{ ...GCC, version: '1', key: digestOf('another key') }]
    const action = { ...ZLIB.document, contents }
    const receipt = zlib({ document: action, key: keyOf(action) })
    const { examine, write } = await place((record) => {
      record.key = receipt.key
      record.recipes.at(-1)!.key = receipt.key
    })
    const paths = [await write('alice', [receipt, receiptOf('toolchain/gcc')], ALICE)]
    expect(codesOf(await examine(paths, { require: 1 }))).toEqual([
      'receipts-contradict',
      'not-confirmed',
    ])
  })

  test.each<[string, (record: Record) => unknown]>([
    ['leaves out', ({ recipes }) => recipes.shift()],
    [
      'counts',
      ({ recipes }) => Object.assign(recipes[0]!, { host: undefined, artifact: ARTIFACT }),
    ],
    ['names another key of', ({ recipes }) => (recipes[0]!.key = digestOf('x'))],
  ])('that %s what the host made confirms nothing', async (_, change) => {
    const make = { recipe: 'bootstrap/make' as RecipeId, key: digestOf('key of make') }
    const gcc = receiptOf('toolchain/gcc', { inputs: [make] })
    const receipts = [ZLIB, gcc]
    const whole = await place((record) => (record.recipes[1]!.key = gcc.key))
    const found = await whole.examine([await whole.write('alice', receipts, ALICE)], { require: 1 })
    expect(codesOf(found)).toEqual([])
    const { examine, write } = await place((record) => {
      record.recipes[1]!.key = gcc.key
      change(record)
    })
    const faults = await examine([await write('alice', receipts, ALICE)], { require: 1 })
    expect(codesOf(faults)).toEqual(['receipts-contradict', 'not-confirmed'])
  })
})

describe('an image is confirmed only with its own files', () => {
  const RECEIPTS = [ZLIB, receiptOf('toolchain/gcc')]
  test.each<[string, (folder: string) => unknown, ((record: Record) => unknown)?]>([
    ['without them', (folder) => rm(join(folder, 'image.img'))],
    ['with others', (folder) => writeFile(join(folder, 'image.img'), `${IMAGE}more`)],
    [
      'which a link does not stand for',
      async (folder) => {
        await rename(join(folder, 'image.img'), join(folder, 'other'))
        await symlink('other', join(folder, 'image.img'))
      },
    ],
    [
      'which a pipe does not stand for',
      async (folder) => {
        await rm(join(folder, 'image.img'))
        makeFifo(join(folder, 'image.img'))
      },
    ],
    ['and their digest', () => 0, ({ files }) => (files[0]!.sha256 = digestOf('x'))],
    ['and their mode', () => 0, ({ files }) => (files[0]!.mode = 0o755)],
    ['and all of them', () => 0, (record) => (record.files = [])],
    [
      'which the record does not make up',
      () => 0,
      ({ files }) => {
        files.push({ path: 'image.json', mode: 0o644, sha256: digestOf('x') })
      },
    ],
    ['from its own folder', () => 0, ({ files }) => (files[0]!.path = '../image.img')],
    [
      'together',
      (folder) => writeFile(join(folder, 'image.img'), 'x'),
      ({ files }) => {
        files[0]!.sha256 = digestOf('x')
      },
    ],
  ])('%s', async (_, spoil, change) => {
    const { examine, write, folder } = await place(change)
    await spoil(folder)
    const paths = [await write('alice', RECEIPTS, ALICE)]
    expect(codesOf(await examine(paths, { require: 1 }))).toEqual(['image-not-recorded'])
    // Whoever only counts needs no image.
    expect(codesOf(await examine(paths))).toEqual([])
  })

  test('whose modes a copy may have lost', async () => {
    const { examine, write, folder } = await place()
    await chmod(join(folder, 'image.img'), 0o600)
    const paths = [await write('alice', RECEIPTS, ALICE)]
    expect(codesOf(await examine(paths, { require: 1 }))).toEqual([])
  })
})

describe('refused in the place of a file', () => {
  test.each<[string, (path: string, target: string) => Promise<unknown>]>([
    ['a link', (path, target) => symlink(target, path)],
    ['a link to nothing', (path) => symlink('nowhere', path)],
    ['a fifo', (path) => Promise.resolve(makeFifo(path))],
    [
      'a line of a gigabyte',
      async (path) => {
        await (await open(path, 'w')).close()
        await truncate(path, 1 << 30)
      },
    ],
    ['nothing', () => Promise.resolve()],
  ])('is %s', async (_, make) => {
    const { write, examine, folder } = await place()
    const good = await write('good', [ZLIB], ALICE)
    const bad = join(folder, 'bad.intoto.jsonl')
    await make(bad, good)
    const found = await examine([bad, good])
    expect(codesOf(found)).toEqual(['receipts-unreadable'])
    expect(zlibOf(found)?.builders).toHaveLength(1)
    // The same, found in a folder.
    expect(
      codesOf(await examine([folder])).filter((code) => code !== 'receipts-unreadable'),
    ).toEqual([])
  })

  test('of a signature is a link or a fifo, or cannot be looked for', async () => {
    const { write, examine, folder } = await place()
    const [one, two] = [await write('one', [ZLIB]), await write('two', [ZLIB])]
    await symlink(join(folder, 'elsewhere'), `${one}.sig`)
    makeFifo(`${two}.sig`)
    // No name is left for a signature of this one.
    const long = await write('x'.repeat(255 - '.intoto.jsonl'.length), [ZLIB])
    const good = await write('good', [ZLIB], ALICE)
    const found = await examine([one, two, long, good])
    expect(codesOf(found)).toEqual(Array(3).fill('receipt-signature'))
    expect(zlibOf(found)?.builders).toHaveLength(1)
  })
})

test('an interruption ends it', async () => {
  const { write, examine } = await place()
  const paths = [await write('alice', [ZLIB], ALICE)]
  for (const require of [undefined, 1]) {
    const asked = examine(paths, { require, signal: AbortSignal.abort() })
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  }
})

test('a folder without receipts, and signatures alone, are refused', async () => {
  const { write, examine, folder } = await place()
  const empty = join(folder, 'empty')
  await mkdir(empty)
  const path = await write('alice', [ZLIB], ALICE)
  for (const paths of [[empty], [path, empty], [`${path}.sig`]])
    await expect(examine(paths)).rejects.toMatchObject({ code: 'no-receipts' })
})

test('a folder is searched for files of receipts only, and none counts twice', async () => {
  const { write, examine, folder } = await place()
  const path = await write('alice', [ZLIB], ALICE)
  await mkdir(join(folder, 'deeper'))
  await link(path, join(folder, 'other.txt'))
  const found = await examine([folder, path, `${path}.sig`, folder])
  expect(found.files.map((file) => file.path)).toEqual([path])
})
