import { existsSync } from 'node:fs'
import { chmod, mkdir, rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EPOCH } from '../base/constants.ts'
import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { explainDiskFull } from '../base/files.ts'
import { removeTree } from '../base/remove-tree.ts'
import type { Mount, SandboxSpec } from '../sandbox/bwrap.ts'
import { constantEnvironment, PATHS, PROC_FILES, PROC_SECRETS } from '../sandbox/constants.ts'
import { callFilter } from '../sandbox/call-filter.ts'
import { showHost } from '../sandbox/host-view.ts'
import { composeUnion, type Part } from '../sandbox/sysroot.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { ActionDocument } from '../plan/action-document.ts'
import { makeManifest } from '../image/manifest.ts'
import type { Action, StepContext } from './executor.ts'
import { copyFiles, inTurn, linkBlob } from './lay-out-files.ts'
import type { Discards } from './background-removal.ts'
import { composeRoot, type Root, type Roots } from './roots.ts'

/**
 * Folders of a workspace; `build` and `out` are the only ones that an action may write to.
 */
const FOLDERS = ['build', 'build/src', 'build/obj', 'out', 'sources', 'steps', 'proc'] as const

/** What an action's files come from and how they are laid out. */
export type Supply = Pick<StepContext, 'store' | 'backwards' | 'signal'> & {
  /** Roots that are shared; undefined: the workspace has its own. */
  readonly roots?: Roots | undefined
}

/** The folders of one action on the machine, and how the sandbox sees them. */
export class Workspace {
  readonly folder: string
  /** What the sandbox shows as `/`: a folder of this workspace, or a root that others use, too. */
  #shared: Root | undefined

  constructor(folder: string) {
    this.folder = folder
  }

  /** Makes the empty folders below `folder`, replacing what lay there. */
  static async create(folder: string): Promise<Workspace> {
    await removeTree(folder)
    try {
      await mkdir(folder, { recursive: true })
      // By chmod, since umask, default ACLs and a setgid parent would show in what the action makes
      // below them.
      for (const name of FOLDERS) {
        await mkdir(join(folder, name))
        await chmod(join(folder, name), 0o755)
      }
      for (const [name, text] of Object.entries({ ...PROC_FILES, nothing: '' }))
        await writeFile(join(folder, 'proc', name), text)
    } catch (error) {
      throw explainDiskFull(error, folder)
    }
    return new Workspace(folder)
  }

  /**
   * Puts everything that the action is to see into the folders; each file is compared with its
   * digest on the way.
   */
  async layOut(action: Action, supply: Supply): Promise<void> {
    await this.#layOutInputs(action, supply)
    await this.#layOutSources(action, supply)
    if (action.document.image) await this.#layOutContents(action, supply)
    if (action.document.mirror !== undefined)
      await this.#layOutMirror(action.document.mirror, supply)
  }

  /**
   * Composes the sandbox's root from the action's inputs, and adds the points that are mounted
   * over.
   */
  async #layOutInputs(action: Action, supply: Supply): Promise<void> {
    const parts = action.document.inputs.map(({ recipe }) => ({
      recipe,
      artifact: artifactOf(action, recipe),
    }))
    const inputs = await partsOf(parts, supply)
    const { host, image, mirror } = action.document
    const frame = {
      host,
      folders: [...(image ? ['contents'] : []), ...(mirror ? ['mirror'] : [])],
      files: image ? ['manifest.json'] : [],
    }
    if (supply.roots === undefined) await composeRoot(inputs, this.#path('root'), frame, supply)
    else this.#shared = await supply.roots.take(inputs, frame, supply)
  }

  /** Puts sources, patches and files where the sandbox looks for them. */
  async #layOutSources(action: Action, supply: Supply): Promise<void> {
    const { backwards = false } = supply
    for (const source of inTurn(action.sources, backwards)) {
      if (source.kind === 'tree')
        copyFiles(source.files, this.#path('sources'), source.name, backwards)
      else await linkBlob(source.sha256, this.#path('sources'), source.name, supply)
    }
    await utimes(this.#path('sources'), EPOCH, EPOCH)
    copyFiles(action.patches, this.folder, 'patches', backwards)
    copyFiles(action.files, this.folder, 'files', backwards)
  }

  /** Composes the tree of an image's contents and writes its manifest. */
  async #layOutContents(action: Action, supply: Supply): Promise<void> {
    const contents = join(this.folder, 'contents')
    await mkdir(contents)
    await chmod(contents, 0o755)
    await composeUnion(await partsOf(action.document.contents, supply), contents, supply)
    await utimes(contents, EPOCH, EPOCH)
    const listed = await Promise.all(
      action.document.contents.map(async (content) => ({
        ...content,
        listing: await supply.store.trees.listing(content.artifact, supply.signal),
      })),
    )
    await writeFile(join(this.folder, 'manifest.json'), makeManifest(listed))
  }

  /** Puts the sources that an image is to hold into one folder. */
  async #layOutMirror(
    mirror: NonNullable<ActionDocument['mirror']>,
    supply: Supply,
  ): Promise<void> {
    const folder = join(this.folder, 'mirror')
    await mkdir(folder)
    await chmod(folder, 0o755)
    for (const { name, digest } of inTurn(mirror, supply.backwards ?? false))
      await linkBlob(digest, folder, name, supply)
    await utimes(folder, EPOCH, EPOCH)
  }

  /** What steps see as $SRC. */
  get source(): string {
    return this.#path('build/src')
  }

  /** The sandbox in which `command` runs; `environment` is added to the constant one. */
  async sandbox(
    action: Action,
    command: readonly string[],
    environment: Readonly<Record<string, string>>,
    fifo: string | undefined,
  ): Promise<SandboxSpec> {
    const { document } = action
    const mounts: Mount[] = [
      { from: this.#path('build'), to: '/build', writable: true },
      { from: this.#path('out'), to: PATHS.out, writable: true },
      { from: this.#path('sources'), to: PATHS.sources },
      { from: this.#path('patches'), to: PATHS.patches },
      { from: this.#path('files'), to: PATHS.files },
      { from: this.#path('steps'), to: PATHS.steps },
      ...Object.keys(PROC_FILES).map((name) => ({
        from: this.#path(`proc/${name}`),
        to: `/proc/${name}`,
      })),
      ...PROC_SECRETS.filter((name) => existsSync(`/proc/${name}`)).map((name) => ({
        from: this.#path('proc/nothing'),
        to: `/proc/${name}`,
      })),
    ]
    if (fifo !== undefined) mounts.push({ from: fifo, to: PATHS.jobserver, writable: true })
    if (document.image)
      mounts.push(
        { from: this.#path('contents'), to: PATHS.contents },
        { from: this.#path('manifest.json'), to: PATHS.manifest },
      )
    if (document.mirror !== undefined) mounts.push({ from: this.#path('mirror'), to: PATHS.mirror })
    if (document.host) mounts.push(...(await showHost(this.folder)))
    const image = {
      ...(document.image ? { CONTENTS: PATHS.contents, MANIFEST: PATHS.manifest } : {}),
      ...(document.mirror === undefined ? {} : { MIRROR: PATHS.mirror }),
    }
    const filter = this.#path('filter')
    await writeFile(filter, callFilter())
    const env = { ...constantEnvironment(document.host), ...image, ...document.env, ...environment }
    return {
      root: this.#shared?.path ?? this.#path('root'),
      mounts,
      env,
      folder: PATHS.source,
      command,
      filter,
    }
  }

  /** Gives everything away that this workspace has used. Never fails. */
  async discard(discards: Discards): Promise<void> {
    await this.#shared?.release()
    await discards.take(this.folder)
  }

  /** Moves everything to `target`, replacing what lay there. */
  async moveTo(target: string): Promise<void> {
    await removeTree(target)
    await rename(this.folder, target)
  }

  #path(name: string): string {
    return join(this.folder, name)
  }
}

function artifactOf(action: Action, recipe: RecipeId): Digest {
  const artifact = action.artifacts.get(recipe)
  if (artifact === undefined)
    throw new FixpointError(
      'artifact-unknown',
      `Action of "${action.recipe}" is missing the artifact of "${recipe}"`,
    )
  return artifact
}

async function partsOf(
  refs: readonly { readonly recipe: RecipeId; readonly artifact: Digest }[],
  { store, signal }: Supply,
): Promise<Part[]> {
  const parts: Part[] = []
  for (const { recipe, artifact } of refs) {
    const { folder, listing } = await store.trees.unpack(artifact, signal)
    parts.push({ recipe, tree: folder, listing })
  }
  return parts
}
