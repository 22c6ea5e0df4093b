import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEnd } from '../../../src/build/log-end.ts'
import { temporaryFolder } from '../../support/temporary.ts'

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
