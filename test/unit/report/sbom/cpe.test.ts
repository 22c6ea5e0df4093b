import { isCPE } from '@cyclonedx/cyclonedx-library/Types'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cpeName } from '../../../../src/report/sbom/cpe.ts'

describe('a CPE name', () => {
  it.each([
    ['a:openssl:openssl', '3.5.7', 'cpe:2.3:a:openssl:openssl:3.5.7:*:*:*:*:*:*:*'],
    ['o:linux:linux_kernel', '6.12.107', 'cpe:2.3:o:linux:linux_kernel:6.12.107:*:*:*:*:*:*:*'],
    ['a:nodejs:node.js', '1.0+B~2', 'cpe:2.3:a:nodejs:node.js:1.0\\+b\\~2:*:*:*:*:*:*:*'],
  ])('of %s %s', (product, version, expected) => {
    expect(cpeName(product, version)).toBe(expected)
  })

  it('is one for every version that a recipe may have', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9+._~-]{0,99}$/), (version) => {
        expect(cpeName('a:musl-libc:musl', version)).toSatisfy(isCPE)
      }),
    )
  })
})
