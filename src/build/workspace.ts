import { chmod, copyFile, link, lstat, mkdir, readlink, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EPOCH } from '../base/constants.ts'
import { digestOfFile } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { exists, explainDiskFull, removeTree } from '../base/files.ts'
import type { LocalFile } from '../metadata/model.ts'
import { MOUNT_POINTS, type Mount, type SandboxSpec } from '../sandbox/bwrap.ts'
import { constantEnvironment, PATHS, PROC_FILES } from '../sandbox/constants.ts'
import { composeUnion, type Part } from '../sandbox/sysroot.ts'
import type { RecipeId } from '../base/events.ts'
import type { Digest } from '../base/digest.ts'
import type { Store } from '../store/store.ts'
import type { Action, ManifestMaker } from './executor.ts'
import { showHost } from './host-view.ts'

/** Folders of a workspace; `build` and `out` are the only ones that an action may write to, and `report` for its resource use. */
const FOLDERS = [
  'root',
  'build',
  'build/src',
  'build/obj',
  'out',
  'sources',
  'patches',
  'files',
  'steps',
  'proc',
  'report',
] as const

/** Top-level names of the host that a host layer's sandbox shows beside /usr: links into it, or on old systems folders. */
const HOST_NAMES = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'] as const

/** The folders of one action on the machine, and how the sandbox sees them. */
export class Workspace {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Makes the empty folders below `folder`, replacing what lay there. */
  static async create(folder: string): Promise<Workspace> {
    await removeTree(folder)
    try {
      await mkdir(folder, { recursive: true })
      // By chmod, since umask, default ACLs and a setgid parent would show in what the action makes below them.
      for (const name of FOLDERS) {
        await mkdir(join(folder, name))
        await chmod(join(folder, name), 0o755)
      }
      for (const [name, text] of Object.entries(PROC_FILES)) await writeFile(join(folder, 'proc', name), text)
    } catch (error) {
      throw explainDiskFull(error, folder)
    }
    return new Workspace(folder)
  }

  /** Puts everything that the action is to see into the folders; each file is compared with its digest on the way. */
  async layOut(action: Action, store: Store, makeManifest: ManifestMaker, backwards = false): Promise<void> {
    await this.#layOutInputs(action, store, backwards)
    await this.#layOutSources(action, store, backwards)
    if (action.document.image) await this.#layOutContents(action, store, makeManifest, backwards)
    if (action.document.mirror !== undefined) await this.#layOutMirror(action, store, backwards)
  }

  /** Composes the sandbox's root from the action's inputs, and adds the points that are mounted over. */
  async #layOutInputs(action: Action, store: Store, backwards: boolean): Promise<void> {
    const parts = action.document.inputs.map(({ recipe }) => ({ recipe, artifact: artifactOf(action, recipe) }))
    const root = join(this.folder, 'root')
    await composeUnion(await partsOf(parts, store), root, backwards)
    const points = [
      ...MOUNT_POINTS,
      ...(action.document.image ? ['contents'] : []),
      ...(action.document.mirror ? ['mirror'] : []),
      ...(action.document.host ? ['usr', 'etc/alternatives'] : []),
    ]
    for (const point of points) await mkdir(join(root, point), { recursive: true, mode: 0o755 })
    if (action.document.image) await writeFile(join(root, 'manifest.json'), '')
    if (action.document.host) await linkHostNames(root)
    for (const point of points) await utimes(join(root, point), EPOCH, EPOCH)
    await utimes(root, EPOCH, EPOCH)
  }

  /** Puts sources, patches and files where the sandbox looks for them. */
  async #layOutSources(action: Action, store: Store, backwards: boolean): Promise<void> {
    for (const source of inTurn(action.sources, backwards)) {
      const target = join(this.folder, 'sources', source.name)
      if (source.kind === 'tree') await copyFiles(source.files, target, backwards)
      else await linkSource(source.sha256, target, store)
    }
    await utimes(join(this.folder, 'sources'), EPOCH, EPOCH)
    await copyFiles(action.patches, join(this.folder, 'patches'), backwards)
    await copyFiles(action.files, join(this.folder, 'files'), backwards)
  }

  /** Composes the tree of an image's contents and writes its manifest. */
  async #layOutContents(action: Action, store: Store, makeManifest: ManifestMaker, backwards: boolean): Promise<void> {
    const contents = join(this.folder, 'contents')
    await mkdir(contents)
    await chmod(contents, 0o755)
    await composeUnion(await partsOf(action.document.contents, store), contents, backwards)
    await utimes(contents, EPOCH, EPOCH)
    const listed = await Promise.all(
      action.document.contents.map(async (content) => ({ ...content, listing: await store.listing(content.artifact) })),
    )
    await writeFile(join(this.folder, 'manifest.json'), makeManifest(listed))
  }

  /** Puts the sources that an image is to hold into one folder. */
  async #layOutMirror(action: Action, store: Store, backwards: boolean): Promise<void> {
    const { mirror = [] } = action.document
    const folder = join(this.folder, 'mirror')
    await mkdir(folder)
    await chmod(folder, 0o755)
    for (const { name, digest } of inTurn(mirror, backwards)) await linkSource(digest, join(folder, name), store)
    await utimes(folder, EPOCH, EPOCH)
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
      { from: this.#path('report'), to: PATHS.report, writable: true },
      { from: this.#path('sources'), to: PATHS.sources },
      { from: this.#path('patches'), to: PATHS.patches },
      { from: this.#path('files'), to: PATHS.files },
      { from: this.#path('steps'), to: PATHS.steps },
      ...Object.keys(PROC_FILES).map((name) => ({ from: this.#path(`proc/${name}`), to: `/proc/${name}` })),
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
    const env = { ...constantEnvironment(document.host), ...image, ...document.env, ...environment }
    return { root: this.#path('root'), mounts, env, folder: PATHS.source, command }
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

function inTurn<T>(list: readonly T[], backwards: boolean): readonly T[] {
  return backwards ? list.toReversed() : list
}

async function linkSource(digest: Digest, target: string, store: Store): Promise<void> {
  await store.checkBlob(digest)
  await link(store.blobPath(digest), target)
  // How and when it got into the store is no input.
  await chmod(target, 0o644)
  await utimes(target, EPOCH, EPOCH)
}

function artifactOf(action: Action, recipe: RecipeId): Digest {
  const artifact = action.artifacts.get(recipe)
  if (artifact === undefined)
    throw new FixpointError('bug', 'input-unknown', `Action of "${action.recipe}" lacks the artifact of "${recipe}"`)
  return artifact
}

async function partsOf(
  refs: readonly { readonly recipe: RecipeId; readonly artifact: Digest }[],
  store: Store,
): Promise<Part[]> {
  const parts: Part[] = []
  for (const { recipe, artifact } of refs)
    parts.push({ recipe, tree: store.treePath(artifact), listing: await store.tree(artifact) })
  return parts
}

/** Copies files of the checkout, with constant modes and times. */
async function copyFiles(files: readonly LocalFile[], target: string, backwards: boolean): Promise<void> {
  await mkdir(target, { recursive: true })
  const folders = new Set([target])
  for (const file of inTurn(files, backwards)) {
    const full = join(target, file.name)
    await mkdir(dirname(full), { recursive: true })
    for (let folder = dirname(full); !folders.has(folder); folder = dirname(folder)) folders.add(folder)
    await copyFile(file.path, full)
    const actual = await digestOfFile(full)
    if (actual !== file.digest) {
      throw new FixpointError(
        'metadata',
        'file-changed',
        `Cannot use "${file.path}": it changed while the build ran (sha256 is ${actual}, was ${file.digest})`,
      )
    }
    await chmod(full, file.executable ? 0o755 : 0o644)
    await utimes(full, EPOCH, EPOCH)
  }
  for (const folder of folders) {
    await chmod(folder, 0o755)
    await utimes(folder, EPOCH, EPOCH)
  }
}

async function linkHostNames(root: string): Promise<void> {
  for (const name of HOST_NAMES) {
    const stat = await lstat(`/${name}`).catch(() => undefined)
    const target = stat?.isSymbolicLink() ? await readlink(`/${name}`) : undefined
    if (await exists(join(root, name))) await requireSameLink(join(root, name), `/${name}`, target)
    else if (target !== undefined) await symlink(target, join(root, name))
    else if (stat?.isDirectory()) await mkdir(join(root, name))
  }
}

/** An input may hold the same link as the host; anything else would hide the host's libraries. */
async function requireSameLink(path: string, name: string, target: string | undefined): Promise<void> {
  if (target === undefined || (await readlink(path).catch(() => undefined)) === target) return
  throw new FixpointError(
    'buildFailed',
    'path-claimed-twice',
    `Cannot join artifacts with the host's "/usr": "${name}" is in an input and a link on the host`,
  )
}
