import { createHash } from 'node:crypto'
import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openNamedFile } from '../../base/beneath.ts'
import { chunksOf } from '../../base/chunks.ts'
import { asDigest, digestOf, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { explainDiskFull } from '../../base/files.ts'
import { byCodeUnit } from '../../base/order.ts'
import { Turns } from '../../base/turns.ts'
import { KIT, TAG_FILES } from './layout.ts'
import { isInside } from './lists.ts'

/** A file that goes into a kit: a copy of one on this machine, or a text. */
export type KitFile = {
  /** In the kit. Plain ASCII without blanks, so that every program and file system takes it. */
  readonly path: string
  readonly executable?: boolean
} & ({ readonly from: string; readonly sha256?: Digest } | { readonly text: string })

/** What was written of a file. */
interface Written {
  readonly sha256: Digest
  readonly sha512: string
  readonly size: number
}

/**
 * A bag that is being written below `folder`, which is empty. Files are hashed on their way, so that
 * the lists say what was meant and not what the disk made of it.
 */
export class Bag {
  readonly #folder: string
  readonly #turns: Turns
  readonly #written = new Map<string, Written>()

  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder
    this.#turns = new Turns(signal)
  }

  /** Paths of all files so far, in order. */
  get paths(): string[] {
    return [...this.#written.keys()].sort(byCodeUnit)
  }

  /** Bytes of all files so far. */
  get bytes(): number {
    return [...this.#written.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * Writes one file. Fails with `kit-input` when what is copied has not the digest that it should
   * have, and with `disk-full`.
   */
  async add(file: KitFile): Promise<void> {
    if (!/^[!-~]+$/.test(file.path) || !isInside(file.path) || this.#written.has(file.path))
      throw new FixpointError(
        'kit-name',
        `Cannot put "${file.path}" into the kit: its name has other characters than plain ASCII, ` +
          `or is there already`,
      )
    const target = join(this.#folder, file.path)
    try {
      mkdirSync(dirname(target), { recursive: true })
      const fd = openSync(target, 'wx', 0o644)
      try {
        const written = await this.#write(fd, file)
        fchmodSync(fd, file.executable === true ? 0o755 : 0o644)
        fsyncSync(fd)
        this.#written.set(file.path, written)
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      throw explainDiskFull(error, this.#folder)
    }
  }

  async #write(target: number, file: KitFile): Promise<Written> {
    const sha256 = createHash('sha256')
    const sha512 = createHash('sha512')
    let size = 0
    const put = (chunk: Uint8Array): void => {
      sha256.update(chunk)
      sha512.update(chunk)
      size += chunk.length
      for (let done = 0; done < chunk.length;)
        done += writeSync(target, chunk, done, chunk.length - done)
    }
    if ('text' in file) put(Buffer.from(file.text))
    else {
      const { fd } = openNamedFile(file.from)
      try {
        for (const chunk of chunksOf(fd)) {
          put(chunk)
          await this.#turns.pass()
        }
      } finally {
        closeSync(fd)
      }
    }
    const found = asDigest(sha256.digest('hex'))
    if ('from' in file && file.sha256 !== undefined && file.sha256 !== found)
      throw new FixpointError(
        'kit-input',
        `Cannot put "${file.from}" into the kit: sha256 is ${found}, wanted ${file.sha256}`,
      )
    return { sha256: found, sha512: sha512.digest('hex'), size }
  }

  /**
   * Writes the lists and BagIt's own files. Resolves to the kit's ID, the SHA-256 of the tag
   * manifest. `info` holds the lines of bag-info.txt.
   */
  async close(info: Readonly<Record<string, string>>): Promise<Digest> {
    const payload = this.paths.filter((path) => path.startsWith(`${KIT.data}/`))
    const size = payload.reduce((sum, path) => sum + (this.#written.get(path)?.size ?? 0), 0)
    await this.add({
      path: KIT.declaration,
      text: 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n',
    })
    const oxum = { ...info, 'Payload-Oxum': `${size}.${payload.length}` }
    await this.add({
      path: KIT.info,
      text: Object.entries(oxum)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(''),
    })
    await this.add({ path: KIT.manifest, text: this.#list(payload, 'sha256') })
    await this.add({ path: KIT.manifest512, text: this.#list(payload, 'sha512') })
    const tags = this.#list([...TAG_FILES].sort(byCodeUnit), 'sha256')
    await this.add({ path: KIT.tagManifest, text: tags })
    return digestOf(tags)
  }

  #list(paths: readonly string[], algorithm: 'sha256' | 'sha512'): string {
    return paths.map((path) => `${this.#written.get(path)?.[algorithm] ?? ''}  ${path}\n`).join('')
  }
}
