import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../../src/base/digest.ts'
import { billFor, RECIPES } from '../../../support/bills.ts'
import { id } from '../../../support/rig.ts'

const partOf = (name: string) => billFor().packages.find((part) => part.id === name)!
const sourceOf = (name: string) => billFor().sources.find((part) => part.name === name)!

describe('the packages of a bill', () => {
  it('are all that the image was built from, sorted, each with what it is to the image', () => {
    expect(billFor().packages.map((part) => [part.id, part.role])).toEqual([
      ['base/app', 'content'],
      // Nobody names it: it comes with what needs it.
      ['base/data', 'content'],
      ['base/make', 'tool'],
      // Not installed, but its code is in what is.
      ['base/musl', 'linked'],
      ['host/gcc', 'tool'],
    ])
  })

  it('tell libraries from tools', () => {
    expect(partOf('base/app')).toMatchObject({
      needs: ['base/data'],
      linked: ['base/musl'],
      tools: ['base/make'],
    })
  })

  it('have the digest of their artifact, but for those that differ from host to host', () => {
    const { digest, purl, key } = partOf('base/app')
    expect(digest).toBe(digestOf(`artifact of ${key}`))
    expect(purl).toBe(`pkg:generic/base/app@2.0%2Bb1?checksum=sha256:${digest}`)
    expect(partOf('host/gcc')).toMatchObject({
      digest: undefined,
      purl: 'pkg:generic/host/gcc@14.2.0',
      cpe: 'cpe:2.3:a:gnu:gcc:14.2.0:*:*:*:*:*:*:*',
    })
  })
})

describe('the image of a bill', () => {
  it('has the digest of its file, and the licenses of what it holds', () => {
    const { image } = billFor()
    expect(image.digest).toBe(digestOf('image.img'))
    expect(image.contents).toEqual(['base/app', 'base/data'])
    expect(image.license).toBe('Apache-2.0 AND CC0-1.0 AND (GPL-2.0-only OR MIT) AND ISC AND MIT')
  })
})

describe('the sources of a bill', () => {
  it.each([
    [
      'gcc-14_14.2.0.orig.tar.gz',
      'pkg:deb/debian/gcc-14@14.2.0?arch=source',
      { version: '14.2.0', supplier: 'Debian', isRepacked: false, isContent: false },
    ],
    [
      // The package's name says dfsg; its version does not.
      'make-dfsg_4.4.1.orig.tar.xz',
      'pkg:deb/debian/make-dfsg@4.4.1?arch=source',
      { version: '4.4.1', isRepacked: false },
    ],
    [
      'app_2.0+b1+dfsg.orig-main.tar.xz',
      'pkg:deb/debian/app@2.0%2Bb1%2Bdfsg?arch=source',
      { version: '2.0+b1+dfsg', supplier: 'Debian', isRepacked: true, isContent: true },
    ],
    [
      'part@1.0.0-rc.1',
      'pkg:npm/%40scope/part@1.0.0-rc.1',
      { version: '1.0.0-rc.1', supplier: undefined, license: 'ISC' },
    ],
    [
      'app-2.0+b1.tar.gz',
      `pkg:generic/app-2.0%2Bb1.tar.gz@2.0%2Bb1?checksum=sha256:` +
        digestOf('https://user:secret@example.org/src/app-2.0+b1.tar.gz') +
        `&download_url=https:%2F%2Fexample.org%2Fsrc%2Fapp-2.0%2Bb1.tar.gz`,
      { version: '2.0+b1', address: 'https://example.org/src/app-2.0+b1.tar.gz' },
    ],
    [
      'more.tar',
      `pkg:generic/more.tar?checksum=sha256:${digestOf('file:/home/canary/more.tar')}`,
      { version: undefined, address: undefined },
    ],
    ['own', 'pkg:generic/own@1', { digest: digestOf('own'), kind: 'tree', license: 'CC0-1.0' }],
  ])('%s', (name, purl, facts) => {
    expect(sourceOf(name)).toMatchObject({ purl, ...facts })
  })

  it('are listed once for all that use them, under all licenses that these state', () => {
    const { sources } = billFor()
    expect(new Set(sources.map(({ digest }) => digest)).size).toBe(sources.length)
    expect(sourceOf('musl_1.2.5.orig.tar.gz').license).toBe('BSD-2-Clause AND MIT')
  })

  it.each(['1.3.dfsg+really1.3.1', '2.0+ds', '2.0+ds1', '2.0~dfsg2', '1.0+repack'])(
    'of version %s are repacked by Debian',
    (version) => {
      const [first, ...others] = RECIPES
      const place = `debian:zlib/zlib_${version}.orig.tar.gz`
      const source = { ...first!.sources[0]!, name: 'zlib', from: [place] }
      const { sources } = billFor([{ ...first!, sources: [source] }, ...others])
      expect(sources.find(({ name }) => name === 'zlib')).toMatchObject({
        version,
        isRepacked: true,
      })
    },
  )
})

describe('a license that SPDX does not list', () => {
  it.each([
    ['of a recipe', { license: 'GPL v3' }],
    ['of what it links into others', { linkedLicense: 'GPL v3' }],
    [
      'of a source',
      {
        sources: [
          { kind: 'tree', name: 'x', digest: digestOf('x'), files: [], to: '.', license: 'X' },
        ],
      },
    ],
  ] as const)('%s is refused, and the recipe named', (_what, more) => {
    const recipes = RECIPES.map((one) => (one.id === id('base/make') ? { ...one, ...more } : one))
    expect(() => billFor(recipes)).toThrow(
      expect.objectContaining({
        code: 'lint-license',
        message: expect.stringContaining('base/make') as string,
      }),
    )
  })
})
