import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { graphOf } from '../../../src/plan/graph.ts'
import { plan, type Plan } from '../../../src/plan/plan.ts'
import { compareBuilds } from '../../../src/verify/compare-builds.ts'
import { elfSectionAt } from '../../../src/verify/elf.ts'
import { describeContents } from '../../../src/verify/first-difference.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

/**
 * A 64-bit ELF file of the sections .text (16 bytes at 64), .bss (takes no room, says it lies at
 * 70) and .data (8 bytes after .text), then names and headers.
 */
function elfFile(): Buffer {
  const names = '\0.text\0.bss\0.data\0.shstrtab\0'
  const sections: [name: string, type: number, offset: number, size: number][] = [
    ['', 0, 0, 0],
    ['.bss', 8, 70, 1000],
    ['.text', 1, 64, 16],
    ['.data', 1, 80, 8],
    ['.shstrtab', 3, 88, names.length],
  ]
  const table = 120
  const file = Buffer.alloc(table + 64 * sections.length)
  file.write('\x7fELF\x02\x01\x01', 'latin1')
  file.writeBigUInt64LE(BigInt(table), 0x28)
  file.writeUInt16LE(64, 0x3a)
  file.writeUInt16LE(sections.length, 0x3c)
  file.writeUInt16LE(sections.length - 1, 0x3e)
  file.write(names, 88, 'latin1')
  for (const [at, [name, type, offset, size]] of sections.entries()) {
    const header = table + 64 * at
    file.writeUInt32LE(name === '' ? 0 : names.indexOf(`\0${name}\0`) + 1, header)
    file.writeUInt32LE(type, header + 4)
    file.writeBigUInt64LE(BigInt(offset), header + 0x18)
    file.writeBigUInt64LE(BigInt(size), header + 0x20)
  }
  return file
}

describe('the section of an offset', () => {
  it.each([
    [0, undefined],
    [63, undefined],
    [64, '.text'],
    [79, '.text'],
    [80, '.data'],
    [88, '.shstrtab'],
    [500, undefined],
  ])('%i is in %s', (offset, section) => {
    expect(elfSectionAt(elfFile(), offset)).toBe(section)
  })

  it('is none in other files, and a broken one breaks nothing', () => {
    expect(elfSectionAt(Buffer.from('#!/bin/sh'), 0)).toBeUndefined()
    const whole = elfFile()
    for (let length = 0; length < whole.length; length++)
      expect(() => elfSectionAt(whole.subarray(0, length), 70)).not.toThrow()
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(600), (at, value, offset) => {
        const broken = Buffer.from(whole)
        broken[at] = value
        elfSectionAt(broken, offset)
      }),
    )
  })
})

describe('the first difference of two files', () => {
  it('is told with offset, section and both bytes', () => {
    const [a, b] = [elfFile(), elfFile()]
    b[81] = 0xab
    expect(describeContents(a, b)).toBe('offset 81 (0x51), section .data: 0x00 and 0xab')
    expect(describeContents(a, a)).toBeUndefined()
  })

  it('is the end of the shorter one when that is all', () => {
    expect(describeContents(Buffer.from('abc'), Buffer.from('ab'))).toBe(
      'offset 2 (0x2): sizes are 3 and 2 bytes',
    )
    expect(describeContents(Buffer.alloc(0), Buffer.from('a'))).toBe(
      'offset 0 (0x0): sizes are 0 and 1 bytes',
    )
  })

  it('is found wherever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), (at) => {
        const [a, b] = [Buffer.alloc(200_001), Buffer.alloc(200_001)]
        b[at] = 1
        b[200_000] = 1
        expect(describeContents(a, b)).toBe(
          `offset ${String(at)} (0x${at.toString(16)}): 0x00 and 0x01`,
        )
      }),
      { examples: [[0], [65_535], [65_536], [131_072], [200_000]] },
    )
  })
})

describe('comparing two builds', () => {
  const recipes = [
    toyRecipe('host/cc', 'cc'),
    ...['a', 'b'].map((name) =>
      toyRecipe(`base/${name}`, name, { inputs: ['host/cc' as RecipeId] }),
    ),
  ]
  const targets = ['base/a', 'base/b'] as RecipeId[]
  const planned = (bytes: Readonly<Record<string, string>>, list = recipes): Plan => {
    const made = (key: Digest): Digest | undefined => {
      const id = [...bare].find(([, entry]) => entry.key === key)?.[0] ?? ''
      return bytes[id] === undefined ? undefined : digestOf(bytes[id])
    }
    const graph = graphOf(toyMetadata(...list), targets)
    const bare = plan(graph, targets, { artifactOf: () => undefined, has: () => false })
    return plan(graph, targets, { artifactOf: made, has: () => true })
  }

  it('counts what is the same and leaves the host’s part out', () => {
    const first = planned({ 'host/cc': 'gcc', 'base/a': 'a', 'base/b': 'b' })
    expect(
      compareBuilds(first, planned({ 'host/cc': 'clang', 'base/a': 'a', 'base/b': 'b' })),
    ).toEqual({
      same: 2,
      mismatches: [],
    })
  })

  it('names other artifacts, other keys, and what one of them lacks', () => {
    const first = planned({ 'base/a': 'a', 'base/b': 'b' })
    expect(compareBuilds(first, planned({ 'base/a': 'a', 'base/b': 'x' }))).toMatchObject({
      same: 1,
      mismatches: [
        { recipe: 'base/b', what: 'artifact', first: digestOf('b'), second: digestOf('x') },
      ],
    })
    expect(compareBuilds(first, planned({ 'base/a': 'a' })).mismatches).toMatchObject([
      { recipe: 'base/b', what: 'artifact', second: undefined },
    ])
    const changed = recipes.map((recipe) =>
      recipe.id === 'base/a' ? toyRecipe('base/a', 'other', { inputs: recipe.inputs }) : recipe,
    )
    expect(
      compareBuilds(first, planned({ 'base/a': 'a', 'base/b': 'b' }, changed)).mismatches,
    ).toMatchObject([{ recipe: 'base/a', what: 'key' }])
    expect(compareBuilds(planned({}), planned({})).mismatches).toHaveLength(2)
  })
})
