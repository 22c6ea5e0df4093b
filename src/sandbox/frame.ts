import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EPOCH } from '../base/constants.ts'
import { digestOf } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Entry } from '../store/artifact/listing.ts'
import { MOUNT_POINTS } from './bwrap.ts'
import { ETC_FILES } from './constants.ts'
import { hostView } from './host-view.ts'
import type { Part } from './sysroot.ts'

/** What the engine adds to a root. */
export interface FrameOptions {
  /** Whether the sandbox shows the host's /usr. */
  readonly host: boolean
  /**
   * Mount points beside the usual ones: folders, and files that are empty before something is
   * mounted over them.
   */
  readonly folders: readonly string[]
  readonly files: readonly string[]
}

/** Who the frame's paths belong to in messages. */
const OWNER = 'the sandbox itself' as RecipeId

/**
 * What a sandbox's root holds beside its inputs: mount points, names of user and host, and for a
 * host layer the host's top-level links. It is a part of the union like the inputs, made in the
 * empty folder `tree`, so that nothing is ever made through a path of an input. Fails with
 * `mount-point-claimed` when an input has anything but a folder where a mount point must be.
 */
export async function frameOf(
  parts: readonly Part[],
  tree: string,
  options: FrameOptions,
): Promise<Part> {
  const host = options.host ? hostView() : undefined
  const wanted = ancestors([...mountPoints(options), ...(host?.folders ?? []).filter(isOutsideUsr)])
  const taken = new Map(
    parts.flatMap(({ recipe, listing }) => listing.map((entry) => [entry.path, { entry, recipe }])),
  )
  for (const path of [...wanted, ...options.files]) {
    const found = taken.get(path)
    if (found !== undefined && (found.entry.type !== 'folder' || options.files.includes(path)))
      throw claimed(path, found.recipe)
  }
  const entries: Entry[] = wanted.map((path) => ({ type: 'folder', path, mode: 0o755 }))
  for (const path of options.files) entries.push(fileEntry(path, ''))
  for (const [name, text] of Object.entries(ETC_FILES)) entries.push(fileEntry(`etc/${name}`, text))
  for (const [path, target] of (host?.links ?? []).filter(([path]) => isOutsideUsr(path)))
    entries.push({ type: 'link', path, target })
  requireSameLinks(entries, taken)
  const listing = entries.filter(({ path }) => !taken.has(path))
  await mkdir(tree)
  for (const entry of listing) if (entry.type === 'file') await writeOwn(tree, entry.path)
  return { recipe: OWNER, tree, listing }
}

function mountPoints({ host, folders }: FrameOptions): string[] {
  return [...MOUNT_POINTS, 'etc', ...folders, ...(host ? ['usr'] : [])]
}

/** Each path once, after the folders that it is in. */
function ancestors(paths: readonly string[]): string[] {
  const all = new Set<string>()
  for (const path of paths) {
    const parts = path.split('/')
    for (const at of parts.keys()) all.add(parts.slice(0, at + 1).join('/'))
  }
  return [...all]
}

function fileEntry(path: string, text: string): Entry & { type: 'file' } {
  return { type: 'file', path, mode: 0o644, size: Buffer.byteLength(text), sha256: digestOf(text) }
}

async function writeOwn(tree: string, path: string): Promise<void> {
  const full = join(tree, path)
  await mkdir(dirname(full), { recursive: true })
  await writeFile(full, path.startsWith('etc/') ? (ETC_FILES[path.slice('etc/'.length)] ?? '') : '')
  await chmod(full, 0o644)
  await utimes(full, EPOCH, EPOCH)
}

/** What is in /usr is mounted with it. */
function isOutsideUsr(path: string): boolean {
  return !path.startsWith('usr/')
}

/** An input may hold the same link as the host; anything else would hide the host's libraries. */
function requireSameLinks(
  entries: readonly Entry[],
  taken: ReadonlyMap<string, { readonly entry: Entry; readonly recipe: RecipeId }>,
): void {
  for (const own of entries) {
    const found = own.type === 'link' ? taken.get(own.path) : undefined
    if (own.type !== 'link' || found === undefined) continue
    if (found.entry.type === 'link' && found.entry.target === own.target) continue
    throw new FixpointError(
      'path-claimed-twice',
      `Cannot join artifacts with the host's "/usr": "/${own.path}" is in ${found.recipe} ` +
        `and a link on the host`,
    )
  }
}

function claimed(path: string, recipe: RecipeId): FixpointError {
  return new FixpointError(
    'mount-point-claimed',
    `Cannot use ${recipe} as an input: it holds "/${path}", where the sandbox mounts something`,
    { facts: { recipe } },
  )
}
