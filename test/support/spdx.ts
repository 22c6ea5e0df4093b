import { z } from 'zod'

/**
 * What a text says wrongly as SPDX 3.0.1: a member, a type or a word that the model does not have,
 * or an identifier that stands for nothing of the right kind. Only the classes and words that bills
 * here use are known. https://spdx.github.io/spdx-spec/v3.0.1/model/
 */
export function spdxFaults(text: string): string[] {
  const read = document.safeParse(JSON.parse(text))
  if (!read.success)
    return read.error.issues.map(({ path, message }) => `${path.join('/')}: ${message}`)
  return referenceFaults(read.data['@graph'])
}

/** An IRI; those of a bill name it and the element. */
const iri = z.string().regex(/^fixpoint:sbom\/[0-9a-f]{64}#[a-z]+\/[\w%.~!'()*/-]+$/)
const sentence = z.string().min(1)
const blank = z.literal('_:created')
const hash = z.strictObject({
  type: z.literal('Hash'),
  algorithm: z.literal('sha256'),
  hashValue: z.string().regex(/^[0-9a-f]{64}$/),
})

/** Of class Element. */
const element = { spdxId: iri, creationInfo: blank, name: sentence }
const artifact = {
  ...element,
  verifiedUsing: z.tuple([hash]).optional(),
  suppliedBy: iri.optional(),
}
const collection = {
  ...element,
  profileConformance: z.array(z.enum(['core', 'software', 'simpleLicensing'])).min(1),
  rootElement: z.tuple([iri]),
}
const relation = { spdxId: iri, creationInfo: blank, from: iri, to: z.array(iri).min(1) }

const elementSchema = z.discriminatedUnion('type', [
  z.strictObject({
    '@id': blank,
    type: z.literal('CreationInfo'),
    specVersion: z.literal('3.0.1'),
    created: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    createdBy: z.tuple([iri]),
  }),
  z.strictObject({ type: z.enum(['SoftwareAgent', 'Organization']), ...element }),
  z.strictObject({ type: z.literal('SpdxDocument'), ...collection }),
  z.strictObject({
    type: z.literal('software_Sbom'),
    ...collection,
    element: z.array(iri).min(1),
    software_sbomType: z.tuple([z.literal('build')]),
  }),
  z.strictObject({
    type: z.literal('software_Package'),
    ...artifact,
    summary: z.string().optional(),
    externalIdentifier: z
      .array(
        z.strictObject({
          type: z.literal('ExternalIdentifier'),
          externalIdentifierType: z.enum(['cpe23', 'other']),
          identifier: sentence,
        }),
      )
      .optional(),
    software_primaryPurpose: z.enum(['application', 'diskImage', 'library', 'source']),
    software_packageVersion: sentence.optional(),
    software_packageUrl: z.string().startsWith('pkg:'),
    software_downloadLocation: z.url().optional(),
    software_sourceInfo: sentence.optional(),
  }),
  z.strictObject({
    type: z.literal('software_File'),
    ...artifact,
    software_primaryPurpose: z.literal('patch'),
  }),
  z.strictObject({
    type: z.literal('simplelicensing_LicenseExpression'),
    ...{ spdxId: iri, creationInfo: blank },
    simplelicensing_licenseExpression: sentence,
  }),
  z.strictObject({
    type: z.literal('Relationship'),
    ...relation,
    relationshipType: z.enum([
      'contains',
      'generates',
      'hasDeclaredLicense',
      'hasStaticLink',
      'patchedBy',
    ]),
  }),
  z.strictObject({
    type: z.literal('LifecycleScopedRelationship'),
    ...relation,
    relationshipType: z.enum(['dependsOn', 'usesTool']),
    scope: z.enum(['build', 'runtime']),
  }),
])

const document = z.strictObject({
  '@context': z.literal('https://spdx.org/rdf/3.0.1/spdx-context.jsonld'),
  '@graph': z.array(elementSchema).min(1),
})

/** An element of a bill in SPDX. */
export type SpdxElement = z.infer<typeof elementSchema>

/** The elements of a bill in SPDX, which {@link spdxFaults} finds nothing wrong with. */
export function spdxElements(text: string): SpdxElement[] {
  return document.parse(JSON.parse(text))['@graph']
}

/** Which class each member must name one of. */
const TARGETS: Readonly<Record<string, RegExp>> = {
  createdBy: /^SoftwareAgent$/,
  suppliedBy: /^Organization$/,
  rootElement: /^software_(Sbom|Package)$/,
  element: /^(?!SpdxDocument|software_Sbom|CreationInfo)/,
  from: /^software_Package$/,
  contains: /^software_Package$/,
  dependsOn: /^software_Package$/,
  generates: /^software_Package$/,
  hasDeclaredLicense: /^simplelicensing_LicenseExpression$/,
  hasStaticLink: /^software_Package$/,
  patchedBy: /^software_File$/,
  usesTool: /^software_Package$/,
}

function referenceFaults(elements: readonly SpdxElement[]): string[] {
  const types = new Map<string, string>()
  const faults: string[] = []
  for (const one of elements) {
    const id = 'spdxId' in one ? one.spdxId : one['@id']
    if (types.has(id)) faults.push(`${id}: twice`)
    types.set(id, one.type)
  }
  for (const one of elements)
    for (const [member, value] of Object.entries(one)) {
      const kind = member === 'to' && 'relationshipType' in one ? one.relationshipType : member
      const wanted = TARGETS[kind]
      if (wanted === undefined) continue
      const targets = [value].flat().map(String)
      if (new Set(targets).size !== targets.length) faults.push(`${member}: names one twice`)
      for (const target of targets)
        if (!wanted.test(types.get(target) ?? ''))
          faults.push(`${kind}: ${target} is ${types.get(target) ?? 'nothing'}`)
    }
  return faults
}
