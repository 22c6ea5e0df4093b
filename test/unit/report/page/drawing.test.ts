import { describe, expect, test } from 'vitest'
import type { Recipe } from '../../../../src/metadata/model.ts'
import { graphOf, type Node } from '../../../../src/plan/graph.ts'
import { directEdges, draw, levelsOf } from '../../../../src/report/page/drawing.ts'
import { Names } from '../../../../src/report/page/names.ts'
import { Rules } from '../../../../src/report/page/rules.ts'
import { describeLayers } from '../../../../src/report/page/layers.ts'
import { pageMetadata, recordOf, using } from '../../../support/page.ts'
import { toyMetadata } from '../../../support/toy.ts'

function nodesOf(...recipes: Recipe[]): Node[] {
  const ids = recipes.map(({ id }) => id)
  return [...graphOf(toyMetadata(...recipes), ids).nodes.values()]
}

test('an edge that a longer way implies is left out', () => {
  const nodes = nodesOf(
    using('a/low', []),
    using('a/middle', ['a/low']),
    using('a/other', ['a/low']),
    using('a/high', ['a/low', 'a/middle', 'a/other']),
    using('a/top', ['a/low', 'a/high']),
  )
  expect(directEdges(nodes)).toEqual([
    ['a/low', 'a/middle'],
    ['a/low', 'a/other'],
    ['a/middle', 'a/high'],
    ['a/other', 'a/high'],
    ['a/high', 'a/top'],
  ])
})

test('a row comes after the rows of all that it uses', () => {
  const nodes = nodesOf(
    using('a/low', []),
    using('a/alone', []),
    using('a/middle', ['a/low']),
    using('a/top', ['a/low', 'a/middle']),
    using('a/other', ['a/alone']),
  )
  expect(levelsOf(nodes)).toEqual([['a/alone', 'a/low'], ['a/other', 'a/middle'], ['a/top']])
  expect(levelsOf([])).toEqual([])
})

describe('the drawing', () => {
  const metadata = pageMetadata()
  const record = recordOf(metadata)
  const layers = describeLayers(record, metadata)!
  const drawing = draw(layers.nodes, new Names(record, layers), new Rules())

  test('has each recipe once, to the right of what it uses, and none over another', () => {
    expect(drawing.nodes.map(({ id }) => id)).toEqual(record.recipes.map(({ recipe }) => recipe))
    const at = (number: number) => drawing.nodes.find((node) => node.number === number)!
    for (const { from, to } of drawing.edges)
      expect(Number(at(from).x) + Number(at(from).width)).toBeLessThan(Number(at(to).x))
    for (const a of drawing.nodes)
      for (const b of drawing.nodes) {
        const apart = (start: 'x' | 'y', size: 'width' | 'height'): boolean =>
          Number(a[start]) + Number(a[size]) <= Number(b[start]) ||
          Number(b[start]) + Number(b[size]) <= Number(a[start])
        if (a !== b) expect(apart('x', 'width') || apart('y', 'height')).toBe(true)
      }
    expect(Number(drawing.width)).toBeGreaterThan(0)
  })

  test('has the same recipes in rows', () => {
    const numbers = drawing.levels.flatMap(({ names }) => names.map(({ number }) => number))
    expect(numbers.sort()).toEqual(drawing.nodes.map(({ number }) => number).sort())
  })

  test('of nothing is nothing', () => {
    expect(draw([], new Names(record, layers), new Rules())).toMatchObject({
      width: '0',
      height: '0',
      nodes: [],
    })
  })

  test('is the same each time', () => {
    expect(draw(layers.nodes, new Names(record, layers), new Rules())).toEqual(drawing)
  })
})
