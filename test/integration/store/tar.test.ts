import { execFileSync } from 'node:child_process'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { Turns } from '../../../src/base/turns.ts'
import { encodeEntry, type TarEntry } from '../../../src/store/artifact/tar-header.ts'
import { TarReader } from '../../../src/store/artifact/tar-reader.ts'
import { temporaryFolder } from '../../support/temporary.ts'

let path: string

beforeEach(async () => {
  path = join(await temporaryFolder(), 'tar')
})

/** Makes a file of some bytes, a hole, and the end of a tar. */
async function writeTar(data: Buffer, hole = 0): Promise<void> {
  await writeFile(path, data)
  await truncate(path, data.length + hole + 1024)
}

async function firstEntry(): Promise<TarEntry | undefined> {
  const tar = new TarReader(path)
  try {
    for await (const { entry } of tar.entries(new Turns())) return entry
    return undefined
  } finally {
    tar.close()
  }
}

describe('an entry', () => {
  const file = (path: string, size = 0): TarEntry => ({ type: 'file', path, mode: 0o644, size })
  const entries: TarEntry[] = [
    ...[1, 85, 86, 87, 88, 89, 90, 98, 99, 100, 101, 255, 256, 990, 991, 992].map((length) =>
      file('a'.repeat(length)),
    ),
    ...['ü', 'new\nline', '9 path=evil\n', ' ', 'a=b', '日本/語', '\u{1f600}', '_'].map((path) =>
      file(path),
    ),
    { type: 'folder', path: 'f', mode: 0o7777 },
    { type: 'folder', path: 'f/'.repeat(120).slice(0, -1), mode: 0 },
    { type: 'link', path: 'l', target: 'x' },
    { type: 'link', path: 'ü\n', target: '9 size=1\n'.repeat(300) },
    ...[0, 1, 8 * 2 ** 30 - 1, 8 * 2 ** 30, 9e9, 1e12].map((size) => file('big', size)),
  ]

  it.each(entries)('comes back as it was: $type $path', async (entry) => {
    await writeTar(encodeEntry(entry))
    expect(await firstEntry()).toEqual(entry)
  })

  it('has one form only: with any bit flipped it is refused, or is another entry in its one form', async () => {
    const entry = file('usr/share/ü', 5)
    const bytes = encodeEntry(entry)
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      await writeTar(flipped, 512)
      const outcome = await firstEntry().catch((error: unknown) => error)
      if (outcome instanceof Error)
        expect(outcome, `byte ${at}`).toMatchObject({ code: 'artifact-format' })
      else expect(encodeEntry(outcome as TarEntry).equals(flipped), `byte ${at}`).toBe(true)
    }
  })

  it.each(['8589934591', '8589934592', '9000000000'])(
    'of %s bytes is what GNU tar and Python read',
    async (size) => {
      await writeTar(encodeEntry(file('big', Number(size))), Math.ceil(Number(size) / 512) * 512)
      expect(execFileSync('tar', ['-tvf', path], { encoding: 'utf8' })).toMatch(
        new RegExp(`^-rw-r--r-- 0/0 +${size} .* big\n$`),
      )
      const script =
        'import sys, tarfile; print([(m.name, m.size) for m in tarfile.open(sys.argv[1])])'
      expect(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' })).toBe(
        `[('big', ${size})]\n`,
      )
    },
  )
})
