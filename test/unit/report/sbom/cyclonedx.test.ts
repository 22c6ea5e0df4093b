import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../../src/base/digest.ts'
import { cycloneDx } from '../../../../src/report/sbom/cyclonedx.ts'
import { billFor } from '../../../support/bills.ts'
import { cycloneDxFaults, readCycloneDx } from '../../../support/cyclonedx.ts'

const TEXT = cycloneDx(billFor())
const BOM = readCycloneDx(TEXT)
const called = (name: string) => BOM.components.find((one) => one.name === name)!
const dependsOn = (ref: string) => BOM.dependencies.find((one) => one.ref === ref)?.dependsOn ?? []

describe('a bill in CycloneDX 1.6', () => {
  it('is valid by the schema', () => {
    expect(cycloneDxFaults(TEXT)).toEqual([])
  })

  it.each([
    ['an unknown member', { foo: 1 }],
    ['an unknown kind of component', { type: 'toy' }],
    ['a license that SPDX does not list', { licenses: [{ license: { id: 'GPL v3' } }] }],
  ])('would be found out with %s', (_what, change) => {
    const components = BOM.components.map((one) => ({ ...one, ...change }))
    expect(cycloneDxFaults(JSON.stringify({ ...BOM, components }))).not.toEqual([])
  })

  it('is of the image: its digest, its licenses, and the step of its life', () => {
    expect(BOM.metadata.component).toMatchObject({
      type: 'operating-system',
      name: 'image',
      hashes: [{ alg: 'SHA-256', content: digestOf('image.img') }],
      licenses: [
        { expression: 'Apache-2.0 AND CC0-1.0 AND (GPL-2.0-only OR MIT) AND ISC AND MIT' },
      ],
    })
    expect(BOM.metadata).toMatchObject({ lifecycles: [{ phase: 'build' }] })
    expect(BOM.metadata).not.toHaveProperty('timestamp')
  })

  it('tells what is in the image from what built it', () => {
    const scopes = BOM.components.map(({ name, scope }) => [name, scope])
    expect(Object.fromEntries(scopes)).toEqual({
      app: 'required',
      data: 'required',
      // Its code is in the program.
      musl: 'required',
      make: 'excluded',
      gcc: 'excluded',
      own: 'required',
      more: 'required',
      part: 'required',
      'app-2.0+b1.tar.gz': 'required',
      'more.tar': 'required',
      'app_2.0+b1+dfsg.orig-main.tar.xz': 'required',
      // Of a tool, and of data.
      'musl_1.2.5.orig.tar.gz': 'required',
      'make-dfsg_4.4.1.orig.tar.xz': 'excluded',
      'gcc-14_14.2.0.orig.tar.gz': 'excluded',
    })
    expect(called('musl').type).toBe('library')
    expect(dependsOn('package:base/image')).toEqual(['package:base/app', 'package:base/data'])
    expect(dependsOn('package:base/app')).toEqual(
      expect.arrayContaining(['package:base/data', 'package:base/musl']),
    )
    expect(dependsOn('package:base/app')).not.toContain('package:base/make')
    expect(called('app').properties).toContainEqual({
      name: 'fixpoint:built-with',
      value: 'base/make',
    })
  })

  it('calls a package of npm by its own name, as scanners look for it', () => {
    expect(called('part')).toMatchObject({
      type: 'library',
      group: '@scope',
      version: '1.0.0-rc.1',
      purl: 'pkg:npm/%40scope/part@1.0.0-rc.1',
      properties: [{ name: 'fixpoint:source', value: 'part@1.0.0-rc.1' }],
    })
  })

  it('lists patches: those that the engine applies, and those that a step does', () => {
    const diffOf = (name: string) => ({
      type: 'unofficial',
      diff: { url: `patches/${name}#sha256=${digestOf(`patch ${name}`)}` },
    })
    expect(called('app').pedigree?.patches).toEqual(['1.patch', '2.patch', '3.patch'].map(diffOf))
    expect(called('make').pedigree?.patches).toMatchObject([
      { diff: { url: expect.stringMatching(/^patches\/no%20manual\.patch#/) as string } },
    ])
    expect(called('app_2.0+b1+dfsg.orig-main.tar.xz').pedigree?.notes).toMatch(/^Repacked/)
    expect(called('data').pedigree).toBeUndefined()
  })
})

describe('the serial number of a bill', () => {
  it('is a UUID that stands for the bill', () => {
    expect(BOM.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    const bill = billFor()
    const other = { ...bill, image: { ...bill.image, digest: digestOf('other.img') } }
    expect(readCycloneDx(cycloneDx(bill)).serialNumber).toBe(BOM.serialNumber)
    expect(readCycloneDx(cycloneDx(other)).serialNumber).not.toBe(BOM.serialNumber)
  })
})
