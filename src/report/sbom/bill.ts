import type { Digest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { ImageRecord } from '../../image/read-record.ts'
import type { RecordedPlan } from '../../image/recorded-plan.ts'
import type { Recipe } from '../../metadata/model.ts'
import { sourceDigest } from '../../plan/action-document.ts'
import { reachable, usedBy } from '../../plan/graph.ts'
import type { Plan, Planned } from '../../plan/plan.ts'
import { heldBy, imageLicense, joinedLicense, requireLicenses } from '../legal/held.ts'
import { cpeName } from './cpe.ts'
import { packageUrl } from './purl.ts'
import { sourceParts, type SourcePart } from './source-parts.ts'

/**
 * What a package is to an image:
 * - `content`: installed in it
 * - `linked`: a library that something installed was built with, and so may hold code of
 * - `tool`: used to build it
 */
export type Role = 'content' | 'linked' | 'tool'

/** What there is to say of a package, and of an image. Lists are sorted, and name packages. */
interface Part {
  readonly id: RecipeId
  readonly layer: string
  readonly name: string
  readonly version: string
  readonly summary: string
  /** SPDX expression; empty for an image that holds nothing. */
  readonly license: string
  /** Whether what is built with it holds code of it. */
  readonly isLibrary: boolean
  /** Package URL. */
  readonly purl: string
  /** Name of CPE 2.3. */
  readonly cpe: string | undefined
  readonly key: Digest
  /** SHA-256 of its artifact; undefined of a host layer's, which differs from host to host. */
  readonly digest: Digest | undefined
  readonly patches: readonly { readonly name: string; readonly digest: Digest }[]
  /** What whoever uses it also gets. */
  readonly needs: readonly RecipeId[]
  /** Libraries among its inputs: what it was built with, and may hold code of. */
  readonly linked: readonly RecipeId[]
  /** Its other inputs. */
  readonly tools: readonly RecipeId[]
  readonly sources: readonly Digest[]
}

/** A package that an image was built from. */
export interface PackagePart extends Part {
  readonly role: Role
}

/** The image itself. Its digest is that of its file. */
export interface ImagePart extends Part {
  readonly contents: readonly RecipeId[]
}

/** A bill of materials in no format: nothing in it tells of a host, a path or a time. */
export interface Bill {
  /** Version of the engine that wrote it. */
  readonly engine: string
  readonly image: ImagePart
  /** Sorted by id. */
  readonly packages: readonly PackagePart[]
  /** Sorted by name. */
  readonly sources: readonly SourcePart[]
}

/**
 * The bill of the image of a record, from the plan of that record. Fails with `lint-license` where
 * SPDX does not know a license.
 */
export function billOf(record: ImageRecord, recorded: RecordedPlan, engine: string): Bill {
  const { graph, plan } = recorded
  const id = record.recipe as RecipeId
  const image = plannedOf(plan, id)
  const used = [...reachable([id], (one) => usedBy(plannedOf(plan, one).node))].sort(byCodeUnit)
  const recipes = used.map((one) => plannedOf(plan, one).node.recipe)
  for (const recipe of recipes) requireLicenses(recipe)
  const held = heldBy(graph, id)
  const license = joinedLicense(held)
  const roles = new Map(
    held.map((one): [RecipeId, Role] => [one.recipe.id, one.isWhole ? 'content' : 'linked']),
  )
  const roleOf = (one: RecipeId): Role => roles.get(one) ?? 'tool'
  return {
    engine,
    image: {
      ...partOf(plan, image, { license, digest: imageDigest(record) }),
      contents: image.node.contents,
    },
    packages: used
      .filter((one) => one !== id)
      .map((one) => ({ ...packageOf(recorded, one), role: roleOf(one) })),
    sources: sourceParts(
      recipes.map((recipe) => {
        return { recipe, isContent: recipe.id === id || roleOf(recipe.id) !== 'tool' }
      }),
      license,
    ),
  }
}

/** Digest of an image's file; of its artifact where that has several. */
function imageDigest({ files, artifact }: ImageRecord): Digest {
  const images = files.filter(({ path }) => !path.endsWith('.sha256'))
  const [first] = images
  return first !== undefined && images.length === 1 ? first.sha256 : artifact
}

function packageOf({ graph, plan }: RecordedPlan, id: RecipeId): Part {
  const planned = plannedOf(plan, id)
  const { license, host, image } = planned.node.recipe
  return partOf(plan, planned, {
    license: license ?? (image ? imageLicense(graph, id) : ''),
    digest: host ? undefined : planned.artifact,
  })
}

function partOf(
  plan: Plan,
  { node: { recipe, inputs }, key }: Planned,
  { license, digest }: Pick<Part, 'license' | 'digest'>,
): Part {
  const { id, layer, name, version, summary, cpe, needs, sources } = recipe
  if (key === undefined) throw new TypeError(`"${id}" has no key`)
  const linked = librariesIn(plan, inputs)
  const qualifiers = { checksum: digest && `sha256:${digest}` }
  return {
    ...{ id, layer, name, version, summary, license, key, digest },
    isLibrary: isLibrary(recipe),
    purl: packageUrl({ type: 'generic', namespace: layer, name, version, qualifiers }),
    cpe: cpe === undefined ? undefined : cpeName(cpe, version),
    patches: patchesOf(recipe),
    needs: [...needs].sort(byCodeUnit),
    linked,
    tools: inputs.filter((input) => !linked.includes(input)),
    sources: sources.map(sourceDigest).sort(byCodeUnit),
  }
}

/** Patches that the engine applies, and those that a step of the recipe does. */
function patchesOf({ patches, files }: Recipe): Part['patches'] {
  const own = files.filter(({ name }) => name.endsWith('.patch'))
  return [...patches, ...own].map(({ name, digest }) => ({ name, digest }))
}

function librariesIn(plan: Plan, ids: readonly RecipeId[]): RecipeId[] {
  return ids.filter((id) => isLibrary(plannedOf(plan, id).node.recipe))
}

/** Whether what is built with it holds code of it. */
function isLibrary(recipe: Recipe): boolean {
  return recipe.linkedLicense !== undefined
}

function plannedOf(plan: Plan, id: RecipeId): Planned {
  const planned = plan.get(id)
  if (planned === undefined) throw new TypeError(`"${id}" is not in the plan`)
  return planned
}
