import {
  ComponentScope,
  ComponentType,
  HashAlgorithm,
  LifecyclePhase,
} from '@cyclonedx/cyclonedx-library/Enums'
import {
  Bom,
  Component,
  HashDictionary,
  LicenseExpression,
  LicenseRepository,
  Metadata,
  OrganizationalEntity,
  Property,
  PropertyRepository,
} from '@cyclonedx/cyclonedx-library/Models'
import { JSON as Json, JsonSerializer, type Types } from '@cyclonedx/cyclonedx-library/Serialize'
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec'
import { digestOfValue } from '../../base/canonical.ts'
import type { Digest } from '../../base/digest.ts'
import type { Bill, ImagePart, PackagePart } from './bill.ts'
import type { SourcePart } from './source-parts.ts'

/**
 * A bill of materials in CycloneDX 1.6, as JSON: what is in the image is `required`, what only
 * built it is `excluded`. https://cyclonedx.org/docs/1.6/json/
 */
export function cycloneDx(bill: Bill): string {
  const components = new Map<string, Component>([
    [bill.image.id, imageComponent(bill.image)],
    ...bill.packages.map((part) => [part.id, packageComponent(part)] as const),
    ...bill.sources.map((part) => [part.digest, sourceComponent(part)] as const),
  ])
  connect(bill, components)
  const bom = new Bom({ serialNumber: serialNumber(bill) })
  const image = components.get(bill.image.id)
  bom.metadata = new Metadata({ component: image })
  bom.metadata.lifecycles.add(LifecyclePhase.Build)
  bom.metadata.tools.components.add(
    new Component(ComponentType.Application, 'fixpoint', { version: bill.engine }),
  )
  // In the bill's order: the library would sort by the rules of a locale.
  for (const component of components.values())
    if (component !== image) bom.components.add(component)
  return `${new JsonSerializer(new Factory(Spec1dot6)).serialize(bom, { space: 1 })}\n`
}

/**
 * A UUID of version 8 (RFC 9562): the beginning of the bill's digest. So the same bill has the same
 * number, and another one another.
 */
function serialNumber(bill: Bill): string {
  const hex = digestOfValue(bill)
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`]
  return `urn:uuid:${[...groups, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')}`
}

function imageComponent(image: ImagePart): Component {
  return described(new PatchedComponent(ComponentType.OperatingSystem, image.name), image)
}

function packageComponent(part: PackagePart): Component {
  const type = part.isLibrary ? ComponentType.Library : ComponentType.Application
  const component = described(new PatchedComponent(type, part.name), part)
  component.scope = part.role === 'tool' ? ComponentScope.Excluded : ComponentScope.Required
  return component
}

/** Adds what images and packages have in common. */
function described(component: PatchedComponent, part: ImagePart | PackagePart): Component {
  const { id, layer, version, summary, license, purl, cpe, key, digest, patches, tools } = part
  component.bomRef.value = `package:${id}`
  component.group = layer
  component.version = version
  component.description = summary
  component.licenses = licenses(license)
  component.purl = purl
  component.cpe = cpe
  component.hashes = hashes(digest)
  component.properties = new PropertyRepository([
    new Property('fixpoint:key', key),
    ...tools.map((tool) => new Property('fixpoint:built-with', tool)),
  ])
  if (patches.length > 0)
    component.pedigree = {
      patches: patches.map((patch) => ({ type: 'unofficial', diff: { url: patchUrl(patch) } })),
    }
  return component
}

/** A patch by its name and digest; where the checkout lies says nothing of it. */
function patchUrl({ name, digest }: { readonly name: string; readonly digest: Digest }): string {
  return `patches/${encodeURIComponent(name)}#sha256=${digest}`
}

/** Scanners look for packages of npm, but not for what is called a file. */
function sourceComponent(part: SourcePart): Component {
  const { npm, name, version, digest, kind, license, purl, supplier, isRepacked, isContent } = part
  const type = npm === undefined ? ComponentType.File : ComponentType.Library
  const component = new PatchedComponent(type, npm?.name ?? name, {
    bomRef: `source:${digest}`,
    group: npm?.scope,
    version,
    purl,
    licenses: licenses(license),
    hashes: hashes(digest),
    scope: isContent ? ComponentScope.Required : ComponentScope.Excluded,
    supplier: supplier === undefined ? undefined : new OrganizationalEntity({ name: supplier }),
  })
  if (npm !== undefined) component.properties.add(new Property('fixpoint:source', name))
  if (kind === 'tree') component.description = TREE
  if (isRepacked) component.pedigree = { notes: REPACKED }
  return component
}

/** What a source is that has no file of its own. */
const TREE = 'Files of the checkout; the digest is that of their list'

/** What is odd about a tarball of Debian's own making. */
const REPACKED = 'Repacked by Debian: its bytes are not those that upstream published'

/** None for an image that holds nothing. */
function licenses(expression: string): LicenseRepository {
  return new LicenseRepository(expression === '' ? [] : [new LicenseExpression(expression)])
}

function hashes(digest: Digest | undefined): HashDictionary {
  return new HashDictionary(digest === undefined ? [] : [[HashAlgorithm['SHA-256'], digest]])
}

/** Adds what each component depends on when it runs, and what it was made from. */
function connect({ image, packages }: Bill, components: ReadonlyMap<string, Component>): void {
  const join = (id: string, others: readonly string[]): void => {
    for (const other of others) {
      const component = components.get(other)
      if (component !== undefined) components.get(id)?.dependencies.add(component.bomRef)
    }
  }
  join(image.id, image.contents)
  for (const { id, needs, linked, sources } of [image, ...packages])
    join(id, [...needs, ...linked, ...sources])
}

/** How a component differs from what upstream made. */
interface Pedigree {
  readonly patches?: readonly {
    readonly type: 'unofficial'
    readonly diff: { readonly url: string }
  }[]
  readonly notes?: string
}

/** The library has no pedigrees: they are added to what it writes of a component. */
class PatchedComponent extends Component {
  pedigree: Pedigree | undefined
}

class PatchedNormalizer extends Json.Normalize.ComponentNormalizer {
  override normalize(
    data: Component,
    options: Types.NormalizerOptions,
  ): (Json.Types.Normalized.Component & { pedigree?: Pedigree }) | undefined {
    const normalized = super.normalize(data, options)
    if (normalized === undefined || !(data instanceof PatchedComponent)) return normalized
    return data.pedigree === undefined ? normalized : { ...normalized, pedigree: data.pedigree }
  }
}

class Factory extends Json.Normalize.Factory {
  override makeForComponent(): PatchedNormalizer {
    return new PatchedNormalizer(this)
  }
}
