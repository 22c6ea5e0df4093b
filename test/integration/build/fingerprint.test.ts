import { execFileSync } from 'node:child_process'
import {
  chmod,
  link,
  lstat,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { stateOf } from '../../../src/base/file-states.ts'
import { hostFingerprint } from '../../../src/build/fingerprint.ts'
import { contentOf, filesOf } from '../../../src/build/host-files.ts'
import { hostView, showHost } from '../../../src/sandbox/host-view.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** A root as that of a small host. */
async function hostRoot(): Promise<string> {
  const root = await temporaryFolder()
  for (const [path, text] of Object.entries({
    'usr/bin/cc': 'the compiler',
    'usr/bin/zsh': 'no tool of the bootstrap',
    'usr/include/stdio.h': 'int puts();',
    'usr/lib/gcc/x86_64-linux-gnu/12/cc1': 'what cc runs',
    'usr/lib/x86_64-linux-gnu/libc.so.6': 'the C library',
    'usr/lib/python3/abc.py': 'a module',
    'usr/libexec/awk/grcat': 'of awk',
    'usr/share/bison/m4sugar/m4sugar.m4': 'of bison',
    'usr/share/automake-1.16/install-sh': 'of automake',
    'usr/x86_64-linux-gnu/include/x.h': 'of a cross compiler',
    'usr/share/doc/cc/README': 'a manual',
    'usr/local/bin/cc': 'not in PATH',
    'usr/lib/jvm/java/bin/java': 'Java',
  })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  await mkdir(join(root, 'etc/alternatives'), { recursive: true })
  await symlink('/usr/bin/mawk', join(root, 'etc/alternatives/awk'))
  await symlink('usr/bin', join(root, 'bin'))
  await symlink('usr/lib', join(root, 'lib'))
  await symlink('lib', join(root, 'usr/lib64'))
  return root
}

/** Writes other bytes of equal number, and gives the file the time it had. */
async function changeQuietly(path: string): Promise<void> {
  const { mtime, atime } = await lstat(path)
  await writeFile(path, (await readFile(path, 'latin1')).replace(/.$/, '#'))
  await utimes(path, atime, mtime)
}

async function relink(path: string, target: string): Promise<void> {
  await rm(path)
  await symlink(target, path)
}

test.each([
  ['a compiler', (root: string) => changeQuietly(join(root, 'usr/bin/cc'))],
  ['a program that nobody listed', (root: string) => changeQuietly(join(root, 'usr/bin/zsh'))],
  ['a header', (root: string) => changeQuietly(join(root, 'usr/include/stdio.h'))],
  [
    "a compiler's part",
    (root: string) => changeQuietly(join(root, 'usr/lib/gcc/x86_64-linux-gnu/12/cc1')),
  ],
  ['a library', (root: string) => changeQuietly(join(root, 'usr/lib/x86_64-linux-gnu/libc.so.6'))],
  [
    "a tool's data",
    (root: string) => changeQuietly(join(root, 'usr/share/bison/m4sugar/m4sugar.m4')),
  ],
  [
    'data of some version',
    (root: string) => changeQuietly(join(root, 'usr/share/automake-1.16/install-sh')),
  ],
  [
    'a folder that nobody listed',
    (root: string) => changeQuietly(join(root, 'usr/x86_64-linux-gnu/include/x.h')),
  ],
  ['an alternative', (root: string) => relink(join(root, 'etc/alternatives/awk'), '/usr/bin/gawk')],
  ['a link at the top', (root: string) => relink(join(root, 'lib'), 'usr/lib64')],
  ['a link in /usr', (root: string) => relink(join(root, 'usr/lib64'), './lib')],
  ['a mode', (root: string) => chmod(join(root, 'usr/bin/cc'), 0o755)],
  ['a new file', (root: string) => writeFile(join(root, 'usr/include/new.h'), '')],
  [
    'a new name for a file',
    (root: string) => link(join(root, 'usr/bin/cc'), join(root, 'usr/bin/gcc')),
  ],
  ['another name', (root: string) => rename(join(root, 'usr/bin/zsh'), join(root, 'usr/bin/ksh'))],
  [
    'a file whose name is not UTF-8',
    (root: string) =>
      writeFile(Buffer.from(`${join(root, 'usr/include/')}\xff.h`, 'latin1'), 'int x;'),
  ],
  [
    'a folder where a file was',
    async (root: string) => {
      await rm(join(root, 'usr/bin/cc'))
      await mkdir(join(root, 'usr/bin/cc'))
    },
  ],
])("%s changes the host's fingerprint, also with notes", async (_, change) => {
  const root = await hostRoot()
  const notes = join(root, 'notes')
  const before = hostFingerprint(notes, root)
  await change(root)
  const after = hostFingerprint(notes, root)
  expect(after).not.toBe(before)
  expect(after).toBe(hostFingerprint(undefined, root))
})

test("what is not shown, times, compiled Python and another machine leave the host's fingerprint alone", async () => {
  const root = await hostRoot()
  const before = hostFingerprint(undefined, root)
  for (const path of ['usr/share/doc/cc/README', 'usr/local/bin/cc', 'usr/lib/jvm/java/bin/java'])
    await changeQuietly(join(root, path))
  await mkdir(join(root, 'usr/lib/python3/__pycache__'))
  await writeFile(join(root, 'usr/lib/python3/__pycache__/abc.pyc'), 'made at some time')
  await utimes(join(root, 'usr/bin/cc'), 1, 1)
  expect(hostFingerprint(undefined, root)).toBe(before)
  // Other inodes, other times.
  expect(hostFingerprint(undefined, await hostRoot())).toBe(before)
})

test('a device or pipe is not opened', async () => {
  const root = await hostRoot()
  execFileSync('mkfifo', [join(root, 'usr/bin/pipe')])
  const piped = hostFingerprint(undefined, root)
  await rm(join(root, 'usr/bin/pipe'))
  expect(hostFingerprint(undefined, root)).not.toBe(piped)
})

test('a change of equal size, its time put back, is seen without reading a file', async () => {
  const root = await hostRoot()
  const state = (): string => stateOf(filesOf(hostView(root), root))
  const before = state()
  expect(state()).toBe(before)
  // Within one tick of the clock the inode's time would be the same, which the note allows for.
  const { ctimeMs } = await lstat(join(root, 'usr/bin/cc'))
  do await changeQuietly(join(root, 'usr/bin/cc'))
  while ((await lstat(join(root, 'usr/bin/cc'))).ctimeMs === ctimeMs)
  expect(state()).not.toBe(before)
})

test('hard links are read once, and yet each has its content', async () => {
  const root = await hostRoot()
  await link(join(root, 'usr/bin/cc'), join(root, 'usr/bin/gcc'))
  const linked = contentOf(filesOf(hostView(root), root), root)
  await rm(join(root, 'usr/bin/gcc'))
  await writeFile(join(root, 'usr/bin/gcc'), 'the compiler')
  expect(contentOf(filesOf(hostView(root), root), root)).toBe(linked)
})

test('the sandbox is shown what the fingerprint is made of, and empty folders for the rest', async () => {
  const root = await hostRoot()
  expect(hostView(root)).toEqual({
    folders: [
      ...['usr/bin', 'usr/include', 'usr/lib', 'usr/libexec', 'usr/x86_64-linux-gnu'],
      ...['usr/share/automake-1.16', 'usr/share/bison', 'etc/alternatives'],
    ],
    links: [
      ['bin', 'usr/bin'],
      ['lib', 'usr/lib'],
      ['usr/lib64', 'lib'],
    ],
    hidden: ['usr/lib/jvm'],
  })
  const work = await temporaryFolder()
  const mounts = await showHost(work, hostView(root))
  expect(mounts[0]).toEqual({ from: join(work, 'usr'), to: '/usr' })
  expect(mounts).toContainEqual({ from: '/usr/share/bison', to: '/usr/share/bison' })
  expect(mounts.at(-1)).toEqual({ from: join(work, 'empty'), to: '/usr/lib/jvm' })
  const points = mounts
    .slice(1)
    .filter(({ to }) => to.startsWith('/usr/') && !to.startsWith('/usr/lib/'))
  for (const { to } of points) expect((await lstat(join(work, to))).mode & 0o777).toBe(0o755)
  expect(await readlink(join(work, 'usr/lib64'))).toBe('lib')
})
