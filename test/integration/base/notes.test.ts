import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { beginNote, readNote } from '../../../src/base/notes.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const TEXT = 'a text of\nseveral lines'

function note(file: string, changed = 0, form = 'text 1'): void {
  beginNote(file, form)(TEXT, changed)
}

describe('a note', () => {
  test('is read by its form only', async () => {
    const file = join(await temporaryFolder(), 'note')
    note(file)
    expect(readNote(file, 'text 1')).toBe(TEXT)
    expect(readNote(file, 'text 2')).toBeUndefined()
    expect(readNote(file, 'text')).toBeUndefined()
  })

  test('is not made of what changed just now', async () => {
    const folder = await temporaryFolder()
    note(join(folder, 'note'), (await stat(folder)).mtimeMs)
    expect(await readdir(folder)).toEqual([])
  })

  test('that is damaged, lost, or cannot be written is no failure', async () => {
    const folder = await temporaryFolder()
    const file = join(folder, 'note')
    note(file)
    const text = await readFile(file, 'utf8')
    for (const at of text.split('').keys()) {
      const other = text[at] === 'a' ? 'b' : 'a'
      await writeFile(file, `${text.slice(0, at)}${other}${text.slice(at + 1)}`)
      expect(readNote(file, 'text 1'), `damaged at ${String(at)}`).toBeUndefined()
    }
    await writeFile(file, '')
    expect(readNote(file, 'text 1')).toBeUndefined()
    note(file)
    expect(readNote(file, 'text 1')).toBe(TEXT)
    await rm(file)
    note(join(folder, 'missing', 'note'))
    await mkdir(file)
    note(file)
    expect(readNote(file, 'text 1')).toBeUndefined()
  })
})
