import { execa } from 'execa'
import {
  access,
  appendFile,
  chmod,
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  repairKit,
  type KitRepair,
  type RepairRequest,
} from '../../../src/archive/repair/repair.ts'
import { BLOCK, IMAGE, makeToyKit, PAYLOAD, RECOVERY } from '../../support/kit.ts'
import { digestsBelow, noise } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const ONE = 'data/sources/one.tar'
const TWO = 'data/sources/two.tar'
const MANIFEST = 'manifest-sha256.txt'
const TAGS = 'tagmanifest-sha256.txt'

async function newKit(): Promise<string> {
  const kit = join(await temporaryFolder(), 'kit')
  await mkdir(kit)
  await makeToyKit(kit)
  return kit
}

function repair(kit: string, changes: Partial<RepairRequest> = {}): Promise<KitRepair> {
  return repairKit({
    kit,
    from: [],
    mirrors: [],
    blobPath: async () => undefined,
    to: undefined,
    dryRun: false,
    signal: new AbortController().signal,
    ...changes,
  })
}

/** Digests of a kit's files, without what was set aside. */
async function stateOf(kit: string): Promise<Record<string, string>> {
  const all = Object.entries(await digestsBelow(kit))
  return Object.fromEntries(all.filter(([path]) => !/^damaged(\/|$)/.test(path)))
}

/** Changes one byte in each of some blocks. */
async function hit(kit: string, path: string, blocks: readonly number[]): Promise<void> {
  const bytes = await readFile(join(kit, path))
  for (const block of blocks) bytes[block * BLOCK + 5]! ^= 4
  await writeFile(join(kit, path), bytes)
}

function blocks(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

interface Damage {
  readonly title: string
  readonly of: (kit: string) => Promise<unknown>
  /** What the plan says of each bad file. */
  readonly means: Readonly<Record<string, string>>
}

const DAMAGES: readonly Damage[] = [
  { title: 'one bit', of: (kit) => hit(kit, IMAGE, [7]), means: { [IMAGE]: 'parity' } },
  {
    title: 'as many blocks as parity has',
    of: (kit) => hit(kit, IMAGE, blocks(RECOVERY, 3)),
    means: { [IMAGE]: 'parity' },
  },
  {
    title: 'a file cut short',
    of: (kit) => truncate(join(kit, ONE), 15 * BLOCK),
    means: { [ONE]: 'parity' },
  },
  {
    title: 'a byte inserted',
    of: async (kit) => {
      const bytes = await readFile(join(kit, ONE))
      const parts = [bytes.subarray(0, 5000), Buffer.from('x'), bytes.subarray(5000)]
      await writeFile(join(kit, ONE), Buffer.concat(parts))
    },
    means: { [ONE]: 'parity' },
  },
  { title: 'a file deleted', of: (kit) => rm(join(kit, TWO)), means: { [TWO]: 'parity' } },
  {
    title: 'a file renamed',
    of: (kit) => rename(join(kit, ONE), join(kit, 'data/sources/ONE.TAR')),
    means: { [ONE]: 'kit' },
  },
  {
    title: 'two files swapped',
    of: async (kit) => {
      await rename(join(kit, ONE), join(kit, 'x'))
      await rename(join(kit, TWO), join(kit, ONE))
      await rename(join(kit, 'x'), join(kit, TWO))
    },
    means: { [ONE]: 'kit', [TWO]: 'kit' },
  },
  {
    title: 'the list emptied',
    of: (kit) => writeFile(join(kit, MANIFEST), ''),
    means: { [MANIFEST]: 'parity' },
  },
  {
    title: 'the list of lists emptied',
    of: (kit) => writeFile(join(kit, TAGS), ''),
    means: { [TAGS]: 'parity' },
  },
  {
    title: 'all lists gone',
    of: async (kit) => {
      for (const name of [MANIFEST, TAGS, 'manifest-sha512.txt']) await rm(join(kit, name))
    },
    means: { [MANIFEST]: 'parity', [TAGS]: 'parity', 'manifest-sha512.txt': 'parity' },
  },
  {
    title: 'the index of parity gone',
    of: (kit) => rm(join(kit, 'parity/kit.par2')),
    means: { 'parity/kit.par2': 'again' },
  },
  {
    title: 'half of parity gone, and the rest needed',
    of: async (kit) => {
      await rm(join(kit, 'parity/kit.vol3+5.par2'))
      await hit(kit, IMAGE, [0, 1, 2])
    },
    means: { [IMAGE]: 'parity', 'parity/kit.vol3+5.par2': 'again' },
  },
  {
    title: 'the list of parity gone',
    of: (kit) => rm(join(kit, 'parity/SHA256SUMS')),
    means: { 'parity/SHA256SUMS': 'again' },
  },
  { title: 'a file more', of: (kit) => writeFile(join(kit, 'data/more'), 'x'), means: {} },
  {
    title: 'a link in place of a file',
    of: async (kit) => {
      await rm(join(kit, TWO))
      await symlink('/etc/hostname', join(kit, TWO))
    },
    means: { [TWO]: 'parity' },
  },
  {
    title: 'a pipe in place of a file',
    of: async (kit) => {
      await rm(join(kit, TWO))
      await execa('mkfifo', [join(kit, TWO)])
    },
    means: { [TWO]: 'parity' },
  },
  {
    title: 'a folder with a file in place of a file',
    of: async (kit) => {
      await rm(join(kit, TWO))
      await mkdir(join(kit, TWO))
      await writeFile(join(kit, TWO, 'inner'), 'x')
    },
    means: { [TWO]: 'parity' },
  },
  {
    title: 'a file in place of a folder',
    of: async (kit) => {
      await rm(join(kit, 'data/sources'), { recursive: true })
      await writeFile(join(kit, 'data/sources'), PAYLOAD[1]![1])
    },
    means: {
      [ONE]: 'kit',
      [TWO]: 'parity',
      'data/sources/SHA256SUMS': 'parity',
    },
  },
  {
    title: 'more at the end of a file',
    of: (kit) => appendFile(join(kit, ONE), 'more'),
    means: { [ONE]: 'merge' },
  },
  {
    title: 'a file that may not be read',
    of: (kit) => chmod(join(kit, TWO), 0),
    // Root may read it.
    means: process.getuid?.() === 0 ? {} : { [TWO]: 'parity' },
  },
]

describe('a kit with', () => {
  it.each(DAMAGES)('$title is planned, repaired, and then whole', async ({ of, means }) => {
    const kit = await newKit()
    const whole = await stateOf(kit)
    await of(kit)
    const before = await digestsBelow(kit)
    const { steps, lost } = await repair(kit, { dryRun: true })
    const planned = Object.fromEntries(steps.map((step) => [step.path, step.means]))
    if (means[ONE] === 'merge') expect(['merge', 'parity']).toContain(planned[ONE])
    else expect(planned).toEqual(means)
    expect(lost).toEqual([])
    expect(await digestsBelow(kit)).toEqual(before)
    await repair(kit)
    expect(await stateOf(kit)).toEqual(whole)
    expect(await repair(kit)).toMatchObject({ steps: [], lost: [], unlisted: [] })
  })
})

it('gets parity again where nothing but its list is left', async () => {
  const kit = await newKit()
  const files = Object.entries(await stateOf(kit))
  for (const [path] of files) if (path.endsWith('.par2')) await rm(join(kit, path))
  const { steps } = await repair(kit)
  expect(steps.map(({ means }) => means)).toEqual(['again', 'again', 'again', 'again'])
  // How it was made is lost with it: it has the usual blocks now.
  expect(await stateOf(kit)).toMatchObject(
    Object.fromEntries(files.filter(([path]) => !path.startsWith('parity/'))),
  )
  expect(await repair(kit)).toMatchObject({ steps: [], lost: [], unlisted: [] })
})

it('is left as it is where one block more is lost, and each bad file is named', async () => {
  const kit = await newKit()
  await hit(kit, IMAGE, blocks(RECOVERY))
  await rm(join(kit, TWO))
  const before = await digestsBelow(kit)
  await expect(repair(kit)).rejects.toMatchObject({
    code: 'kit-beyond-repair',
    message: expect.stringMatching(/(?=.*9 blocks)(?=[^]*toy\.img)(?=[^]*two\.tar)/) as string,
  })
  expect(await digestsBelow(kit)).toEqual(before)
})

it('is made whole from another ruin of it, which is only read', async () => {
  const [kit, copy] = [await newKit(), await newKit()]
  const whole = await stateOf(kit)
  await hit(kit, IMAGE, blocks(20))
  await hit(copy, IMAGE, blocks(20, 20))
  await rm(join(kit, ONE))
  await rm(join(copy, TWO))
  const ruin = await digestsBelow(copy)
  const { steps } = await repair(kit, { from: [copy] })
  expect(steps.map(({ path, means }) => [path, means])).toEqual([
    [ONE, 'copy'],
    [IMAGE, 'merge'],
  ])
  expect(await stateOf(kit)).toEqual(whole)
  expect(await digestsBelow(copy)).toEqual(ruin)
})

it('repairs what it can by digest where the rest is beyond repair', async () => {
  const kit = await newKit()
  const mirror = await temporaryFolder()
  await writeFile(join(mirror, 'another-name'), PAYLOAD[1]![1])
  await rm(join(kit, ONE))
  await hit(kit, IMAGE, blocks(RECOVERY + 1))
  const bad = await readFile(join(kit, IMAGE))
  await expect(repair(kit, { mirrors: [mirror] })).rejects.toMatchObject({
    code: 'kit-beyond-repair',
    message: expect.not.stringContaining('one.tar') as string,
  })
  expect(await readFile(join(kit, ONE))).toEqual(PAYLOAD[1]![1])
  expect(await readFile(join(kit, IMAGE))).toEqual(bad)
})

it('takes sources from the store', async () => {
  const kit = await newKit()
  const store = await temporaryFolder()
  await copyFile(join(kit, ONE), join(store, 'blob'))
  await rm(join(kit, ONE))
  const { steps } = await repair(kit, { blobPath: async () => join(store, 'blob') })
  expect(steps).toMatchObject([{ path: ONE, means: 'store' }])
  expect(await readFile(join(kit, ONE))).toEqual(PAYLOAD[1]![1])
})

it('keeps the old bytes of what it replaces, and what no list names', async () => {
  const kit = await newKit()
  await hit(kit, IMAGE, [3])
  const bad = await readFile(join(kit, IMAGE))
  await writeFile(join(kit, 'data/note'), 'mine')
  const { aside } = await repair(kit)
  expect(await readFile(join(kit, aside!, IMAGE))).toEqual(bad)
  expect(await readFile(join(kit, aside!, 'data/note'), 'utf8')).toBe('mine')
})

it('is only read when another folder gets the whole kit', async () => {
  const kit = await newKit()
  const whole = await stateOf(kit)
  await hit(kit, IMAGE, [1, 2])
  await rm(join(kit, 'parity/kit.par2'))
  await writeFile(join(kit, 'data/more'), 'x')
  const before = await digestsBelow(kit)
  const to = join(await temporaryFolder(), 'new')
  await repair(kit, { to })
  expect(await digestsBelow(to)).toEqual(whole)
  expect(await digestsBelow(kit)).toEqual(before)
  await expect(repair(kit, { to })).rejects.toMatchObject({ code: 'kit-there' })
  await hit(kit, IMAGE, blocks(RECOVERY + 1, 5))
  await expect(repair(kit, { to: `${to}2` })).rejects.toMatchObject({ code: 'kit-beyond-repair' })
  await expect(access(`${to}2.part`)).rejects.toMatchObject({ code: 'ENOENT' })
})

describe('a hostile kit', () => {
  it.each(['../out', '/etc/out', 'data/../../out', 'a\rb', 'damaged\\x'])(
    'that lists "%s" is refused',
    async (path) => {
      const kit = join(await temporaryFolder(), 'kit')
      await mkdir(kit)
      await makeToyKit(kit)
      await rm(join(kit, 'parity'), { recursive: true })
      const list = `${'0'.repeat(64)}  ${path}\n`
      await writeFile(join(kit, MANIFEST), list)
      const digest = (await execa('sha256sum', [join(kit, MANIFEST)])).stdout.slice(0, 64)
      await writeFile(join(kit, TAGS), `${digest}  ${MANIFEST}\n`)
      const before = await digestsBelow(join(kit, '..'))
      await expect(repair(kit)).rejects.toMatchObject({ code: 'kit-refused' })
      expect(await digestsBelow(join(kit, '..'))).toEqual(before)
    },
  )

  it('whose folders are links leads nowhere', async () => {
    const kit = await newKit()
    const whole = await stateOf(kit)
    const outside = await temporaryFolder()
    await writeFile(join(outside, 'one.tar'), 'precious')
    await rm(join(kit, 'data/sources'), { recursive: true })
    await symlink(outside, join(kit, 'data/sources'))
    const mirror = await temporaryFolder()
    for (const [path, bytes] of PAYLOAD)
      await writeFile(join(mirror, path.replaceAll('/', '-')), bytes)
    await repair(kit, { from: [mirror] })
    expect(await stateOf(kit)).toEqual(whole)
    expect(await digestsBelow(outside)).toEqual({ 'one.tar': expect.any(String) as string })
    expect(await readFile(join(outside, 'one.tar'), 'utf8')).toBe('precious')
  })

  it('whose folder for damaged files is a link is refused', async () => {
    const kit = await newKit()
    const outside = await temporaryFolder()
    await symlink(outside, join(kit, 'damaged'))
    await rm(join(kit, TWO))
    await expect(repair(kit)).rejects.toMatchObject({ code: 'unsafe-path' })
    expect(await digestsBelow(outside)).toEqual({})
  })

  it('with a list of noise, without parity, is said to be beyond repair', async () => {
    const kit = await newKit()
    await rm(join(kit, 'parity'), { recursive: true })
    for (const name of [MANIFEST, TAGS]) await writeFile(join(kit, name), noise(10 << 20, 4))
    await expect(repair(kit)).rejects.toMatchObject({ code: 'kit-beyond-repair' })
  })
})

it('refuses what is no kit, and a second repair at once', async () => {
  const empty = await temporaryFolder()
  await expect(repair(empty)).rejects.toMatchObject({ code: 'no-kit' })
  await expect(repair(join(empty, 'missing'))).rejects.toMatchObject({ code: 'no-kit' })
  const kit = await newKit()
  await hit(kit, IMAGE, [4])
  await repair(kit, {
    onPlan: () => expect(repair(kit)).rejects.toMatchObject({ code: 'kit-busy' }),
  })
})
