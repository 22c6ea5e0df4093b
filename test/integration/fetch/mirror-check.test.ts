import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { checkMirror } from '../../../src/fetch/mirror/check.ts'
import { describeMirrorFault } from '../../../src/fetch/mirror/faults.ts'
import { makeMirror, sumsOf } from '../../support/mirrors.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

const FILES = { 'a.tar': 'first', 'b.tar': 'second', 'c.tar': 'third' }

/** What a check finds, in the words for people up to the first colon. */
async function faultsOf(mirror: string): Promise<string[]> {
  const { faults } = await checkMirror(mirror, new AbortController().signal)
  return faults.map((fault) => describeMirrorFault(fault).replace(/: .*/, '').replace(/  +/, ' '))
}

test('a whole mirror, and what sha256sum says of it', async () => {
  const mirror = await makeMirror(FILES)
  expect(await checkMirror(mirror, new AbortController().signal)).toEqual({ whole: 3, faults: [] })
  const { exitCode } = await execa('sha256sum', ['-c', 'SHA256SUMS'], { cwd: mirror })
  expect(exitCode).toBe(0)
})

test('each damage by name; the others are read; nothing is changed', async () => {
  const outside = await temporaryFolder()
  const mirror = await makeMirror({ ...FILES, 'link.tar': 'x', 'fifo.tar': 'x', 'folder.tar': 'x' })
  await writeFile(join(outside, 'secret'), 'x')
  await writeFile(join(mirror, 'a.tar'), 'FIRST')
  for (const name of ['b.tar', 'link.tar', 'fifo.tar', 'folder.tar']) await rm(join(mirror, name))
  // The right bytes, but elsewhere.
  await symlink(join(outside, 'secret'), join(mirror, 'link.tar'))
  makeFifo(join(mirror, 'fifo.tar'))
  await mkdir(join(mirror, 'folder.tar'))
  await writeFile(join(mirror, 'own\n'), 'not listed')
  makeFifo(join(mirror, 'pipe'))
  const { whole, faults } = await checkMirror(mirror, new AbortController().signal)
  expect(whole).toBe(1)
  expect(faults).toEqual([
    { kind: 'bad', path: 'a.tar', wanted: digestOf('first'), found: digestOf('FIRST') },
    { kind: 'missing', path: 'b.tar' },
    { kind: 'not-a-file', path: 'fifo.tar' },
    { kind: 'not-a-file', path: 'folder.tar' },
    { kind: 'not-a-file', path: 'link.tar' },
    { kind: 'unlisted', path: 'own\n' },
    { kind: 'unlisted', path: 'pipe' },
  ])
})

test('a hostile list: its lines are named, and lead nowhere', async () => {
  const parent = await temporaryFolder()
  await writeFile(join(parent, 'victim'), 'precious')
  const mirror = join(parent, 'mirror')
  await mkdir(mirror)
  await makeMirror(FILES, mirror)
  const hostile = [
    `${digestOf('precious')}  ../victim`,
    `${digestOf('precious')}  ${parent}/victim`,
    `${digestOf('x')}  SHA256SUMS`,
    'x'.repeat(1 << 20),
    `${digestOf('x')}  ${'y'.repeat(1 << 20)}`,
    `${digestOf('other')}  a.tar`,
  ]
  await writeFile(join(mirror, 'SHA256SUMS'), `${sumsOf(FILES)}${hostile.join('\n')}\n`)
  expect(await faultsOf(mirror)).toEqual([
    'unsafe SHA256SUMS:4',
    'unsafe SHA256SUMS:5',
    'unsafe SHA256SUMS:6',
    'garbled SHA256SUMS:7',
    'garbled SHA256SUMS:8',
    'repeated SHA256SUMS:9',
    'bad a.tar',
  ])
})

test.each([
  ['nothing', 'no-mirror-list', (mirror: string) => rm(mirror, { recursive: true })],
  ['no list', 'no-mirror-list', (mirror: string) => rm(join(mirror, 'SHA256SUMS'))],
  [
    'a list of gigabytes',
    'mirror-entry',
    (mirror: string) => truncate(join(mirror, 'SHA256SUMS'), 2 ** 36),
  ],
  [
    'a pipe as list',
    'mirror-entry',
    async (mirror: string) => {
      await rm(join(mirror, 'SHA256SUMS'))
      makeFifo(join(mirror, 'SHA256SUMS'))
    },
  ],
  [
    'a link as list',
    'mirror-entry',
    async (mirror: string) => {
      await rm(join(mirror, 'SHA256SUMS'))
      await symlink('/dev/zero', join(mirror, 'SHA256SUMS'))
    },
  ],
])('%s: no mirror, and no wait', async (_, code, spoil) => {
  const mirror = join(await temporaryFolder(), 'mirror')
  await mkdir(mirror)
  await makeMirror(FILES, mirror)
  await spoil(mirror)
  await expect(checkMirror(mirror, new AbortController().signal)).rejects.toMatchObject({ code })
})
