import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { Descent, Folder } from '../../base/beneath.ts'
import { chunksOf } from '../../base/chunks.ts'
import { asDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { byCodeUnit } from '../../base/order.ts'
import { systemReason } from '../../base/system-error.ts'
import { Turns } from '../../base/turns.ts'
import { parityReason } from './check-parity.ts'
import type { Fault, KitCheck } from './faults.ts'
import { KIT, SIGNATURE_PREFIX } from './layout.ts'
import { readKitList, type KitList } from './lists.ts'

/** Folders within folders that a kit may have; those of our own have three. */
const DEEPEST = 32

/** What checking takes beside the kit. */
export interface CheckOptions {
  /** Ends the check: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Called with the path of each file before it is read. */
  readonly onFile?: ((path: string) => void) | undefined
}

/**
 * Reads every file of the kit below `folder` and compares it with the kit's lists. A kit may come
 * from anywhere: nothing outside of it is read, no link is followed, and nothing is written. Fails
 * with `no-kit` when the folder holds no bag at all; every other fault is in the result.
 */
export async function checkKit(folder: string, options: CheckOptions = {}): Promise<KitCheck> {
  const root = openKit(folder)
  try {
    return await new Check(root, options).run()
  } finally {
    root.close()
  }
}

/** Opens the folder of a kit. Fails with `no-kit`. */
export function openKit(folder: string): Folder {
  let root: Folder
  try {
    root = Folder.open(folder)
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'nothing is there' : systemReason(cause)
    if (reason === undefined) throw cause
    throw new FixpointError('no-kit', `Cannot open kit "${folder}": ${reason}`, { cause })
  }
  // Any of them says that it was one; a kit without its lists may still be repaired.
  if (
    [KIT.declaration, KIT.manifest, KIT.tagManifest].some((name) => root.stat(name) !== undefined)
  )
    return root
  root.close()
  throw new FixpointError('no-kit', `Cannot use "${folder}": it has none of the lists of a kit`)
}

/** One check of one kit. */
class Check {
  readonly #root: Folder
  readonly #turns: Turns
  readonly #signal: AbortSignal | undefined
  readonly #onFile: CheckOptions['onFile']
  readonly #faults: Fault[] = []
  /** All paths that lists name. */
  readonly #listed = new Set<string>()
  #whole = 0
  #bytes = 0

  constructor(root: Folder, { signal, onFile }: CheckOptions) {
    this.#root = root
    this.#turns = new Turns(signal)
    this.#signal = signal
    this.#onFile = onFile
  }

  async run(): Promise<KitCheck> {
    const tags = await this.#list(this.#root, KIT.tagManifest, 64)
    const manifest = await this.#list(this.#root, KIT.manifest, 64)
    const manifest512 = await this.#list(this.#root, KIT.manifest512, 128)
    await this.#compare(tags.entries, new Map())
    await this.#compare(manifest.entries, manifest512.entries)
    // Where one list could not be read, it says so once and not for each file.
    if (manifest.entries.size > 0 && manifest512.entries.size > 0) {
      this.#half(manifest, manifest512, KIT.manifest512)
      this.#half(manifest512, manifest, KIT.manifest)
    }
    await this.#parity()
    await this.#unlisted(this.#root, '', 0)
    return { id: await this.#id(), whole: this.#whole, bytes: this.#bytes, faults: this.#faults }
  }

  async #list(folder: Folder, name: string, digits: 64 | 128, shown = name): Promise<KitList> {
    const list = await readKitList(folder, name, digits, shown)
    for (const fault of list.faults) this.#faults.push(fault)
    for (const path of list.entries.keys()) this.#listed.add(path)
    this.#listed.add(shown)
    return list
  }

  /** The parity files, by the list that lies among them. Then by what is in them. */
  async #parity(): Promise<void> {
    const found = this.#root.stat(KIT.parity)
    if (found?.isDirectory() !== true) {
      this.#listed.add(KIT.parity)
      this.#faults.push({ kind: found === undefined ? 'missing' : 'not-a-file', path: KIT.parity })
      return
    }
    const folder = this.#root.folder(KIT.parity)
    try {
      const name = KIT.paritySums.slice(KIT.parity.length + 1)
      const { entries } = await readKitList(folder, name, 64, KIT.paritySums).then((list) => {
        for (const fault of list.faults) this.#faults.push(fault)
        return list
      })
      const inKit = new Map([...entries].map(([path, digest]) => [`${KIT.parity}/${path}`, digest]))
      await this.#compare(inKit, new Map())
      await this.#useOfParity([...inKit.keys()])
      for (const path of [...inKit.keys(), KIT.paritySums]) this.#listed.add(path)
    } finally {
      folder.close()
    }
  }

  /** Asked only while nothing else is wrong: then parity can be compared with the kit. */
  async #useOfParity(parity: readonly string[]): Promise<void> {
    if (this.#faults.length > 0) return
    const kit = { root: this.#root.self, parity, files: this.#listed }
    const reason = await parityReason(kit, this.#signal)
    if (reason !== undefined) this.#faults.push({ kind: 'useless', path: KIT.parity, reason })
  }

  #half(one: KitList, other: KitList, name: string): void {
    for (const path of one.entries.keys())
      if (!other.entries.has(path)) this.#faults.push({ kind: 'half-listed', path, list: name })
  }

  /** Compares files with their SHA-256, and those that have one with their SHA-512. */
  async #compare(
    entries: ReadonlyMap<string, string>,
    entries512: ReadonlyMap<string, string>,
  ): Promise<void> {
    const tree = new Descent(Folder.open(this.#root.self))
    try {
      for (const path of [...entries.keys()].sort(byCodeUnit)) {
        this.#onFile?.(path)
        const fault = await this.#file(tree, path, entries.get(path) ?? '', entries512.get(path))
        if (fault === undefined) this.#whole += 1
        else this.#faults.push(fault)
      }
    } finally {
      tree.close()
    }
  }

  async #file(
    tree: Descent,
    path: string,
    wanted: string,
    wanted512: string | undefined,
  ): Promise<Fault | undefined> {
    let fd: number | undefined
    try {
      const { folder, name } = tree.reach(path)
      if (folder.stat(name) === undefined) return { kind: 'missing', path }
      fd = folder.read(name)
      const hash = createHash('sha256')
      const hash512 = wanted512 === undefined ? undefined : createHash('sha512')
      for (const chunk of chunksOf(fd)) {
        hash.update(chunk)
        hash512?.update(chunk)
        this.#bytes += chunk.length
        await this.#turns.pass()
      }
      const found = hash.digest('hex')
      if (found !== wanted) return { kind: 'bad', path, wanted, found }
      const found512 = hash512?.digest('hex')
      if (wanted512 === undefined || found512 === undefined || found512 === wanted512)
        return undefined
      return { kind: 'bad', path, wanted: wanted512, found: found512 }
    } catch (error) {
      return faultOf(path, error)
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  /** Names files below `folder` that no list has. */
  async #unlisted(folder: Folder, below: string, depth: number): Promise<void> {
    let entries
    try {
      entries = folder.entries()
    } catch (error) {
      this.#faults.push(faultOf(below, error))
      return
    }
    const named = entries
      .map((entry) => ({ name: entry.name.toString(), isFolder: entry.isDirectory(), entry }))
      .sort((a, b) => byCodeUnit(a.name, b.name))
    for (const { name, isFolder } of named) {
      await this.#turns.pass()
      const path = below === '' ? name : `${below}/${name}`
      if (isFolder && depth < DEEPEST && !isLeftOut(path)) {
        const inner = folder.folder(name)
        try {
          await this.#unlisted(inner, path, depth + 1)
        } finally {
          inner.close()
        }
      } else if (!this.#listed.has(path) && !isLeftOut(path)) {
        this.#faults.push({ kind: 'unlisted', path })
      }
    }
  }

  /** SHA-256 of the tag manifest. */
  async #id(): Promise<Digest | undefined> {
    try {
      const fd = this.#root.read(KIT.tagManifest)
      try {
        const hash = createHash('sha256')
        for (const chunk of chunksOf(fd)) {
          hash.update(chunk)
          await this.#turns.pass()
        }
        return asDigest(hash.digest('hex'))
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      faultOf(KIT.tagManifest, error) // which is among the faults already
      return undefined
    }
  }
}

/** Whether a path is one that no list has to name. */
function isLeftOut(path: string): boolean {
  return path.startsWith(SIGNATURE_PREFIX) || path === KIT.checks || path === KIT.damaged
}

/** What keeps a file from being read, as a fault of it. Throws what is no doing of the kit. */
function faultOf(path: string, error: unknown): Fault {
  if (error instanceof FixpointError) {
    if (error.code === 'unsafe-path') return { kind: 'not-a-file', path }
    throw error
  }
  const code = errorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', path }
  const reason = systemReason(error)
  if (reason === undefined) throw error
  return { kind: 'unreadable', path, reason }
}
