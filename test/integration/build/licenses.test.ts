import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { FileSource, LicenseFile, Recipe } from '../../../src/metadata/model.ts'
import { artifactOf, failureOf, freshStore, putBlob } from '../../support/rig.ts'
import { tarOf, type HandMade } from '../../support/tars.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyBuild, toyMetadata, toyRecipe } from '../../support/toy.ts'
import { writeTreeAt } from '../../support/trees.ts'

const TEXT = 'Do what you want.\nBut read this.\nThe end.\n'
const file = (path: string, text = TEXT): LicenseFile => ({ path, sha256: digestOf(text) })
const ENTRIES: readonly HandMade[] = [
  { path: 'top/COPYING', data: TEXT },
  { path: 'top/main.c', data: '/*\n * Free.\n */\nint x;\n' },
]

/** What building a recipe of one tarball comes to: the error, or the log of its step. */
async function buildWith(
  licenseFiles: readonly LicenseFile[],
  {
    entries = ENTRIES,
    source = {},
    recipe = {},
  }: {
    entries?: readonly HandMade[]
    source?: Partial<FileSource>
    recipe?: Partial<Recipe>
  } = {},
): Promise<ReturnType<typeof failureOf> | undefined> {
  const toy = await freshStore()
  const sha256 = await putBlob(toy.store, tarOf(entries))
  const whole: FileSource = {
    ...{ kind: 'file', name: 'a.tar', sha256, from: [], to: '.', licenseFiles },
    ...source,
  }
  const script = 'echo x > $OUT/x'
  const metadata = toyMetadata(toyRecipe('host/a', script, { sources: [whole], ...recipe }))
  const result = await toyBuild(toy, metadata, ['host/a'])
  if (result.failures.size > 0) return failureOf(result, 'host/a')
  artifactOf(result, 'host/a')
  return undefined
}

describe('the text of a license', () => {
  it.each<[string, LicenseFile, Partial<FileSource>]>([
    ['as stated', file('COPYING'), {}],
    ['in some lines', { ...file('main.c', ' * Free.\n'), lines: { first: 2, last: 2 } }, {}],
    ['in a folder that the source is unpacked to', file('COPYING'), { to: 'deep/er' }],
    ['in a source that stays packed, which nothing reads', file('none'), { to: undefined }],
    ['in a tarball in the source, which nothing unpacked', file('b.tar.xz/COPYING'), {}],
  ])('%s lets the build go on', async (_, licenseFile, source) => {
    expect(await buildWith([licenseFile], { source })).toBeUndefined()
  })

  it('that changed stops the build, which names recipe, source, file and both digests', async () => {
    const old = digestOf('old')
    const failure = await buildWith([file('main.c', 'x'), file('COPYING', 'old')])
    expect(failure).toMatchObject({ code: 'license-changed', kind: 'buildFailed' })
    for (const part of ['host/a', '"a.tar"', '"COPYING"', digestOf(TEXT), old, '"main.c"'])
      expect(failure?.message).toContain(part)
  })

  it('that changed in the lines that count stops the build, and elsewhere does not', async () => {
    const lines = { first: 2, last: 3 }
    const licenseFile = { ...file('COPYING', 'But read this.\nThe end.\n'), lines }
    const entry = (data: string): HandMade[] => [{ path: 'top/COPYING', data }]
    const [same, other, short] = await Promise.all(
      ['New!\nBut read this.\nThe end.\n', TEXT.replace('But', 'And'), 'One\nTwo\n'].map((data) =>
        buildWith([licenseFile], { entries: entry(data) }),
      ),
    )
    expect(same).toBeUndefined()
    expect(other?.message).toContain('lines 2-3: sha256 is')
    expect(short?.message).toContain('it has no line 3')
  })

  it('is read before patches change it and steps remove it', async () => {
    const patch = '--- a/COPYING\n+++ b/COPYING\n@@ -1 +1 @@\n-one\n+two\n'
    const folder = await temporaryFolder()
    await writeTreeAt(folder, { 'a.patch': patch })
    const path = join(folder, 'a.patch')
    const patches = [{ name: 'a.patch', path, digest: digestOf(patch), executable: false }]
    const entries = [{ path: 'top/COPYING', data: 'one\n' }]
    const steps = [{ name: 'build', script: 'grep two COPYING > $OUT/x; rm COPYING' }]
    const changes = { entries, recipe: { patches, steps } }
    expect(await buildWith([file('COPYING', 'one\n')], changes)).toBeUndefined()
    expect(await buildWith([file('COPYING', 'two\n')], changes)).toMatchObject({
      code: 'license-changed',
    })
  })

  it.each<[string, readonly HandMade[], string]>([
    ['is missing', [{ path: 'top/x', data: 'x' }], 'there is no such file'],
    ['is a folder', [{ path: 'top/COPYING', type: 'Directory' }, ...ENTRIES.slice(1)], 'regular'],
    [
      'is a link out of the source',
      [
        { path: 'top/COPYING', type: 'SymbolicLink', linkpath: '/etc/passwd' },
        { path: 'top/x', data: 'x' },
      ],
      'a link',
    ],
    [
      'is a link to the right text',
      [
        { path: 'top/real', data: TEXT },
        { path: 'top/COPYING', type: 'SymbolicLink', linkpath: 'real' },
      ],
      'a link',
    ],
  ])('that %s stops the build', async (_, entries, reason) => {
    const failure = await buildWith([file('COPYING')], { entries })
    expect(failure?.code).toBe('license-changed')
    expect(failure?.message).toContain(reason)
  })

  it('is not read through a folder that another source has made a link', async () => {
    const outside = await temporaryFolder()
    await writeTreeAt(outside, { COPYING: TEXT })
    const entries: HandMade[] = [
      { path: 'top/way', type: 'SymbolicLink', linkpath: outside },
      { path: 'top/x', data: 'x' },
    ]
    const failure = await buildWith([file('way/COPYING')], { entries })
    expect(failure?.message).toContain('behind a link')
  })

  it('is not read out of a file that goes on for ever', async () => {
    const entries = [{ path: 'top/COPYING', data: 'x'.repeat((16 << 20) + 1) }]
    const failure = await buildWith([file('COPYING')], { entries })
    expect(failure?.message).toContain('larger than any license')
  })
})
