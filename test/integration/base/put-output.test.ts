import { execFile, spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import {
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { putOutput, requireOtherFile } from '../../../src/base/put-output.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const run = promisify(execFile)
const never = new AbortController().signal
const put = (path: string, content = 'new'): Promise<void> => putOutput(path, content, never)

/** More than a pipe takes at once. */
const LONG = 'x'.repeat(1 << 20)

async function pipe(folder: string): Promise<string> {
  const path = join(folder, 'pipe')
  await run('mkfifo', [path])
  return path
}

/** What is read from a pipe while `use` writes to it, more than a pipe holds. */
async function readWhile(path: string, use: () => Promise<void>): Promise<string> {
  const held = openSync(path, constants.O_RDWR)
  const child = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const heard = text(child.stdout)
  await use()
  closeSync(held)
  return heard
}

describe('putOutput', () => {
  it('makes a file and the folders above it, and replaces one', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'a/b/file')
    await put(path, 'old')
    await put(path)
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await readdir(join(folder, 'a/b'))).toEqual(['file'])
  })

  it('follows a link to a file, and keeps it', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'far'))
    await writeFile(join(folder, 'far/file'), 'old')
    await symlink('far/file', join(folder, 'link'))
    await put(join(folder, 'link'))
    expect(await readlink(join(folder, 'link'))).toBe('far/file')
    expect(await readFile(join(folder, 'far/file'), 'utf8')).toBe('new')
    expect(await readdir(join(folder, 'far'))).toEqual(['file'])
  })

  it('leaves names that a user may have given', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'file.part'), 'mine')
    await mkdir(join(folder, '.file.part'))
    await put(join(folder, 'file'))
    expect((await readdir(folder)).sort()).toEqual(['.file.part', 'file', 'file.part'])
    expect(await readFile(join(folder, 'file.part'), 'utf8')).toBe('mine')
  })

  it('lets the last of many writers win', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'new/file')
    const texts = Array.from({ length: 16 }, (_, index) => String(index).repeat(1000))
    await Promise.all(texts.map((content) => put(path, content)))
    expect(texts).toContain(await readFile(path, 'utf8'))
    expect(await readdir(join(folder, 'new'))).toEqual(['file'])
  })

  it('writes to a device, and to where a link to one leads', async () => {
    const folder = await temporaryFolder()
    const [device, to] = [join(folder, 'null'), join(folder, 'link')]
    // What root could do to the real one is tried on one like it, where that can be made.
    const isMade = await run('mknod', [device, 'c', '1', '3']).then(
      () => true,
      () => false,
    )
    await symlink(isMade ? device : '/dev/null', to)
    await put(to, LONG)
    expect((await lstat(to)).isSymbolicLink()).toBe(true)
    if (isMade) {
      await put(device)
      expect((await lstat(device)).isCharacterDevice()).toBe(true)
    }
    await expect(put('/dev/full')).rejects.toMatchObject({ code: 'disk-full' })
  })

  it('writes to a pipe that someone reads, and to no other', async () => {
    const folder = await temporaryFolder()
    const path = await pipe(folder)
    await expect(put(path)).rejects.toMatchObject({ code: 'output-in-the-way' })
    await symlink(path, join(folder, 'link'))
    for (const name of [path, join(folder, 'link')]) {
      const heard = await readWhile(path, () => put(name, LONG))
      expect(heard === LONG).toBe(true)
    }
    expect((await lstat(path)).isFIFO()).toBe(true)
  })

  it('waits no longer for a reader once it is told to stop', async () => {
    const path = await pipe(await temporaryFolder())
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    onTestFinished(() => {
      closeSync(fd)
    })
    const stop = new AbortController()
    const done = putOutput(path, LONG, stop.signal)
    setImmediate(() => {
      stop.abort()
    })
    await expect(done).rejects.toThrow('aborted')
  })

  it('refuses folders, their names, sockets, disks and links that lead nowhere', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'folder'))
    await symlink('nowhere', join(folder, 'link'))
    const server = createServer().listen(join(folder, 'socket'))
    onTestFinished(() => void server.close())
    await run('mknod', [join(folder, 'disk'), 'b', '7', '250']).catch(() =>
      mkdir(join(folder, 'disk')),
    )
    for (const name of ['folder', 'new/', 'link', 'socket', 'disk'])
      await expect(
        put(join(folder, name).concat(name.endsWith('/') ? '/' : '')),
      ).rejects.toMatchObject({ code: 'output-in-the-way' })
    expect((await readdir(folder)).sort()).toEqual(['disk', 'folder', 'link', 'socket'])
  })

  it('names what is wrong where nothing can be made', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'file'), '')
    await symlink('nowhere', join(folder, 'link'))
    await expect(put('/proc/fixpoint/x')).rejects.toMatchObject({ code: 'no-folder' })
    for (const path of [
      '/proc/x',
      `${folder}/file/x`,
      `${folder}/link/x`,
      `${folder}/${'x'.repeat(256)}`,
    ])
      await expect(put(path)).rejects.toMatchObject({ code: 'host-refuses' })
  })

  it('writes nothing once it is told to stop', async () => {
    const folder = await temporaryFolder()
    const stop = new AbortController()
    stop.abort()
    await expect(putOutput(join(folder, 'new/file'), 'x', stop.signal)).rejects.toThrow('aborted')
    expect(await readdir(folder)).toEqual([])
  })
})

describe('requireOtherFile', () => {
  it('finds an input by what it is, not by its name', async () => {
    const folder = await temporaryFolder()
    const at = (name: string): string => join(folder, name)
    await writeFile(at('in'), 'x')
    await symlink('in', at('link'))
    await link(at('in'), at('hard'))
    await mkdir(at('folder'))
    const inputs = [at('missing'), at('x'.repeat(300)), at('in')]
    for (const name of ['in', 'link', 'hard', 'folder/../in'])
      await expect(requireOtherFile(at(name), inputs)).rejects.toMatchObject({
        code: 'output-is-input',
      })
    await expect(requireOtherFile(at('in'), [at('link')])).rejects.toMatchObject({
      code: 'output-is-input',
    })
    await requireOtherFile(at('missing'), inputs)
    await requireOtherFile(at('new/file'), inputs)
    await requireOtherFile('/dev/null', ['/dev/null'])
  })
})
