import { describe, expect, test } from 'vitest'
import { cut, filesIn, foldersOf, sumOf } from '../../../../src/report/size/cut.ts'
import { Rules } from '../../../../src/report/page/rules.ts'
import { layOut, type Box, type Tile } from '../../../../src/report/page/treemap.ts'
import { fileEntry } from '../../../support/page.ts'

const LISTING = [
  { type: 'folder', path: 'usr', mode: 0o755 } as const,
  fileEntry('usr/bin/node', 900),
  fileEntry('usr/lib/a.js', 30),
  fileEntry('usr/lib/b.js', 40),
  fileEntry('usr/lib/deep/c.js', 30),
  { type: 'link', path: 'usr/bin/nodejs', target: 'node' } as const,
  fileEntry('etc/empty', 0),
]

describe('the pieces of a package', () => {
  test('are what is large, and the rest of each folder', () => {
    expect(cut(LISTING, 60)).toEqual([
      { path: 'usr/bin/node', bytes: 900, files: 1 },
      { path: 'usr/lib', bytes: 100, files: 3 },
    ])
    expect(cut(LISTING, 35)).toEqual([
      { path: 'usr/bin/node', bytes: 900, files: 1 },
      { path: 'usr/lib', bytes: 60, files: 2 },
      { path: 'usr/lib/b.js', bytes: 40, files: 1 },
    ])
  })

  test.each([0, 1, 30, 35, 60, 1000, 1e9])('above %d bytes sum up to the package', (limit) => {
    const sum = cut(LISTING, limit).reduce((all, { bytes }) => all + bytes, 0)
    expect(sum).toBe(1000)
    expect(sumOf(LISTING)).toEqual({ bytes: 1000, files: 5 })
  })

  test('of nothing, or of empty files, are none', () => {
    expect(cut([], 10)).toEqual([])
    expect(cut([fileEntry('a', 0)], 10)).toEqual([])
  })

  test('may have names that objects have of their own', () => {
    const odd = [fileEntry('__proto__/constructor', 5), fileEntry('__proto__/toString', 6)]
    expect(cut(odd, 6)).toEqual([
      { path: '__proto__/toString', bytes: 6, files: 1 },
      { path: '__proto__', bytes: 5, files: 1 },
    ])
  })
})

test('folders down to a depth hold all that is below them', () => {
  expect(foldersOf(filesIn([...LISTING, fileEntry('root', 7)]), 2)).toEqual([
    { path: 'usr/bin', bytes: 900, files: 1 },
    { path: 'usr/lib', bytes: 100, files: 3 },
    { path: '/', bytes: 7, files: 1 },
    { path: 'etc', bytes: 0, files: 1 },
  ])
})

describe('the treemap', () => {
  const box = (label: string, bytes: number, boxes: readonly Box[] = []): Box => {
    return { label, title: label, tone: '1', bytes, size: String(bytes), boxes }
  }
  const boxes = [
    box('small', 100),
    box('large', 700, [box('x', 400), box('y', 250), box('z', 50)]),
    box('middle', 200, [box('m', 200)]),
  ]

  /** Place of each tile: left, top, width and height, in percent and pixels. */
  const placesOf = (css: string): Map<string, number[]> =>
    new Map(
      [...css.matchAll(/#(s\d+)\{left:(\S+)%;top:(\S+)px;width:(\S+)%;height:(\S+)px\}/g)].map(
        ([, id, ...numbers]) => [id!, numbers.map(Number)],
      ),
    )

  test('gives each box an area by its bytes, within the whole, on wide and narrow screens', () => {
    const rules = new Rules()
    const tiles = layOut(boxes, rules)
    expect(tiles.map(({ label }) => label)).toEqual(['large', 'middle', 'small'])
    expect(tiles[0]!.tiles.map(({ label }) => label)).toEqual(['x', 'y', 'z'])
    const [wide = '', narrow = ''] = rules.text.split('@media')
    for (const [css, height] of [
      [wide, 560],
      [narrow, 620],
    ] as const) {
      const places = placesOf(css)
      const area = ({ id }: Tile): number => {
        const [left, top, width, tall] = places.get(id)!
        expect(left! + width!).toBeLessThanOrEqual(100.01)
        expect(top! + tall!).toBeLessThanOrEqual(height + 0.1)
        return (width! * tall!) / (100 * height)
      }
      expect(area(tiles[0]!)).toBeCloseTo(0.7, 1)
      expect(area(tiles[1]!)).toBeCloseTo(0.2, 1)
      expect(area(tiles[2]!)).toBeCloseTo(0.1, 1)
    }
  })

  test('is the same each time, and of nothing is nothing', () => {
    const draw = (): string => {
      const rules = new Rules()
      return JSON.stringify(layOut(boxes, rules)) + rules.text
    }
    expect(draw()).toBe(draw())
    expect(layOut([], new Rules())).toEqual([])
  })
})
