import { digestOfValue } from '../../base/canonical.ts'
import { EPOCH } from '../../base/constants.ts'
import type { Digest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { Bill, ImagePart, PackagePart } from './bill.ts'
import type { SourcePart } from './source-parts.ts'

/** An element of the graph. Its members are those of SPDX 3.0.1, in JSON-LD. */
interface Element {
  readonly type: string
  readonly spdxId: string
  readonly [member: string]: unknown
}

/** A relation that is stated of one element at a time. */
type Relation = readonly [type: string, to: readonly string[], scope?: 'build' | 'runtime']

/**
 * A bill of materials in SPDX 3.0.1, as JSON-LD. Every identifier begins with the digest of the
 * bill. https://spdx.github.io/spdx-spec/v3.0.1/
 */
export function spdx(bill: Bill): string {
  const ids = new Ids(digestOfValue(bill))
  const parts = [...materials(bill, ids), ...patches(bill, ids), ...licenses(bill, ids)]
  const relations = relationships(bill, ids)
  const debian = { type: 'Organization', spdxId: ids.of('agent', 'debian'), name: 'Debian' }
  const agents = bill.sources.some(({ supplier }) => supplier === 'Debian') ? [debian] : []
  const elements = [...agents, ...parts, ...relations]
  const author = { type: 'SoftwareAgent', spdxId: ids.of('agent', 'fixpoint') }
  const sbom = ids.of('sbom', bill.image.id)
  const collection = { name: bill.image.name, profileConformance: PROFILES }
  const graph: readonly Element[] = [
    { ...author, name: `fixpoint ${bill.engine}` },
    {
      ...{ type: 'SpdxDocument', spdxId: ids.of('document', bill.image.id), ...collection },
      rootElement: [sbom],
    },
    {
      ...{ type: 'software_Sbom', spdxId: sbom, ...collection, software_sbomType: ['build'] },
      rootElement: [ids.package(bill.image.id)],
      element: elements.map(({ spdxId }) => spdxId),
    },
    ...elements,
  ]
  const created = {
    ...{ type: 'CreationInfo', '@id': CREATED, specVersion: '3.0.1' },
    // That of all files of the image: a clock would make each bill another one.
    created: new Date(EPOCH * 1000).toISOString().replace('.000Z', 'Z'),
    createdBy: [author.spdxId],
  }
  const document = {
    '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
    '@graph': [created, ...graph.map((element) => ({ ...element, creationInfo: CREATED }))],
  }
  return `${JSON.stringify(document, undefined, 1)}\n`
}

const CREATED = '_:created'
const PROFILES = ['core', 'software', 'simpleLicensing']

/** Identifiers of a document's elements. */
class Ids {
  readonly #digest: Digest

  constructor(digest: Digest) {
    this.#digest = digest
  }

  of(kind: string, name: string): string {
    const path = encodeURIComponent(name).replaceAll('%2F', '/')
    return `fixpoint:sbom/${this.#digest}#${kind}/${path}`
  }

  package(id: string): string {
    return this.of('package', id)
  }

  source(digest: Digest): string {
    return this.of('source', digest)
  }

  patch(digest: Digest): string {
    return this.of('patch', digest)
  }

  license(expression: string): string {
    return this.of('license', expression)
  }
}

/** Image, packages and sources. */
function materials({ image, packages, sources }: Bill, ids: Ids): Element[] {
  return [
    { ...packageElement(image, ids), software_primaryPurpose: 'diskImage' },
    ...packages.map((part) => ({
      ...packageElement(part, ids),
      software_primaryPurpose: part.isLibrary ? 'library' : 'application',
    })),
    ...sources.map((part) => sourceElement(part, ids)),
  ]
}

function packageElement(part: ImagePart | PackagePart, ids: Ids): Element {
  const { id, summary, version, purl, cpe, key, digest } = part
  const identifiers = [
    ...(cpe === undefined ? [] : [externalIdentifier('cpe23', cpe)]),
    externalIdentifier('other', `fixpoint:key/${key}`),
  ]
  return {
    ...{ type: 'software_Package', spdxId: ids.package(id), name: id, summary },
    ...hashed(digest),
    externalIdentifier: identifiers,
    software_packageVersion: version,
    software_packageUrl: purl,
  }
}

function sourceElement(part: SourcePart, ids: Ids): Element {
  const { digest, name, kind, version, purl, supplier, address, isRepacked } = part
  const notes = [
    ...(kind === 'tree' ? ['Files of the checkout; the digest is that of their list'] : []),
    ...(isRepacked ? ['Repacked by Debian: not the bytes that upstream published'] : []),
  ]
  return {
    ...{ type: 'software_Package', spdxId: ids.source(digest), name, ...hashed(digest) },
    ...(supplier === undefined ? {} : { suppliedBy: ids.of('agent', supplier.toLowerCase()) }),
    software_primaryPurpose: 'source',
    ...(version === undefined ? {} : { software_packageVersion: version }),
    software_packageUrl: purl,
    ...(address === undefined ? {} : { software_downloadLocation: address }),
    ...(notes.length === 0 ? {} : { software_sourceInfo: notes.join('. ') }),
  }
}

/** Patches, each once. */
function patches({ image, packages }: Bill, ids: Ids): Element[] {
  const all = [image, ...packages].flatMap((part) => part.patches)
  return [...new Map(all.map((patch) => [patch.digest, patch])).values()].map((patch) => ({
    ...{ type: 'software_File', spdxId: ids.patch(patch.digest), name: patch.name },
    ...hashed(patch.digest),
    software_primaryPurpose: 'patch',
  }))
}

/** Expressions of licenses, each once; an image that holds nothing has none. */
function licenses({ image, packages, sources }: Bill, ids: Ids): Element[] {
  const all = [image, ...packages, ...sources].map(({ license }) => license)
  return [...new Set(all)]
    .filter((one) => one !== '')
    .sort(byCodeUnit)
    .map((expression) => ({
      type: 'simplelicensing_LicenseExpression',
      spdxId: ids.license(expression),
      simplelicensing_licenseExpression: expression,
    }))
}

/** How all of them belong together. */
function relationships({ image, packages, sources }: Bill, ids: Ids): Element[] {
  const users = new Map<Digest, string[]>()
  for (const part of [image, ...packages])
    for (const digest of part.sources)
      users.set(digest, [...(users.get(digest) ?? []), ids.package(part.id)])
  const packagesOf = (all: readonly string[]): string[] => all.map((id) => ids.package(id))
  const licensed = (license: string): string[] => (license === '' ? [] : [ids.license(license)])
  const relationsOf = (part: ImagePart | PackagePart): Relation[] => [
    ['dependsOn', packagesOf(part.needs), 'runtime'],
    ['hasStaticLink', packagesOf(part.linked)],
    ['usesTool', packagesOf(part.tools), 'build'],
    ['patchedBy', part.patches.map(({ digest }) => ids.patch(digest))],
    ['hasDeclaredLicense', licensed(part.license)],
  ]
  return [
    ...stated(ids, ids.package(image.id), [
      ['contains', packagesOf(image.contents)],
      ...relationsOf(image),
    ]),
    ...packages.flatMap((part) => stated(ids, ids.package(part.id), relationsOf(part))),
    ...sources.flatMap(({ digest, license }) =>
      stated(ids, ids.source(digest), [
        ['generates', users.get(digest) ?? []],
        ['hasDeclaredLicense', licensed(license)],
      ]),
    ),
  ]
}

/** Relations of one element as elements of their own; without those to nothing. */
function stated(ids: Ids, from: string, relations: readonly Relation[]): Element[] {
  const name = from.slice(from.indexOf('#') + 1)
  return relations
    .filter(([, to]) => to.length > 0)
    .map(([relationshipType, to, scope]) => ({
      type: scope === undefined ? 'Relationship' : 'LifecycleScopedRelationship',
      spdxId: ids.of('relationship', `${name}/${relationshipType}`),
      ...{ from, relationshipType, to: [...new Set(to)] },
      ...(scope === undefined ? {} : { scope }),
    }))
}

function externalIdentifier(kind: 'cpe23' | 'other', identifier: string): object {
  return { type: 'ExternalIdentifier', externalIdentifierType: kind, identifier }
}

function hashed(digest: Digest | undefined): object {
  if (digest === undefined) return {}
  return { verifiedUsing: [{ type: 'Hash', algorithm: 'sha256', hashValue: digest }] }
}
