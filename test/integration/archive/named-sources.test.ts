import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { namedSources } from '../../../src/archive/named-sources.ts'
import { digestOf } from '../../../src/base/digest.ts'
import { FixpointError } from '../../../src/base/error.ts'
import { makeToyKit, toyContents } from '../../support/kits.ts'
import { sumsOf } from '../../support/mirrors.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

/** Text of a record of an image that was built from files with these bytes. */
function recordOf(...contents: readonly string[]): string {
  const sources = contents.map((content) => ({ name: content, sha256: digestOf(content) }))
  const made = { recipe: 'product/toy', key: digestOf('key'), artifact: digestOf('artifact') }
  return JSON.stringify({ ...made, files: [], recipes: [{ ...made, version: '1' }], sources })
}

/** A kit with the sources `one` and `two`, and an image that was built from `three` as well. */
async function newKit(): Promise<string> {
  const contents = await toyContents()
  const sources = { 'one.tar': 'one', 'two.tar': 'two' }
  const files = [
    ...contents.files.filter(({ path }) => !path.startsWith('data/sources/')),
    ...Object.entries(sources).map(([name, text]) => ({ path: `data/sources/${name}`, text })),
    { path: 'data/sources/SHA256SUMS', text: sumsOf(sources) },
    { path: 'data/images/toy.json', text: recordOf('one', 'three') },
  ]
  const folder = join(await temporaryFolder(), 'kit')
  await makeToyKit(folder, { ...contents, files })
  return folder
}

async function codeOf(...places: readonly string[]): Promise<string> {
  const error: unknown = await namedSources(places).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(FixpointError)
  return (error as FixpointError).code
}

describe('what records and kits name', () => {
  it('is every source of an image', async () => {
    const record = join(await temporaryFolder(), 'toy.json')
    await writeFile(record, recordOf('a', 'b'))
    expect(await namedSources([record])).toEqual(new Set([digestOf('a'), digestOf('b')]))
  })

  it('is what a kit holds, and what its images were built from; all places count together', async () => {
    const kit = await newKit()
    const record = join(await temporaryFolder(), 'toy.json')
    await writeFile(record, recordOf('four'))
    const named = await namedSources([kit, record])
    for (const content of ['one', 'two', 'three', 'four'])
      expect([content, named.has(digestOf(content))]).toEqual([content, true])
  })
})

describe('a place that cannot be read whole fails, also beside others:', () => {
  it.each([
    [
      'a record without sources',
      JSON.stringify({ ...JSON.parse(recordOf()), sources: undefined }),
      'mirror-keep',
    ],
    ['a record with none', recordOf(), 'mirror-keep'],
    ['a record that is none', '{}', 'no-record'],
    ['half a record', recordOf('a').slice(0, 50), 'no-record'],
    ['a digest that is none', recordOf('a').replace(digestOf('a'), 'x'), 'no-record'],
  ])('%s', async (_, text, code) => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'bad.json'), text)
    await writeFile(join(folder, 'good.json'), recordOf('a'))
    expect(await codeOf(join(folder, 'good.json'), join(folder, 'bad.json'))).toBe(code)
  })

  it('nothing, a pipe, an empty folder', async () => {
    const folder = await temporaryFolder()
    expect(await codeOf(join(folder, 'nothing.json'))).toBe('no-record')
    expect(await codeOf(makeFifo(join(folder, 'pipe.json')))).toBe('no-record')
    expect(await codeOf(folder)).toBe('no-kit')
    expect(await codeOf(join(folder, 'layers.yaml'))).toMatch(/./)
  })

  it.each<[string, (kit: string) => Promise<unknown>]>([
    ['its list of sources is missing', (kit) => rm(join(kit, 'data/sources/SHA256SUMS'))],
    [
      'a line of that list is bad',
      (kit) => writeFile(join(kit, 'data/sources/SHA256SUMS'), 'x\n', { flag: 'a' }),
    ],
    ['its manifest is empty', (kit) => writeFile(join(kit, 'manifest-sha256.txt'), '')],
    ['its manifest is missing', (kit) => rm(join(kit, 'manifest-sha256.txt'))],
    ['its record is damaged', (kit) => writeFile(join(kit, 'data/images/toy.json'), '{')],
    [
      'its record is a pipe',
      async (kit) => {
        await rm(join(kit, 'data/images/toy.json'))
        makeFifo(join(kit, 'data/images/toy.json'))
      },
    ],
    [
      'its sources are a link to others',
      async (kit) => {
        await rename(join(kit, 'data/sources'), `${kit}-sources`)
        await symlink(`${kit}-sources`, join(kit, 'data/sources'))
      },
    ],
    [
      'its images are gone',
      async (kit) => {
        await rm(join(kit, 'data/images'), { recursive: true })
        await mkdir(join(kit, 'data/other'))
      },
    ],
  ])('a kit: %s', async (_, spoil) => {
    const kit = await newKit()
    await spoil(kit)
    expect(await codeOf(kit)).toBe('mirror-keep')
  })
})
