import { describe, expect, it } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { digestOf } from '../../../src/base/digest.ts'
import type { FileSource } from '../../../src/metadata/model.ts'
import { graphOf, type Graph, type GraphOptions } from '../../../src/plan/graph.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

const ids = (...names: string[]): RecipeId[] => names as RecipeId[]

function orderOf(graph: Graph): string[] {
  return [...graph.nodes.keys()]
}

describe('the graph', () => {
  it('holds what the targets use and no more, each after all that it uses', () => {
    const metadata = toyMetadata(
      toyRecipe('a/z', '', { inputs: ids('a/m', 'a/b') }),
      toyRecipe('a/m', '', { inputs: ids('a/b') }),
      toyRecipe('a/b', ''),
      toyRecipe('a/unused', ''),
      toyRecipe('a/image', '', { contents: ids('a/z') }),
    )
    expect(orderOf(graphOf(metadata, ids('a/z')))).toEqual(['a/b', 'a/m', 'a/z'])
    expect(orderOf(graphOf(metadata, ids('a/image', 'a/m')))).toEqual([
      'a/b',
      'a/m',
      'a/z',
      'a/image',
    ])
    expect(orderOf(graphOf(metadata, []))).toEqual([])
  })

  it('gives the users of an artifact what it needs, over all links of the chain, sorted, once', () => {
    const metadata = toyMetadata(
      toyRecipe('a/app', '', { inputs: ids('a/cc', 'a/sh') }),
      toyRecipe('a/cc', '', { needs: ids('a/ld') }),
      toyRecipe('a/ld', '', { needs: ids('a/libc', 'a/sh') }),
      toyRecipe('a/libc', '', { inputs: ids('a/build-only') }),
      toyRecipe('a/sh', ''),
      toyRecipe('a/build-only', ''),
      toyRecipe('a/image', '', { contents: ids('a/cc') }),
    )
    const { nodes } = graphOf(metadata, ids('a/app', 'a/image'))
    expect(nodes.get('a/app' as RecipeId)?.inputs).toEqual(['a/cc', 'a/ld', 'a/libc', 'a/sh'])
    expect(nodes.get('a/cc' as RecipeId)?.inputs).toEqual([])
    expect(nodes.get('a/image' as RecipeId)?.contents).toEqual(['a/cc', 'a/ld', 'a/libc', 'a/sh'])
    expect(nodes.has('a/build-only' as RecipeId)).toBe(true)
  })

  it('does not depend on the order in which recipes or inputs are written', () => {
    const recipes = [
      toyRecipe('a/a', '', { inputs: ids('a/b', 'a/c') }),
      toyRecipe('a/b', ''),
      toyRecipe('a/c', ''),
    ]
    const other = [
      toyRecipe('a/c', ''),
      toyRecipe('a/b', ''),
      toyRecipe('a/a', '', { inputs: ids('a/c', 'a/b') }),
    ]
    expect(orderOf(graphOf(toyMetadata(...other), ids('a/a')))).toEqual(
      orderOf(graphOf(toyMetadata(...recipes), ids('a/a'))),
    )
  })

  it('two that need each other are no cycle, and a user gets both', () => {
    const metadata = toyMetadata(
      toyRecipe('a/app', '', { inputs: ids('a/x') }),
      toyRecipe('a/x', '', { needs: ids('a/y') }),
      toyRecipe('a/y', '', { needs: ids('a/x') }),
    )
    expect(graphOf(metadata, ids('a/app')).nodes.get('a/app' as RecipeId)?.inputs).toEqual([
      'a/x',
      'a/y',
    ])
  })

  it('an image with its closure holds what building it takes but host layers, and all their sources', () => {
    const source = (name: string): FileSource => ({
      kind: 'file',
      name,
      sha256: digestOf(name),
      from: [],
      to: '.',
    })
    const recipes = [
      toyRecipe('host/cross', '', { sources: [source('cross.tar')] }),
      toyRecipe('a/cc', '', {
        inputs: ids('host/cross'),
        needs: ids('a/libc'),
        sources: [source('cc.tar')],
      }),
      toyRecipe('a/libc', '', { inputs: ids('host/cross') }),
      toyRecipe('a/app', '', { inputs: ids('a/cc') }),
      toyRecipe('a/tool', '', { inputs: ids('a/cc'), sources: [source('tool.tar')] }),
      toyRecipe('a/other', '', { sources: [source('other.tar')] }),
      toyRecipe('a/image', '', {
        inputs: ids('a/tool'),
        contents: ids('a/app'),
        closure: true,
        sources: [source('image.tar')],
      }),
    ]
    const node = (options?: GraphOptions) =>
      graphOf(toyMetadata(...recipes), ids('a/image'), options).nodes.get('a/image' as RecipeId)
    expect(node()?.contents).toEqual(['a/app', 'a/cc', 'a/libc', 'a/tool'])
    expect(
      node()
        ?.mirror?.map(({ name }) => name)
        .sort(),
    ).toEqual(['cc.tar', 'cross.tar', 'image.tar', 'tool.tar'])
    expect(node({ mirrors: false })?.mirror).toBeUndefined()
    expect(node({ mirrors: false })?.contents).toEqual(node()?.contents)
  })

  it('refuses an image that holds what a host layer made, be it as a need', () => {
    const metadata = toyMetadata(
      toyRecipe('host/tool', ''),
      toyRecipe('a/app', '', { needs: ids('host/tool') }),
      toyRecipe('a/image', '', { contents: ids('a/app') }),
    )
    expect(() => graphOf(metadata, ids('a/image'))).toThrow(
      expect.objectContaining({ kind: 'metadata', code: 'host-content' }) as Error,
    )
  })

  it.each([
    [
      'inputs',
      [
        toyRecipe('a/a', '', { inputs: ids('a/b') }),
        toyRecipe('a/b', '', { inputs: ids('a/c') }),
        toyRecipe('a/c', '', { inputs: ids('a/a') }),
      ],
      ['a/a -> a/b (inputs)', 'a/b -> a/c (inputs)', 'a/c -> a/a (inputs)'],
    ],
    ['itself', [toyRecipe('a/a', '', { inputs: ids('a/a') })], ['a/a -> a/a (inputs)']],
    [
      'contents',
      [
        toyRecipe('a/a', '', { contents: ids('a/b') }),
        toyRecipe('a/b', '', { inputs: ids('a/a') }),
      ],
      ['a/a -> a/b (contents)', 'a/b -> a/a (inputs)'],
    ],
    [
      'needs',
      [
        toyRecipe('a/a', '', { inputs: ids('a/b') }),
        toyRecipe('a/b', '', { needs: ids('a/c') }),
        toyRecipe('a/c', '', { inputs: ids('a/a') }),
      ],
      ['a/a -> a/c (needs of its inputs)', 'a/c -> a/a (inputs)'],
    ],
  ])('a cycle through %s is named edge by edge', (_name, recipes, edges) => {
    let message = ''
    try {
      graphOf(toyMetadata(...recipes), ids('a/a'))
    } catch (error) {
      expect(error).toMatchObject({ code: 'cycle', kind: 'metadata' })
      message = (error as Error).message
    }
    for (const edge of edges) expect(message).toContain(`\n  ${edge}`)
    expect(message.split('\n  ')).toHaveLength(edges.length + 1)
  })

  it('a recipe that is not there is named', () => {
    expect(() => graphOf(toyMetadata(), ids('a/nowhere'))).toThrow('a/nowhere')
  })
})
