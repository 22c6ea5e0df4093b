import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import type { Contents } from '../../../src/archive/kit/contents.ts'
import { createKitTar, type KitTar } from '../../../src/archive/kit/create.ts'
import { readTexts } from '../../../src/archive/kit/texts.ts'
import { repairKit } from '../../../src/archive/repair/repair.ts'
import { digestOfFile } from '../../../src/base/digest.ts'
import { atChange } from '../../support/at-change.ts'
import { onSmallDisk } from '../../support/cli.ts'
import { CHECKOUT, IMAGE, kitProcess, makeToyKit, toyContents } from '../../support/kits.ts'
import { digestsBelow } from '../../support/parity.ts'
import { freshStore } from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** Makes a small kit as one file. */
async function makeTar(
  target: string,
  contents?: Contents,
  stop = new AbortController(),
  stopAt = '',
): Promise<KitTar> {
  const { store } = await freshStore()
  const texts = await readTexts(CHECKOUT)
  return createKitTar(contents ?? (await toyContents()), {
    ...{ target, texts, parity: 10, store, signal: stop.signal },
    onPart: (part) => part === stopAt && stop.abort(new Error('enough')),
  })
}

/** Programs that unpack a tar. */
const UNPACKERS = [
  ['tar', '-x', '-f'],
  ['busybox', 'tar', '-x', '-f'],
  ['python3', '-m', 'tarfile', '-e'],
] as const

describe('a kit as one file', () => {
  it.for(UNPACKERS)('is a whole kit once %s has unpacked it', async (unpacker, { skip }) => {
    const parent = await temporaryFolder()
    const file = join(parent, 'kit.tar')
    const { id, sha256, size } = await makeTar(file)
    expect(await digestOfFile(file)).toBe(sha256)
    expect((await readFile(file)).length).toBe(size)
    expect(await readdir(parent)).toEqual(['kit.tar'])

    const folder = join(parent, 'unpacked')
    await mkdir(folder)
    const [program, ...args] = unpacker
    const unpacked = await execa(program, [...args, file], { cwd: folder, reject: false })
    skip(unpacked.code === 'ENOENT', `${program} is not installed`)
    expect(unpacked.exitCode, unpacked.stderr).toBe(0)
    expect(await checkKit(folder)).toMatchObject({ id, faults: [] })
    const verified = await execa('sh', [join(folder, 'verify.sh')], { env: { KIT_ID: id } })
    expect(verified.stdout).toContain('faults: 0')
    const { folder: other } = await makeToyKit(join(parent, 'other'))
    expect(await digestsBelow(folder)).toEqual(await digestsBelow(other))
    expect((await execa(join(folder, 'data/tools/fixpoint'))).exitCode).toBe(0)
  })

  it('begins with its README.txt, to read without any program', async () => {
    const file = join(await temporaryFolder(), 'kit.tar')
    await makeTar(file)
    const handle = await open(file)
    const { buffer } = await handle.read(Buffer.alloc(2048), 0, 2048, 0)
    await handle.close()
    expect(buffer.toString('latin1', 0, 11)).toBe('README.txt\0')
    const text = buffer.toString('latin1', 512)
    expect(text).toMatch(/^THIS IS A FIXPOINT KIT\n/)
    expect(text).toContain('tar -x -f FILE')
    const { stdout } = await execa('tar', ['-t', '-v', '--numeric-owner', '-f', file])
    const lines = stdout.split('\n')
    expect(new Set(lines.map((line) => line.split(/ +/).slice(0, 2).join(' ')))).toEqual(
      new Set(['-rw-r--r-- 0/0', '-rwxr-xr-x 0/0', 'drwxr-xr-x 0/0']),
    )
    expect(new Set(lines.map((line) => line.split(/ +/)[3])).size).toBe(1)
  })

  it('is repaired from what can be unpacked of it', async () => {
    const parent = await temporaryFolder()
    const file = join(parent, 'kit.tar')
    const { id } = await makeTar(file)
    const bytes = await readFile(file)
    // A header, and a byte of another file.
    const small = 'data/sources/tool_1.0'
    bytes.fill(0x55, bytes.indexOf(`${small}\0`), bytes.indexOf(`${small}\0`) + 512)
    const inImage = bytes.indexOf(`${IMAGE}\0`) + 5000
    bytes[inImage] = bytes[inImage]! ^ 1
    await writeFile(file, bytes)
    const folder = join(parent, 'unpacked')
    await mkdir(folder)
    const unpacked = await execa('tar', ['-x', '-f', file], { cwd: folder, reject: false })
    expect(unpacked.exitCode).toBe(2)
    const paths = (await checkKit(folder)).faults.map(({ path }) => path)
    expect(paths.sort()).toEqual([IMAGE, small])
    await repairKit({
      ...{ kit: folder, from: [], mirrors: [], to: undefined, dryRun: false },
      blobPath: async () => undefined,
      signal: new AbortController().signal,
    })
    expect(await checkKit(folder)).toMatchObject({ id, faults: [] })
  })

  it('has the same bytes in another folder, by another umask and order', async () => {
    const contents = await toyContents()
    const first = await makeTar(join(await temporaryFolder(), 'kit.tar'), contents)
    const umask = process.umask(0o077)
    try {
      const file = join(await temporaryFolder(), 'a folder', 'other.tar')
      const files = [...contents.files].reverse()
      expect(await makeTar(file, { ...contents, files })).toEqual(first)
    } finally {
      process.umask(umask)
    }
  })

  it.each(['a file', 'an empty folder'])('does not replace %s', async (what) => {
    const parent = await temporaryFolder()
    const file = join(parent, 'kit.tar')
    if (what === 'a file') await writeFile(file, 'mine')
    else await mkdir(file)
    await expect(makeTar(file)).rejects.toMatchObject({ code: 'kit-there' })
    expect(await readdir(parent)).toEqual(['kit.tar'])
    if (what === 'a file') expect(await readFile(file, 'utf8')).toBe('mine')
  })

  it.each(['make parity', 'join it to one file', 'read the file back'])(
    'that was interrupted at "%s" leaves nothing',
    async (part) => {
      const parent = await temporaryFolder()
      const making = makeTar(join(parent, 'kit.tar'), undefined, new AbortController(), part)
      await expect(making).rejects.toThrow('enough')
      expect(await readdir(parent)).toEqual([])
    },
  )
})

it.each([1, 3, 7, 12, 20, 28, 36])(
  'a run that is killed at change %d leaves a whole file or none; the next one makes it',
  async (change) => {
    const parent = await temporaryFolder()
    const file = join(parent, 'kit.tar')
    const { contents, args } = await kitProcess('createKitTar', file)
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    const endLook = atChange(parent, change, () => {
      child.kill('SIGKILL')
    })
    await once(child, 'close')
    endLook()
    const wanted = await makeTar(join(await temporaryFolder(), 'kit.tar'), contents)
    if (!(await readdir(parent)).includes('kit.tar')) await makeTar(file, contents)
    expect(await digestOfFile(file)).toBe(wanted.sha256)
  },
)

it('names a disk that is too small for it, and leaves nothing there', async () => {
  const folder = await temporaryFolder()
  const { args } = await kitProcess('createKitTar', join(folder, 'kit.tar'))
  const [program = '', ...before] = onSmallDisk(folder, 1)
  // Room for some of it: the kit and the file have more than half a MiB.
  const filled = `head -c 900000 /dev/zero > filler; "$@"; ls -A`
  const run = ['sh', '-c', `cd "${folder}" && ${filled}`, 'sh', process.execPath, ...args]
  const { stdout } = await execa(program, [...before, ...run])
  expect(stdout.split('\n')).toEqual(['disk-full', 'filler'])
})
