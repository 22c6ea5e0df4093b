import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { describe, expect, it } from 'vitest'
import { packageUrl } from '../../../../src/report/sbom/purl.ts'

describe('a package URL', () => {
  it.each([
    [
      'of a Debian source package',
      {
        type: 'deb',
        namespace: 'debian',
        name: 'nodejs',
        version: '20.19.2+dfsg',
        qualifiers: { arch: 'source' },
      },
      'pkg:deb/debian/nodejs@20.19.2%2Bdfsg?arch=source',
    ],
    [
      'of an npm package with a scope',
      { type: 'npm', namespace: '@isaacs', name: 'fs-minipass', version: '4.0.1' },
      'pkg:npm/%40isaacs/fs-minipass@4.0.1',
    ],
    [
      'of a file: qualifiers are sorted, and those without a value left out',
      {
        type: 'generic',
        name: 'a b.tar',
        qualifiers: {
          download_url: 'https://e.org/a?b=c&d',
          checksum: 'sha256:00',
          arch: undefined,
        },
      },
      'pkg:generic/a%20b.tar?checksum=sha256:00&download_url=https:%2F%2Fe.org%2Fa%3Fb%3Dc%26d',
    ],
  ] as const)('%s', (_what, parts, expected) => {
    expect(packageUrl(parts)).toBe(expected)
  })

  it('is read by others as it was meant, whatever its parts hold', () => {
    const word = fc.stringMatching(/^[!-~]{1,20}$/).filter((text) => /^[^/.].*[^/.]$/.test(text))
    // That library decodes a value twice: a percent sign would be taken for another.
    const value = word.filter((text) => !text.includes('%'))
    const parts = fc.record({ name: word, version: word, value })
    fc.assert(
      fc.property(parts, ({ name, version, value }) => {
        const text = packageUrl({
          ...{ type: 'generic', namespace: 'layer', name, version },
          qualifiers: { checksum: value },
        })
        const read = PackageURL.fromString(text)
        expect(read).toMatchObject({ type: 'generic', namespace: 'layer', name, version })
        expect(read.qualifiers).toEqual({ checksum: value })
      }),
    )
  })
})
