import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { arMember } from '../../../src/base/ar.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** An archive as ar makes it: the first member has an odd size. */
async function archive(): Promise<Buffer> {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'first'), 'one')
  await writeFile(join(folder, 'data.tar.xz'), 'two, and more')
  await writeFile(join(folder, 'last'), '')
  execFileSync('ar', ['qc', 'x.a', 'first', 'data.tar.xz', 'last'], { cwd: folder })
  return readFile(join(folder, 'x.a'))
}

/** Reads a member from an archive that comes in chunks of a size. */
async function read(bytes: Buffer, member: string, size: number): Promise<string> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
  return (await buffer(arMember(Readable.from(chunks), member))).toString()
}

it.each([1, 7, 60, 4096])('reads a member from chunks of %i bytes', async (size) => {
  const bytes = await archive()
  expect(await read(bytes, 'data.tar', size)).toBe('two, and more')
  expect(await read(bytes, 'first', size)).toBe('one')
  expect(await read(bytes, 'last', size)).toBe('')
})

describe('refuses', () => {
  it('an archive without the member', async () => {
    await expect(read(await archive(), 'absent', 64)).rejects.toThrow('ends in the middle')
  })

  it('one that was cut off, wherever', async () => {
    const bytes = await archive()
    const end = bytes.indexOf('and more') + 'and more'.length
    for (let length = 0; length < end; length++)
      await expect(read(bytes.subarray(0, length), 'data.tar', 64)).rejects.toThrow()
  })

  it.each([
    ['another kind of file', 0, 'x'],
    ['a size that is no number', 8 + 48, '-1'],
    ['a header without its end', 8 + 58, 'xx'],
  ])('%s', async (_, at, text) => {
    const bytes = await archive()
    bytes.write(text, at, 'latin1')
    await expect(read(bytes, 'data.tar', 64)).rejects.toThrow()
  })
})
