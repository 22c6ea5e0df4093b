import { execa } from 'execa'
import { execFileSync } from 'node:child_process'
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import { digestOf, digestOfFile } from '../../../src/base/digest.ts'
import { IMAGE, makeToyKit, SOURCE, toyContents, toyKit } from '../../support/kits.ts'
import { digestsBelow } from '../../support/parity.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

/** Shells that verify.sh is to run in, as far as this machine has them. */
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']]

interface Verified {
  readonly code: number | undefined
  readonly lines: string[]
}

/** What verify.sh says of a kit, the same in every shell. */
async function verified(folder: string): Promise<Verified> {
  const all: Verified[] = []
  for (const [shell = '', ...args] of SHELLS) {
    const run = await execa(shell, [...args, join(folder, 'verify.sh'), folder], { reject: false })
    if (run.code === 'ENOENT') continue
    all.push({ code: run.exitCode, lines: run.stdout.split('\n').map((line) => line.trimEnd()) })
  }
  for (const other of all) expect(other).toEqual(all[0])
  return all[0] ?? { code: undefined, lines: [] }
}

/** Faults as both checkers name them: `KIND path`, sorted. */
async function faultsOf(folder: string): Promise<{ ours: string[]; theirs: string[] }> {
  const { faults } = await checkKit(folder)
  const { code, lines } = await verified(folder)
  const theirs = lines.filter((line) => /^[A-Z]{3,} /.test(line) && !line.startsWith('ID '))
  expect(code).toBe(theirs.length === 0 ? 0 : 1)
  return {
    ours: faults.map((fault) => `${fault.kind} ${fault.path}`).sort(),
    theirs: theirs.map((line) => line.replace(/ +/, ' ')).sort(),
  }
}

describe('a kit', () => {
  it('is a bag whose ID is the digest of its tag manifest', async () => {
    const { folder, id, files } = await toyKit()
    expect(await readFile(join(folder, 'bagit.txt'), 'utf8')).toBe(
      'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n',
    )
    expect(await digestOfFile(join(folder, 'tagmanifest-sha256.txt'))).toBe(id)
    expect((await readdir(folder)).sort()).toEqual([
      'README.txt',
      'bag-info.txt',
      'bagit.txt',
      'data',
      'manifest-sha256.txt',
      'manifest-sha512.txt',
      'parity',
      'tagmanifest-sha256.txt',
      'verify.sh',
    ])
    const payload = ['data/images', 'data/sources', 'data/metadata', 'data/tools']
    const manifest = await readFile(join(folder, 'manifest-sha256.txt'), 'utf8')
    const listed = manifest.split('\n').map((line) => line.slice(66))
    expect(payload.every((part) => listed.some((path) => path.startsWith(part)))).toBe(true)
    const oxum = /^Payload-Oxum: (\d+)\.(\d+)$/m.exec(
      await readFile(join(folder, 'bag-info.txt'), 'utf8'),
    )
    expect(oxum?.slice(1)).toEqual([String(60_000 + 12_000 + 43 + 0 + 10), '5'])
    expect(await faultsOf(folder)).toEqual({ ours: [], theirs: [] })
    const { lines } = await verified(folder)
    expect(lines).toContain(`ID of this kit: ${id}`)
    expect((await checkKit(folder)).id).toBe(id)
    expect((await checkKit(folder)).whole).toBe(files)
    // All of it is known to sha256sum alone.
    for (const list of ['manifest-sha256.txt', 'tagmanifest-sha256.txt'])
      execFileSync('sha256sum', ['--check', '--strict', '--quiet', list], { cwd: folder })
    execFileSync('sha512sum', ['--check', '--strict', '--quiet', 'manifest-sha512.txt'], {
      cwd: folder,
    })
  })

  it('has the same bytes in another folder, by another umask, time zone and order', async () => {
    const first = await toyKit()
    const contents = await toyContents()
    const before = { umask: process.umask(0o077), zone: process.env['TZ'] }
    process.env['TZ'] = 'Pacific/Kiritimati'
    try {
      const folder = join(await temporaryFolder(), 'a folder', 'kit')
      const again = await makeToyKit(folder, { ...contents, files: [...contents.files].reverse() })
      expect(again.id).toBe(first.id)
      expect(await digestsBelow(again.folder)).toEqual(await digestsBelow(first.folder))
    } finally {
      process.umask(before.umask)
      if (before.zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = before.zone
    }
  })

  it('takes nothing that is there already, and leaves it', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'mine'), 'mine')
    await expect(makeToyKit(folder)).rejects.toMatchObject({ code: 'kit-there' })
    expect(await readdir(folder)).toEqual(['mine'])
    expect((await readdir(dirname(folder))).filter((name) => name.includes('.part'))).toEqual([])
    const empty = join(await temporaryFolder(), 'empty')
    await mkdir(empty)
    expect(await checkKit((await makeToyKit(empty)).folder)).toMatchObject({ faults: [] })
  })

  it.each([
    ['a file with another digest', { path: IMAGE, sha256: digestOf('other') }, 'kit-input'],
    ['a name with a blank', { path: 'data/images/a b' }, 'kit-name'],
    ['a name that leads out', { path: 'data/../../x' }, 'kit-name'],
    ['a name twice', { path: SOURCE }, 'kit-name'],
  ] as const)('does not come to be with %s', async (_, change, code) => {
    const contents = await toyContents()
    const [image, ...rest] = contents.files
    if (image === undefined || !('from' in image)) throw new Error('the image comes first')
    const parent = await temporaryFolder()
    const files = [{ ...image, ...change }, ...rest]
    await expect(makeToyKit(join(parent, 'kit'), { ...contents, files })).rejects.toMatchObject({
      code,
    })
    expect(await readdir(parent)).toEqual([])
  })

  it('that was interrupted leaves nothing; a folder of the user is not taken for its own', async () => {
    const parent = await temporaryFolder()
    const folder = join(parent, 'kit')
    const stop = AbortSignal.abort(new Error('enough'))
    await expect(makeToyKit(folder, undefined, stop)).rejects.toThrow('enough')
    expect(await readdir(parent)).toEqual([])
    await mkdir(join(parent, '.kit.part'))
    await writeFile(join(parent, '.kit.part/precious'), 'mine')
    await makeToyKit(folder)
    expect((await readdir(parent)).sort()).toEqual(['.kit.part', 'kit'])
    expect(await readdir(join(parent, '.kit.part'))).toEqual(['precious'])
    expect((await checkKit(folder)).faults).toEqual([])
  })
})

/** A way to spoil a kit, and the faults that both checkers must name. */
type Damage = readonly [
  name: string,
  spoil: (at: (path: string) => string) => Promise<unknown>,
  ours: readonly string[],
  theirs: readonly string[],
]

const MANIFEST = 'manifest-sha256.txt'
const PARITY = 'parity/kit.par2'

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')))
}

const DAMAGES: readonly Damage[] = [
  [
    'one bit is flipped',
    async (at) => {
      const bytes = await readFile(at(IMAGE))
      bytes[1234] = (bytes[1234] ?? 0) ^ 1
      await writeFile(at(IMAGE), bytes)
    },
    [`bad ${IMAGE}`],
    [`BAD ${IMAGE}`],
  ],
  ['a file is gone', (at) => rm(at(SOURCE)), [`missing ${SOURCE}`], [`MISSING ${SOURCE}`]],
  ['a file is cut', (at) => truncate(at(IMAGE), 100), [`bad ${IMAGE}`], [`BAD ${IMAGE}`]],
  ['a file has more', (at) => appendFile(at(SOURCE), 'x'), [`bad ${SOURCE}`], [`BAD ${SOURCE}`]],
  [
    'a file is there that no list has',
    (at) => writeFile(at('data/sources/tool_1.0.orig'), 'x'),
    ['unlisted data/sources/tool_1.0.orig'],
    ['UNLISTED data/sources/tool_1.0.orig'],
  ],
  ['a file has another name', (at) => rename(at(SOURCE), at(SOURCE.toUpperCase())), [], []],
  [
    'a link is in the place of a file',
    async (at) => {
      await rename(at(IMAGE), at('../outside'))
      await symlink('../../../outside', at(IMAGE))
    },
    [`not-a-file ${IMAGE}`],
    [`NOTAFILE ${IMAGE}`],
  ],
  [
    'a fifo is in the place of a file',
    async (at) => {
      await rm(at(SOURCE))
      makeFifo(at(SOURCE))
    },
    [`not-a-file ${SOURCE}`],
    [`NOTAFILE ${SOURCE}`],
  ],
  [
    'a folder is in the place of a file',
    async (at) => {
      await rm(at(SOURCE))
      await mkdir(at(SOURCE))
    },
    [`not-a-file ${SOURCE}`],
    [`NOTAFILE ${SOURCE}`],
  ],
  [
    'a folder of files is a link',
    async (at) => {
      await rename(at('data/tools'), at('../tools'))
      await symlink('../../tools', at('data/tools'))
    },
    ['not-a-file data/tools/fixpoint', 'unlisted data/tools'],
    ['UNLISTED data/tools'],
  ],
  [
    'a line of a list names another digest',
    (at) => edit(at(MANIFEST), (text) => text.replace(/^[0-9a-f]{8}/, '01234567')),
    [`bad ${MANIFEST}`, 'bad data/images/toy.img'],
    [`BAD ${MANIFEST}`, 'BAD data/images/toy.img'],
  ],
  [
    'a list has windows line ends',
    (at) => edit(at(MANIFEST), (text) => text.replace(/\n/, '\r\n')),
    [`bad ${MANIFEST}`, `garbled ${MANIFEST}`, `half-listed ${IMAGE}`],
    [`BAD ${MANIFEST}`, `MISSING ${IMAGE}`, `UNLISTED ${IMAGE}`],
  ],
  [
    'a line leads out',
    (at) => edit(at(MANIFEST), (text) => text.replace('data/images', '../images')),
    [`bad ${MANIFEST}`, `unsafe ${MANIFEST}`, `half-listed ${IMAGE}`],
    [`BAD ${MANIFEST}`, `UNSAFE ${MANIFEST}, line 1`, `UNLISTED ${IMAGE}`],
  ],
  [
    'a parity file is spoilt',
    (at) => truncate(at(PARITY), 50),
    [`bad ${PARITY}`],
    [`BAD ${PARITY}`],
  ],
  [
    'the parity is gone',
    (at) => rm(at('parity'), { recursive: true }),
    ['missing parity'],
    ['MISSING parity'],
  ],
]

describe('every damage is named by the engine and by verify.sh:', () => {
  it.each(DAMAGES.filter(([, , ours]) => ours.length > 0))('%s', async (_, spoil, ours, theirs) => {
    const { folder } = await toyKit()
    await spoil((path) => join(folder, path))
    const found = await faultsOf(folder)
    for (const fault of ours) expect(found.ours).toContain(fault)
    for (const fault of theirs) expect(found.theirs.join('\n')).toContain(fault.replace('\r', ''))
    // Nothing else is accused, but what the damaged list no longer names.
    const named = new Set(ours.map((fault) => fault.split(' ')[1]))
    expect(found.ours.filter((fault) => !named.has(fault.split(' ')[1]))).toEqual([])
  })

  it('a list is empty', async () => {
    const { folder } = await toyKit()
    await truncate(join(folder, MANIFEST), 0)
    const { ours, theirs } = await faultsOf(folder)
    expect(ours).toContain(`no-list ${MANIFEST}`)
    expect(ours).toContain(`bad ${MANIFEST}`)
    expect(theirs).toContain(`EMPTY ${MANIFEST}`)
    expect(theirs).toContain(`UNLISTED ${IMAGE}`)
  })

  it('the list of lists is gone: verify.sh cannot tell, the engine names it', async () => {
    const { folder } = await toyKit()
    await rm(join(folder, 'tagmanifest-sha256.txt'))
    const { faults, id } = await checkKit(folder)
    expect(id).toBeUndefined()
    expect(faults).toContainEqual({ kind: 'missing', path: 'tagmanifest-sha256.txt' })
    expect((await verified(folder)).code).toBe(2)
  })

  it('a name has a line end', async () => {
    const { folder } = await toyKit()
    await writeFile(join(folder, 'data/a\nb'), '')
    expect((await faultsOf(folder)).ours).toEqual(['unlisted data/a\nb'])
  })

  it('the label has another ID', async () => {
    const { folder, id } = await toyKit()
    const run = (wanted: string) =>
      execa('sh', [join(folder, 'verify.sh')], { env: { KIT_ID: wanted }, reject: false })
    expect((await run(id)).exitCode).toBe(0)
    const other = await run('0'.repeat(64))
    expect(other.exitCode).toBe(1)
    expect(other.stdout).toContain('OTHERKIT')
  })
})

it('what only a log, a signature or a time changes is no damage', async () => {
  const { folder } = await toyKit()
  await mkdir(join(folder, 'checks'))
  await writeFile(join(folder, 'checks/log.tsv'), 'x')
  await writeFile(join(folder, 'tagmanifest-sha256.txt.sig'), 'x')
  await utimes(join(folder, IMAGE), 0, 0)
  await chmod(join(folder, IMAGE), 0o600)
  expect(await faultsOf(folder)).toEqual({ ours: [], theirs: [] })
})

it.each(['nothing there', 'a folder of something else', 'a file'])(
  'is no kit: %s',
  async (what) => {
    const path = join(await temporaryFolder(), 'x')
    if (what === 'a file') await writeFile(path, '')
    if (what === 'a folder of something else') await mkdir(path)
    await expect(checkKit(path)).rejects.toMatchObject({ code: 'no-kit' })
  },
)
