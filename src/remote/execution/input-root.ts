import { readFile } from 'node:fs/promises'
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import type { Digest } from '../../base/digest.ts'
import { byCodeUnit } from '../../base/order.ts'
import { digestOf } from '../../base/digest.ts'
import type { Action } from '../../build/executor.ts'
import type { LocalFile } from '../../metadata/model.ts'
import type { Store } from '../../store/store.ts'
import { blobOf, digestOfBlob, fileBlob, type Blob } from './blob.ts'
import { RemoteFault } from './fault.ts'
import { DirectorySchema } from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts'
import type { Runner } from './runner.ts'
import { LAYOUT, type ActionText } from './worker/document.ts'

/** The folder that an action runs in on a worker. */
export interface InputRoot {
  /** Names the folder. */
  readonly root: Blob
  /** All that the server is to have, the folder and those in it included. */
  readonly blobs: readonly Blob[]
}

/**
 * Describes an action's folder: artifacts as their tars, sources, files of the checkout, and what
 * runs there. Nothing in it depends on this machine or its paths. Fails as {@link Blobs.file} does,
 * and with a {@link RemoteFault} for a file that changed.
 */
export async function inputRoot(
  action: Action,
  runner: Runner,
  store: Store,
  signal: AbortSignal,
): Promise<InputRoot> {
  const tree = new Tree()
  tree.file(LAYOUT.document, blobOf(Buffer.from(JSON.stringify(actionText(action)))))
  for (const digest of blobsOf(action))
    tree.file(
      `${LAYOUT.blobs}/${digest}`,
      await fileBlob(digest, await store.blobs.file(digest, signal)),
    )
  for (const file of filesOf(action)) tree.file(`${LAYOUT.local}/${file.digest}`, await read(file))
  for (const [name, blob] of runner.programs) tree.file(`${LAYOUT.runner}/${name}`, blob, true)
  tree.file(`${LAYOUT.runner}/engine.mjs`, runner.engine)
  return tree.end()
}

/** Artifacts and fetched sources, by digest. */
function blobsOf({ artifacts, document, sources }: Action): Set<Digest> {
  return new Set([
    ...artifacts.values(),
    ...document.contents.map(({ artifact }) => artifact),
    ...sources.flatMap((source) => (source.kind === 'file' ? [source.sha256] : [])),
    ...(document.mirror ?? []).map(({ digest }) => digest),
  ])
}

function filesOf({ sources, patches, files }: Action): LocalFile[] {
  const trees = sources.flatMap((source) => (source.kind === 'tree' ? source.files : []))
  return [...trees, ...patches, ...files]
}

async function read({ path, digest }: LocalFile): Promise<Blob> {
  const data = await readFile(path)
  if (digestOf(data) !== digest)
    throw new RemoteFault('broken', `file "${path}" changed while the build ran`)
  return { hash: digest, size: data.length, data }
}

/** The action without anything of this machine. */
function actionText({ artifacts, sources, patches, files, ...rest }: Action): ActionText {
  const there = (file: LocalFile): LocalFile => ({
    ...file,
    path: `${LAYOUT.local}/${file.digest}`,
  })
  return {
    ...rest,
    artifacts: [...artifacts],
    sources: sources.map((source) =>
      source.kind === 'tree'
        ? { ...source, files: source.files.map(there) }
        : { ...source, from: [] },
    ),
    patches: patches.map(there),
    files: files.map(there),
  }
}

type FileNode = NonNullable<MessageInitShape<typeof DirectorySchema>['files']>[number]

/** A folder whose folders hold files only. */
class Tree {
  readonly #blobs = new Map<Digest, Blob>()
  readonly #top = new Map<string, FileNode>()
  readonly #folders = new Map<string, Map<string, FileNode>>()

  file(path: string, blob: Blob, isExecutable = false): void {
    const [name = '', folder] = path.split('/').reverse()
    const nodes =
      folder === undefined ? this.#top : (this.#folders.get(folder) ?? new Map<string, FileNode>())
    nodes.set(name, { name, digest: digestOfBlob(blob), isExecutable })
    if (folder !== undefined) this.#folders.set(folder, nodes)
    this.#blobs.set(blob.hash, blob)
  }

  end(): InputRoot {
    const directories = sorted(this.#folders).map(([name, nodes]) => ({
      name,
      digest: digestOfBlob(this.#folder({ files: filesOfFolder(nodes) })),
    }))
    const root = this.#folder({ files: filesOfFolder(this.#top), directories })
    return { root, blobs: [...this.#blobs.values()] }
  }

  #folder(content: MessageInitShape<typeof DirectorySchema>): Blob {
    const blob = blobOf(toBinary(DirectorySchema, create(DirectorySchema, content)))
    this.#blobs.set(blob.hash, blob)
    return blob
  }
}

function filesOfFolder(nodes: ReadonlyMap<string, FileNode>): FileNode[] {
  return sorted(nodes).map(([, node]) => node)
}

/** The protocol wants names in the order of their bytes. */
function sorted<T>(byName: ReadonlyMap<string, T>): [string, T][] {
  return [...byName].sort(([a], [b]) => byCodeUnit(a, b))
}
