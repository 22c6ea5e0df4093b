import { closeSync, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FileWindow, readAt, readWhatIsLeft } from '../../../src/archive/par2/files-below.ts'
import { noise } from '../../support/parity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r')
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

it('what a disk cannot read is zeros to those who check, and an error to others', () => {
  // The first pages of a process's memory are never there: reading them fails with EIO.
  withFile('/proc/self/mem', (fd) => {
    const target = Buffer.alloc(10_000, 1)
    expect(() => readAt(fd, target, 100)).toThrow('EIO')
    readWhatIsLeft(fd, target, 100)
    expect(target).toEqual(Buffer.alloc(10_000))
  })
})

it('a window gives the bytes of a file, and none behind its end', async () => {
  const bytes = noise(1000, 1)
  const path = join(await temporaryFolder(), 'file')
  await writeFile(path, bytes)
  withFile(path, (fd) => {
    const window = new FileWindow({ fd, size: 1000 }, Buffer.alloc(64), readAt)
    for (const at of [0, 10, 63, 64, 900, 5, 990, 1000, 2000]) {
      const found = window.from(at, 32)
      expect(found.length).toBeGreaterThanOrEqual(Math.min(32, Math.max(0, 1000 - at)))
      expect(found).toEqual(bytes.subarray(at, at + found.length))
    }
  })
})

it('zeros follow a file that is shorter than it was', async () => {
  const path = join(await temporaryFolder(), 'file')
  await writeFile(path, 'abc')
  const target = Buffer.alloc(6, 1)
  withFile(path, (fd) => readAt(fd, target, 1))
  expect(target.toString()).toBe('bc\0\0\0\0')
})
