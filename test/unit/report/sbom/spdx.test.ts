import { describe, expect, it } from 'vitest'
import { spdx } from '../../../../src/report/sbom/spdx.ts'
import { billFor } from '../../../support/bills.ts'
import { spdxElements, spdxFaults, type SpdxElement } from '../../../support/spdx.ts'

const TEXT = spdx(billFor())
const ELEMENTS = spdxElements(TEXT)

type OfType<T extends SpdxElement['type']> = Extract<SpdxElement, { type: T }>
const all = <T extends SpdxElement['type']>(type: T) =>
  ELEMENTS.filter((one): one is OfType<T> => one.type === type)
const called = (name: string) => all('software_Package').find((one) => one.name === name)!

/** What `from` is related to, by the names or expressions of those. */
function related(from: string, kind: string): string[] {
  const names = new Map(
    ELEMENTS.flatMap((one) => {
      if (one.type === 'simplelicensing_LicenseExpression')
        return [[one.spdxId, one.simplelicensing_licenseExpression]]
      return 'name' in one ? [[one.spdxId, one.name]] : []
    }),
  )
  return [...all('Relationship'), ...all('LifecycleScopedRelationship')]
    .filter((one) => one.from === called(from).spdxId && one.relationshipType === kind)
    .flatMap(({ to }) => to.map((id) => names.get(id)!))
}

describe('a bill in SPDX 3.0.1', () => {
  it('says nothing that the model does not have, and names nothing that is not there', () => {
    expect(spdxFaults(TEXT)).toEqual([])
  })

  it.each([
    ['an unknown member', { foo: 1 }],
    ['an unknown word', { software_primaryPurpose: 'toy' }],
    ['a package of nobody', { suppliedBy: 'fixpoint:sbom/' + '0'.repeat(64) + '#agent/x' }],
    ['no package URL', { software_packageUrl: undefined }],
  ])('would be found out with %s', (_what, change) => {
    const { '@graph': graph, ...rest } = JSON.parse(TEXT) as { '@graph': object[] }
    const at = graph.findIndex((one) => 'type' in one && one.type === 'software_Package')
    graph[at] = { ...graph[at], ...change }
    expect(spdxFaults(JSON.stringify({ ...rest, '@graph': graph }))).not.toEqual([])
  })

  it('describes one image, made at the time of all files in images', () => {
    const [sbom, ...others] = all('software_Sbom')
    expect(others).toEqual([])
    expect(sbom!.rootElement).toEqual([called('base/image').spdxId])
    expect(all('SpdxDocument')[0]!.rootElement).toEqual([sbom!.spdxId])
    expect(all('CreationInfo')[0]!.created).toBe('2000-01-01T00:00:00Z')
    expect(new Set(sbom!.element).size).toBe(ELEMENTS.length - 4)
  })

  it('tells what is in the image from what built it', () => {
    expect(related('base/image', 'contains')).toEqual(['base/app', 'base/data'])
    expect(related('base/image', 'usesTool')).toEqual(['base/make'])
    expect(related('base/app', 'dependsOn')).toEqual(['base/data'])
    expect(related('base/app', 'hasStaticLink')).toEqual(['base/musl'])
    expect(related('base/app', 'usesTool')).toEqual(['base/make'])
    expect(
      all('LifecycleScopedRelationship').map((one) => [one.relationshipType, one.scope]),
    ).toEqual(
      expect.arrayContaining([
        ['dependsOn', 'runtime'],
        ['usesTool', 'build'],
      ]),
    )
  })

  it('states the license, the patches and the sources of a package', () => {
    expect(related('base/app', 'hasDeclaredLicense')).toEqual([
      'Apache-2.0 AND (GPL-2.0-only OR MIT) AND ISC',
    ])
    expect(related('base/app', 'patchedBy')).toEqual(['1.patch', '2.patch', '3.patch'])
    expect(related('part@1.0.0-rc.1', 'generates')).toEqual(['base/app'])
    expect(related('musl_1.2.5.orig.tar.gz', 'generates')).toEqual(['base/data', 'base/musl'])
  })

  it('identifies each package for others', () => {
    const { externalIdentifier, verifiedUsing } = called('base/app')
    expect(externalIdentifier).toMatchObject([
      {
        externalIdentifierType: 'cpe23',
        identifier: 'cpe:2.3:a:example:app:2.0\\+b1:*:*:*:*:*:*:*',
      },
      { externalIdentifierType: 'other' },
    ])
    expect(verifiedUsing).toHaveLength(1)
    // Its artifact differs from host to host.
    expect(called('host/gcc').verifiedUsing).toBeUndefined()
    expect(called('app-2.0+b1.tar.gz').software_downloadLocation).toBe(
      'https://example.org/src/app-2.0+b1.tar.gz',
    )
    expect(called('app_2.0+b1+dfsg.orig-main.tar.xz').software_sourceInfo).toMatch(/^Repacked/)
  })
})
