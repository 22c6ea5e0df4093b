import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { beneath, Folder } from '../../../src/base/beneath.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'

/** A tree with everything in it that could lead astray. */
function hostileTree(): string {
  const root = mkdtempSync(join(tmpdir(), 'fixpoint-test-'))
  onTestFinished(() => removeTree(root))
  mkdirSync(join(root, 'in/deep'), { recursive: true })
  mkdirSync(join(root, 'outside'))
  writeFileSync(join(root, 'outside/secret'), 'secret')
  writeFileSync(join(root, 'in/file'), 'text')
  symlinkSync('../outside', join(root, 'in/link'))
  symlinkSync('../outside/secret', join(root, 'in/file-link'))
  symlinkSync('/nowhere', join(root, 'in/dangling'))
  execFileSync('mkfifo', [join(root, 'in/fifo')])
  return join(root, 'in')
}

const code = (run: () => unknown): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('beneath', () => {
  test('reaches what is there', () => {
    const root = hostileTree()
    const fd = beneath(root, 'file', (folder, name) => folder.read(name))
    expect(readFileSync(fd, 'utf8')).toBe('text')
    closeSync(fd)
    closeSync(beneath(root, 'deep/new', (folder, name) => folder.create(name, 0o600)))
    expect(beneath(root, 'deep', (folder, name) => folder.stat(name))?.isDirectory()).toBe(true)
  })

  test.each([
    'link/secret',
    'file-link',
    'dangling/x',
    'fifo',
    'deep',
    'file/x',
    '../outside/secret',
    'deep/../../x',
    '',
  ])('refuses to read "%s"', (path) => {
    const root = hostileTree()
    expect(code(() => beneath(root, path, (folder, name) => folder.read(name)))).toBe('unsafe-path')
  })

  test.each(['file', 'link', 'dangling', 'fifo', 'deep'])(
    'creates nothing in place of "%s"',
    (path) => {
      const root = hostileTree()
      expect(code(() => beneath(root, path, (folder, name) => folder.create(name, 0o600)))).toBe(
        'EEXIST',
      )
    },
  )

  test('stays in a folder that was put elsewhere meanwhile', () => {
    const root = hostileTree()
    const folder = Folder.open(join(root, 'deep'))
    execFileSync('mv', [join(root, 'deep'), join(root, 'moved')])
    symlinkSync('../outside', join(root, 'deep'))
    closeSync(folder.create('new', 0o600))
    folder.close()
    expect(readFileSync(join(root, 'moved/new'), 'utf8')).toBe('')
  })
})
