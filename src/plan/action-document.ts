import { KEY_VERSION } from '../base/constants.ts'
import { digestOfValue } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { byCodeUnit } from '../base/order.ts'
import type { FileSource, LocalFile, Recipe, Source } from '../metadata/model.ts'

/**
 * An input of an action. What comes from a host layer enters by its recipe key, so that nothing of
 * the host reaches a key above it; everything else by the digest of its bytes, so that a rebuilt
 * input with the same bytes rebuilds nothing. The recipe's name is there for messages that must
 * name a culprit.
 */
export type InputRef =
  | { readonly recipe: RecipeId; readonly key: Digest }
  | { readonly recipe: RecipeId; readonly artifact: Digest }

/**
 * Something that goes into an image. Its key enters as well, since the image's manifest states it.
 */
export interface ContentRef {
  readonly recipe: RecipeId
  readonly version: string
  readonly key: Digest
  readonly artifact: Digest
}

/**
 * Everything that decides an action's output, and nothing else: no clock, path, user, core count or
 * limit. The key is the digest of its canonical JSON, and together with the inputs' artifacts it is
 * all that an executor gets.
 */
export interface ActionDocument {
  /** Changes when the meaning of these fields or the sandbox changes. */
  readonly keyVersion: number
  /** The machine the steps run on and build for. */
  readonly arch: string
  /** Whether the sandbox shows the host's /usr. */
  readonly host: boolean
  /** Whether contents and manifest are mounted. */
  readonly image: boolean
  /** Variables beside the constant ones. */
  readonly env: Readonly<Record<string, string>>
  /** Scripts, in the order they run. */
  readonly steps: readonly { readonly name: string; readonly script: string }[]
  /**
   * Sources by digest; `name` is the file's name in the sandbox, `to` the folder it is unpacked to
   * (null: not unpacked).
   */
  readonly sources: readonly {
    readonly name: string
    readonly digest: Digest
    readonly to: string | null
  }[]
  /** Patches, in the order they are applied. */
  readonly patches: readonly { readonly name: string; readonly digest: Digest }[]
  /** Files of the recipe's folder. */
  readonly files: readonly {
    readonly name: string
    readonly digest: Digest
    readonly executable: boolean
  }[]
  /** The sandbox's world, sorted by recipe: a union is a set. */
  readonly inputs: readonly InputRef[]
  /** What an image holds, sorted by recipe. */
  readonly contents: readonly ContentRef[]
  /**
   * Files of the mirror that an image holds, sorted by name. Left out, and so in no key, where
   * there is none.
   */
  readonly mirror?: readonly { readonly name: string; readonly digest: Digest }[]
}

/** The document of a recipe whose inputs are known. */
export function actionDocument(
  recipe: Recipe,
  arch: string,
  inputs: readonly InputRef[],
  contents: readonly ContentRef[],
  mirror?: readonly FileSource[],
): ActionDocument {
  return {
    keyVersion: KEY_VERSION,
    arch,
    host: recipe.host,
    image: recipe.image,
    env: recipe.env,
    steps: recipe.steps.map(({ name, script }) => ({ name, script })),
    sources: recipe.sources.map((source) => ({
      name: source.name,
      digest: sourceDigest(source),
      to: source.to ?? null,
    })),
    patches: recipe.patches.map(({ name, digest }) => ({ name, digest })),
    files: recipe.files.map(({ name, digest, executable }: LocalFile) => ({
      name,
      digest,
      executable,
    })),
    inputs,
    contents,
    ...(mirror === undefined ? {} : { mirror: mirrorFiles(mirror) }),
  }
}

/**
 * Names of files in a mirror: each source by every name that recipes give it, since a name says
 * which file is meant; those that share a name with another one by their digest, as mirrors may
 * keep any. None has the name of a mirror's list, which metadata refuses. Sorted.
 */
export function mirrorFiles(sources: readonly FileSource[]): { name: string; digest: Digest }[] {
  const byName = new Map<string, Set<Digest>>()
  for (const { name, sha256 } of sources)
    byName.set(name, (byName.get(name) ?? new Set()).add(sha256))
  const files = new Map<string, Digest>()
  for (const [name, digests] of byName)
    for (const digest of digests) files.set(digests.size === 1 ? name : digest, digest)
  return [...files]
    .map(([name, digest]) => ({ name, digest }))
    .sort((a, b) => byCodeUnit(a.name, b.name))
}

/** The digest a source is known by. */
export function sourceDigest(source: Source): Digest {
  return source.kind === 'file' ? source.sha256 : source.digest
}

/** Key of an action: SHA-256 of the document's canonical JSON (RFC 8785). */
export function keyOf(document: ActionDocument): Digest {
  return digestOfValue(document)
}
