import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { CHECKOUT } from './tree.ts'

/** A component, as far as tests look at it. */
export interface CycloneDxComponent {
  readonly type: string
  readonly 'bom-ref': string
  readonly name: string
  readonly group?: string
  readonly version?: string
  readonly scope?: string
  readonly purl: string
  readonly cpe?: string
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[]
  readonly licenses?: readonly { readonly expression: string }[]
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
  readonly pedigree?: {
    readonly notes?: string
    readonly patches?: readonly { readonly type: string; readonly diff: { readonly url: string } }[]
  }
}

/** A bill in CycloneDX, as far as tests look at it. */
export interface CycloneDxBom {
  readonly serialNumber: string
  readonly metadata: { readonly component: CycloneDxComponent }
  readonly components: readonly CycloneDxComponent[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

/** Reads a bill that {@link cycloneDxFaults} finds nothing wrong with. */
export function readCycloneDx(text: string): CycloneDxBom {
  return JSON.parse(text) as CycloneDxBom
}

/** What is wrong with a text as CycloneDX 1.6, by the schema that its library brings. */
export function cycloneDxFaults(text: string): string[] {
  validate ??= compile()
  void validate(JSON.parse(text))
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)
}

let validate: ReturnType<typeof compile> | undefined

function compile(): ReturnType<Ajv['compile']> {
  const read = (name: string): object => {
    const folder = 'node_modules/@cyclonedx/cyclonedx-library/res/schema'
    return JSON.parse(readFileSync(join(CHECKOUT, folder, name), 'utf8')) as object
  }
  const ajv = new Ajv({ strict: false, allErrors: true })
  // The schema itself says more of the others.
  ajv.addFormat('iri-reference', (text: string) => URL.canParse(text, 'https://example.org/'))
  for (const format of ['date-time', 'email', 'idn-email', 'iri', 'uri'])
    ajv.addFormat(format, true)
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'])
    ajv.addSchema({ ...read(name), $id: `http://cyclonedx.org/schema/${name}` })
  return ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'))
}
