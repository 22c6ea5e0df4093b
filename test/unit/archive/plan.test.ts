import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MEANS, planRepair, type BadFile, type Means } from '../../../src/archive/repair/plan.ts'

const bad = (...paths: string[]): BadFile[] => paths.map((path) => ({ path, fault: 'bad' }))
const offer = (path: string, means: Means) => ({ path, means, place: means })

describe('the plan of a repair', () => {
  it('takes the first means that has a file whole, whatever the order of offers', () => {
    const all = fc.shuffledSubarray(['kit', 'copy', 'image', 'mirror', 'store'] as const, {
      minLength: 1,
    })
    fc.assert(
      fc.property(all, (means) => {
        const { steps } = planRepair(
          bad('a'),
          means.map((one) => offer('a', one)),
          { files: [{ path: 'a', lost: 1 }], recovery: 9 },
        )
        const first = MEANS.find((one) => means.some((other) => other === one))
        expect(steps).toMatchObject([{ path: 'a', means: first }])
      }),
    )
  })

  it('asks parity only for the blocks of files that nobody has', () => {
    const parity = {
      files: [
        { path: 'a', lost: 5 },
        { path: 'b', lost: 3 },
        { path: 'c', lost: 0 },
      ],
      recovery: 3,
    }
    const { steps, lost, blocks } = planRepair(bad('a', 'b', 'c'), [offer('a', 'copy')], parity)
    expect(steps.map(({ path, means }) => [path, means])).toEqual([
      ['a', 'copy'],
      ['c', 'merge'],
      ['b', 'parity'],
    ])
    expect(lost).toEqual([])
    expect(blocks).toEqual({ lost: 3, recovery: 3 })
  })

  it('leaves all files of parity as they are where one block is too much', () => {
    const parity = {
      files: [
        { path: 'a', lost: 1 },
        { path: 'b', lost: 3 },
      ],
      recovery: 3,
    }
    const { steps, lost } = planRepair(bad('a', 'b', 'c'), [offer('c', 'store')], parity)
    expect(steps).toMatchObject([{ path: 'c', means: 'store' }])
    expect(lost.map(({ path }) => path)).toEqual(['a', 'b'])
  })

  it('makes parity again only when everything else is whole then', () => {
    const again = new Set(['parity/kit.par2'])
    expect(planRepair(bad('parity/kit.par2'), [], undefined, again).steps).toMatchObject([
      { means: 'again' },
    ])
    const { steps, lost } = planRepair(bad('parity/kit.par2', 'x'), [], undefined, again)
    expect([steps.length, lost.length]).toEqual([0, 2])
  })

  it('names each bad file once', () => {
    const path = fc.constantFrom('a', 'b', 'c', 'd')
    const offers = fc.array(fc.record({ path, means: fc.constantFrom(...MEANS) }))
    fc.assert(
      fc.property(fc.uniqueArray(path), offers, fc.nat(9), (paths, given, recovery) => {
        const files = ['a', 'b'].map((name) => ({ path: name, lost: 4 }))
        const { steps, lost } = planRepair(
          bad(...paths),
          given.map((one) => offer(one.path, one.means)),
          { files, recovery },
        )
        expect([...steps, ...lost].map((file) => file.path).sort()).toEqual([...paths].sort())
      }),
    )
  })
})
