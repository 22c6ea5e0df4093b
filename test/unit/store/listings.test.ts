import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { compareListings } from '../../../src/store/artifact/compare-listings.ts'
import {
  EntryPaths,
  formatListing,
  parseListing,
  type Entry,
  type Listing,
} from '../../../src/store/artifact/listing.ts'

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
  const all: Listing = [
    link('bin', 'usr/bin'),
    folder('usr'),
    file('usr/a', 'a'),
    file('usr/b', 'b'),
  ]

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
    expect(compareListings([...all, ...(a ? [a] : [])], [...all, ...(b ? [b] : [])])).toEqual([
      { path: 'x', a, b },
    ])
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
  const after = (entry: Entry) => () => {
    const paths = new EntryPaths()
    for (const before of [folder('usr'), folder('usr/bin')]) paths.add(before)
    paths.add(entry)
  }

  it.each(['usr/bin/x', 'usr/bin/...', 'usr/bin/..x', 'usr/bin0', 'v', 'usr/c'.padEnd(255, 'c')])(
    '%s is one',
    (path) => {
      expect(after(folder(path))).not.toThrow()
    },
  )

  it.each([
    '',
    '/',
    '/etc',
    '..',
    '.',
    'v/..',
    'usr/../etc',
    'usr//bin',
    './usr',
    'usr/c/',
    'usr/bin/',
    'v/x',
    'usr/lib/x',
    'usr',
    'usr/bin',
    'a',
    'usr/c\0',
    'z'.padEnd(256, 'z'),
  ])('%j is none', (path) => {
    expect(after(folder(path))).toThrow(
      expect.objectContaining({ code: 'artifact-path', kind: 'fetch' }) as Error,
    )
  })

  it.each(['', 'a\0b', 'x'.repeat(4096)])('a target %j is none', (target) => {
    expect(after(link('v', target))).toThrow(
      expect.objectContaining({ code: 'artifact-path' }) as Error,
    )
  })

  it('does not take a file or a link for a folder', () => {
    for (const no of [file('v', ''), link('v', 'usr')])
      expect(() => {
        const paths = new EntryPaths()
        for (const entry of [no, file('v/x', '')]) paths.add(entry)
      }).toThrow(expect.objectContaining({ code: 'artifact-path' }) as Error)
  })
})

describe('the file of a listing', () => {
  const [own, other] = [digestOf('own'), digestOf('other')]
  const listing: Listing = [link('bin', 'usr/bin'), folder('usr'), file('usr/a', 'a', 0o4755)]

  it('gives the listing back', () => {
    expect(parseListing(own, formatListing(own, listing))).toEqual(listing)
    expect(parseListing(own, formatListing(own, []))).toEqual([])
  })

  it("is not taken for another artifact's", () => {
    expect(parseListing(other, formatListing(own, listing))).toBeUndefined()
  })

  it('is not taken with any one character changed', () => {
    const text = formatListing(own, listing)
    for (let at = 0; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`
      expect(parseListing(own, changed)).toBeUndefined()
    }
  })

  it('is not taken when its paths are none of a tree', () => {
    for (const wrong of [[folder('..')], [file('a/b', '')], [folder('b'), folder('a')]])
      expect(parseListing(own, formatListing(own, wrong))).toBeUndefined()
  })

  it.each(['', 'null', '[]', '{}', JSON.stringify(listing)])('%j is none', (text) => {
    expect(parseListing(own, text)).toBeUndefined()
  })
})
