import { lstatSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { compareListings } from '../artifact/compare-listings.ts'
import type { Listing } from '../artifact/listing.ts'
import { packListed } from '../artifact/pack.ts'

/** An artifact whose files are installed in the running system. */
export interface InstalledArtifact {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly artifact: Digest
  readonly listing: Listing
}

/**
 * The running system as a read-only part of the store. Artifacts are installed whole, so packing
 * their files gives the artifacts again.
 */
export class Installed {
  readonly #root: string
  readonly #byKey: ReadonlyMap<Digest, InstalledArtifact>
  readonly #byArtifact: ReadonlyMap<Digest, InstalledArtifact>

  /** `root` is the folder that `artifacts` were installed into. */
  constructor(root: string, artifacts: readonly InstalledArtifact[]) {
    this.#root = root
    this.#byKey = new Map(artifacts.map((artifact) => [artifact.key, artifact]))
    this.#byArtifact = new Map(artifacts.map((artifact) => [artifact.artifact, artifact]))
  }

  /** All of them, in the order of the manifest. */
  get artifacts(): readonly InstalledArtifact[] {
    return [...this.#byArtifact.values()]
  }

  /** Digest of the artifact with that key. */
  artifactOf(key: Digest): Digest | undefined {
    return this.#byKey.get(key)?.artifact
  }

  has(artifact: Digest): boolean {
    return this.#byArtifact.has(artifact)
  }

  /**
   * Entries of an artifact as the manifest lists them, with the sizes that its files have now. No
   * file is read, so nothing is checked.
   */
  listing(artifact: Digest): Listing | undefined {
    return this.#byArtifact.get(artifact)?.listing.map((entry) => {
      if (entry.type !== 'file') return entry
      const found = lstatSync(join(this.#root, entry.path), { throwIfNoEntry: false })
      return { ...entry, size: found?.size ?? 0 }
    })
  }

  /**
   * Packs an artifact's installed files into the file `target`. Without a target only checks them.
   * Fails with `installed-damaged`, naming recipe and first path, when the files were changed.
   */
  async pack(artifact: Digest, target: string | undefined, signal?: AbortSignal): Promise<void> {
    const installed = this.#byArtifact.get(artifact)
    if (installed === undefined) throw new TypeError(`Artifact ${artifact} is not installed`)
    try {
      const packed = await packListed(this.#root, installed.listing, target, signal)
      if (packed.digest === artifact) return
      const [first] = compareListings(installed.listing, packed.listing)
      throw new Error(`"${String(first?.path)}" is not what was installed`)
    } catch (cause) {
      if (target !== undefined) await rm(target, { force: true })
      if (errorCode(cause) === 'ENOSPC' || signal?.aborted === true) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new FixpointError(
        'installed-damaged',
        `Cannot use what is installed of ${installed.recipe} in "${this.#root}": ${why}`,
        { cause },
      )
    }
  }
}
