import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { compareListings } from '../../../src/store/compare-listings.ts'
import { checkEntryPath, type Entry, type Listing } from '../../../src/store/listing.ts'

const folder = (path: string, mode = 0o755): Entry => ({ type: 'folder', path, mode })
const file = (path: string, text: string, mode = 0o644): Entry => ({
  type: 'file',
  path,
  mode,
  size: text.length,
  sha256: digestOf(text),
})
const link = (path: string, target: string): Entry => ({ type: 'link', path, target })

describe('comparing listings', () => {
  const all: Listing = [link('bin', 'usr/bin'), folder('usr'), file('usr/a', 'a'), file('usr/b', 'b')]

  it('finds nothing between equal ones, in whatever order', () => {
    expect(compareListings(all, [...all].reverse())).toEqual([])
  })

  it.each<[string, Entry | undefined, Entry | undefined]>([
    ['content', file('x', 'one'), file('x', 'two')],
    ['mode of a file', file('x', 'one'), file('x', 'one', 0o755)],
    ['mode of a folder', folder('x'), folder('x', 0o700)],
    ['target', link('x', 'a'), link('x', 'b')],
    ['type', link('x', 'a'), folder('x')],
    ['absence in the first', undefined, folder('x')],
    ['absence in the second', file('x', ''), undefined],
  ])('finds another %s', (_name, a, b) => {
    expect(compareListings([...all, ...(a ? [a] : [])], [...all, ...(b ? [b] : [])])).toEqual([{ path: 'x', a, b }])
  })

  it('gives all of them in the order of the bytes of their paths', () => {
    const paths = ['usr/😀', 'usr/\uff00', 'usr/a', 'usr-', 'usr']
    expect(
      compareListings(
        paths.map((path) => folder(path)),
        [],
      ).map(({ path }) => path),
    ).toEqual(['usr', 'usr-', 'usr/a', 'usr/\uff00', 'usr/😀'])
  })
})

describe('paths of an artifact', () => {
  const folders = new Map([
    ['usr', 0o755],
    ['usr/bin', 0o755],
  ])

  it.each(['usr', 'a..b', '..a', 'usr/bin/x', 'usr/...'])('%s is one', (path) => {
    expect(() => {
      checkEntryPath(path, folders)
    }).not.toThrow()
  })

  it.each([
    '',
    '/',
    '/etc',
    '..',
    '.',
    'usr/..',
    'usr/../etc',
    'usr//bin',
    './usr',
    'usr/',
    'usr/bin/',
    'link/x',
    'usr/lib/x',
  ])('%j is none', (path) => {
    expect(() => {
      checkEntryPath(path, folders)
    }).toThrow(expect.objectContaining({ code: 'artifact-path' }) as Error)
  })
})
