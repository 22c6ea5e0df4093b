import { execFileSync } from 'node:child_process'
import { symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEnd, readReport } from '../../../src/build/untrusted-files.ts'
import { temporaryFolder } from '../../support/temporary.ts'

describe('a report', () => {
  it('is read as it was written', async () => {
    const path = join(await temporaryFolder(), 'times')
    await writeFile(path, '0m0.01s 0m0.02s\n')
    expect(await readReport(path)).toBe('0m0.01s 0m0.02s\n')
  })

  it.each<[name: string, make: (path: string) => unknown]>([
    ['nothing', () => undefined],
    ['a fifo', (path) => execFileSync('mkfifo', [path])],
    ['a folder', (path) => execFileSync('mkdir', [path])],
    ['a link to what has no end', (path) => symlink('/dev/zero', path)],
    ['a file of some size', (path) => writeFile(path, '0m1s'.repeat(2000))],
  ])('is none where there is %s', async (_name, make) => {
    const path = join(await temporaryFolder(), 'times')
    await make(path)
    expect(await readReport(path)).toBe('')
  })
})

describe('the end of a log', () => {
  it('is all of a short one', async () => {
    const path = join(await temporaryFolder(), 'log')
    await writeFile(path, 'first\nlast\n')
    expect(await readEnd(path)).toBe('first\nlast\n')
  })

  it('is found in one that is larger than any string', async () => {
    const path = join(await temporaryFolder(), 'log')
    await writeFile(path, '')
    await truncate(path, 1 << 30)
    await writeFile(path, `\n${'ü'.repeat(1000)}\nthe reason\n`, { flag: 'a' })
    const text = await readEnd(path)
    expect(text.length).toBeLessThanOrEqual(64 << 10)
    expect(text).toMatch(/ü{1000}\nthe reason\n$/)
  })

  it('begins with a whole line, if there is one', async () => {
    const path = join(await temporaryFolder(), 'log')
    await writeFile(path, 'ü'.repeat(40_000) + '\nlast\n')
    expect(await readEnd(path)).toBe('last\n')
    await writeFile(path, 'x'.repeat(80_000))
    expect(await readEnd(path)).toBe('x'.repeat(64 << 10))
  })
})
