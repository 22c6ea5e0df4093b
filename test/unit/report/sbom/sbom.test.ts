import { join } from 'node:path'
import { isCPE } from '@cyclonedx/cyclonedx-library/Types'
import { PackageURL } from 'packageurl-js'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../../src/base/digest.ts'
import type { ImageRecord } from '../../../../src/image/read-record.ts'
import { recordedPlan } from '../../../../src/image/recorded-plan.ts'
import { licenseFault } from '../../../../src/metadata/format/license.ts'
import { loadMetadata } from '../../../../src/metadata/load.ts'
import type { Metadata } from '../../../../src/metadata/model.ts'
import { sourceDigest } from '../../../../src/plan/action-document.ts'
import { billOf } from '../../../../src/report/sbom/bill.ts'
import { cycloneDx } from '../../../../src/report/sbom/cyclonedx.ts'
import { spdx } from '../../../../src/report/sbom/spdx.ts'
import { IMAGE, RECIPES, recordOf } from '../../../support/bills.ts'
import { cycloneDxFaults, readCycloneDx } from '../../../support/cyclonedx.ts'
import { id } from '../../../support/rig.ts'
import { spdxElements, spdxFaults } from '../../../support/spdx.ts'
import { toyMetadata } from '../../../support/toy.ts'
import { CHECKOUT } from '../../../support/tree.ts'

const FORMATS = [
  ['CycloneDX', cycloneDx],
  ['SPDX', spdx],
] as const

function written(record: ImageRecord, metadata: Metadata, format: typeof cycloneDx): string {
  return format(billOf(record, recordedPlan({ path: 'x.json', record }, metadata), '0.1.0'))
}

describe.each(FORMATS)('a bill in %s', (_name, format) => {
  const metadata = toyMetadata(...RECIPES)
  const record = recordOf(metadata)
  const text = written(record, metadata, format)

  it('has the same bytes wherever the image was built, and whatever the recipes were read from', () => {
    const elsewhere: ImageRecord = {
      ...record,
      recipes: [...record.recipes].reverse().map((one) => {
        return one.host === true ? { ...one, artifact: digestOf('of another host') } : one
      }),
    }
    const moved = [...RECIPES].reverse().map((recipe) => ({
      ...recipe,
      patches: recipe.patches.map((patch) => ({ ...patch, path: `/srv/${patch.name}` })),
    }))
    expect(written(elsewhere, toyMetadata(...moved), format)).toBe(text)
  })

  it('has other bytes for another image', () => {
    const files = [{ path: 'image.img', sha256: digestOf('another') }]
    expect(written({ ...record, files }, metadata, format)).not.toBe(text)
  })

  it('tells nothing of the machine, and leaves nothing open', () => {
    expect(text).not.toMatch(/canary|secret|user:|NOASSERTION|NONE|undefined|null/)
    expect(text).not.toContain(String(new Date().getFullYear()))
    expect(text.endsWith('}\n')).toBe(true)
  })
})

describe('the bill of an image with several files', () => {
  it('has the digest of its artifact', () => {
    const metadata = toyMetadata(...RECIPES)
    const files = ['a.img', 'b.img'].map((path) => ({ path, sha256: digestOf(path) }))
    const record = { ...recordOf(metadata), files }
    const bom = readCycloneDx(written(record, metadata, cycloneDx))
    expect(bom.metadata.component.hashes).toEqual([{ alg: 'SHA-256', content: record.artifact }])
  })
})

describe('the bill of an image that holds nothing', () => {
  it('is valid, and states no license', () => {
    const { sources } = RECIPES.find(({ name }) => name === 'data')!
    const metadata = toyMetadata({ ...RECIPES.at(-1)!, inputs: [], contents: [] })
    const record = recordOf(metadata)
    const bom = written(record, metadata, cycloneDx)
    expect(cycloneDxFaults(bom)).toEqual([])
    expect(readCycloneDx(bom).metadata.component.licenses).toBeUndefined()
    expect(spdxFaults(written(record, metadata, spdx))).toEqual([])
    // Nor does what only it has as a source.
    const own = toyMetadata({
      ...RECIPES.at(-1)!,
      inputs: [],
      contents: [],
      sources: [sources[0]!],
    })
    expect(spdxFaults(written(recordOf(own), own, spdx))).toEqual([])
  })
})

describe('the bill of an image that holds an image', () => {
  it('states the licenses of what that holds', () => {
    const outer = { ...RECIPES.at(-1)!, id: id('base/outer'), name: 'outer', inputs: [IMAGE] }
    const metadata = toyMetadata(...RECIPES, { ...outer, contents: [id('base/data')] })
    const record = recordOf(metadata, outer.id)
    const bom = readCycloneDx(written(record, metadata, cycloneDx))
    expect(bom.components.find(({ name }) => name === 'image')).toMatchObject({
      scope: 'excluded',
      licenses: [{ expression: expect.stringContaining('Apache-2.0 AND CC0-1.0') as string }],
    })
  })
})

describe.each(['appliance/appliance', 'system/tiny'])('the bill of %s', async (name) => {
  const metadata = await loadMetadata(join(CHECKOUT, 'layers/layers.yaml'))
  const record = recordOf(metadata, id(name))
  const text = written(record, metadata, cycloneDx)
  const bom = readCycloneDx(text)
  const recipes = record.recipes.map(({ recipe }) => metadata.recipes.get(recipe)!)

  it('is valid, and smaller than a megabyte', () => {
    const graph = written(record, metadata, spdx)
    expect(cycloneDxFaults(text)).toEqual([])
    expect(spdxFaults(graph)).toEqual([])
    expect(`${text}${graph}`).not.toContain('NOASSERTION')
    expect(Buffer.byteLength(text)).toBeLessThan(1e6)
    expect(Buffer.byteLength(graph)).toBeLessThan(1e6)
  })

  it('has each recipe and each source once', () => {
    const sources = new Set(recipes.flatMap((recipe) => recipe.sources.map(sourceDigest)))
    const refs = [...bom.components, bom.metadata.component].map((one) => one['bom-ref'])
    expect(refs.sort()).toEqual(
      [
        ...recipes.map((recipe) => `package:${recipe.id}`),
        ...[...sources].map((digest) => `source:${digest}`),
      ].sort(),
    )
    const packages = spdxElements(written(record, metadata, spdx)).filter(
      ({ type }) => type === 'software_Package',
    )
    expect(packages).toHaveLength(refs.length)
  })

  it('has digest, license and package URL of each, as others read them', () => {
    for (const one of bom.components) {
      const [license] = one.licenses ?? []
      expect(licenseFault(license!.expression), one.name).toBeUndefined()
      const { qualifiers } = PackageURL.fromString(one.purl)
      const isOfHost = one['bom-ref'].startsWith('package:bootstrap/')
      // Its bytes differ from host to host.
      expect(one.hashes === undefined, one.name).toBe(isOfHost)
      const digest = qualifiers?.['checksum'] ?? `sha256:${one.hashes?.[0]?.content ?? ''}`
      if (!isOfHost) expect(one.hashes).toEqual([{ alg: 'SHA-256', content: digest.slice(7) }])
      if (one.cpe !== undefined) expect(one.cpe).toSatisfy(isCPE)
    }
    const { dependsOn = [] } = bom.dependencies.find(({ ref }) => ref === `package:${name}`)!
    expect(dependsOn.length).toBeGreaterThan(2)
    expect(dependsOn.filter((ref) => ref.startsWith('package:bootstrap/'))).toEqual([])
  })

  it('has a CPE name of each package of others, but of those that no database knows', () => {
    const unnamed = recipes.filter(({ cpe }) => cpe === undefined).map((recipe) => recipe.id)
    const known = ['base/mtools', 'base/ninja'].filter((one) =>
      recipes.some(({ id }) => id === one),
    )
    const others = unnamed.filter((one) =>
      metadata.recipes.get(one)!.sources.some(({ kind }) => kind === 'file'),
    )
    expect(others.filter((one) => !/headers$/.test(one) && one !== 'runtime/fixpoint')).toEqual(
      known,
    )
  })

  it('sets tools apart from what is in the image', () => {
    const scopeOf = (ref: string) => bom.components.find((one) => one['bom-ref'] === ref)?.scope
    const inAppliance = name.startsWith('appliance/') ? 'required' : 'excluded'
    expect(scopeOf('package:base/zstd')).toBe(inAppliance)
    expect(scopeOf('package:toolchain/gcc')).toBe(name === 'system/tiny' ? 'required' : inAppliance)
    expect(scopeOf('package:system/linux')).toBe('required')
  })
})
