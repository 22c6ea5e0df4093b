import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { digestOfFile, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { exists, flushFileSystem, syncPath } from '../../base/files.ts'
import { byCodeUnit } from '../../base/order.ts'
import { removeTree } from '../../base/remove-tree.ts'
import { isNothing, makeNewFile, makeNewFolder } from '../../store/new-folder.ts'
import type { Store } from '../../store/store.ts'
import { createParity } from '../par2/create.ts'
import { Bag, type KitFile } from './bag.ts'
import { checkKit } from './check.ts'
import type { Contents } from './contents.ts'
import { describeFault } from './faults.ts'
import { KIT } from './layout.ts'
import { packKit, type PackedKit } from './tar.ts'
import { readme, type KitTexts } from './texts.ts'

/** Blocks that all files of a kit are divided into, about. */
const BLOCKS = 1000

/** Bytes of a block at least: smaller ones would need more bytes for their digests than they save. */
const SMALLEST_BLOCK = 4096

/** What making a kit takes beside its contents. */
export interface CreateKitOptions {
  /** Folder of the kit, which is not there yet. */
  readonly target: string
  readonly texts: KitTexts
  /** Whose lock keeps others from making the same kit. */
  readonly store: Store
  /** Of the blocks of all files, how many percent parity can rebuild; from 1. */
  readonly parity: number
  readonly signal: AbortSignal
  /** Called before each part of the work, with what is done next. */
  readonly onPart?: ((part: string) => void) | undefined
}

/** A kit that was made. */
export interface CreatedKit {
  readonly id: Digest
  /** Files that a check compares: all but the two lists that no list names. */
  readonly files: number
  /** Bytes of the bag, and of its parity. */
  readonly bytes: number
  readonly parityBytes: number
}

/** A kit that was made as one file. */
export interface KitTar extends CreatedKit, PackedKit {}

/**
 * Makes a kit of what was gathered. It comes whole or not at all: it is written beside `target`,
 * flushed, read back and renamed. The same contents give the same bytes, and so the same ID. Fails
 * with `kit-there`, `kit-running`, `kit-input`, `kit-name` or `disk-full`.
 */
export async function createKit(
  contents: Contents,
  options: CreateKitOptions,
): Promise<CreatedKit> {
  const { store, signal } = options
  const target = resolve(options.target)
  const check = (): Promise<void> => requireNothing(target)
  return makeNewFolder(target, { store, signal, check }, (part) =>
    makeAndCheck(part, contents, options),
  )
}

/**
 * Like {@link createKit}, but makes one tar file. The kit is made as a folder first, so for a while
 * both take up room.
 */
export async function createKitTar(contents: Contents, options: CreateKitOptions): Promise<KitTar> {
  const { signal, onPart } = options
  const target = resolve(options.target)
  const check = async (): Promise<void> => {
    if (await exists(target)) throw somethingThere(target)
  }
  return makeNewFile(target, { store: options.store, signal, check }, async (work) => {
    const [kit, made] = [join(work, 'kit'), join(work, 'kit.tar')]
    await mkdir(kit)
    const created = await makeAndCheck(kit, contents, options)
    onPart?.('join it to one file')
    const packed = await packKit(kit, made, signal)
    await syncPath(made)
    onPart?.('read the file back')
    if ((await digestOfFile(made, signal)) !== packed.sha256)
      throw wrongReadBack(target, 'its SHA-256 is another one')
    await removeTree(kit)
    return { result: { ...created, ...packed }, made }
  })
}

async function makeAndCheck(
  folder: string,
  contents: Contents,
  options: CreateKitOptions,
): Promise<CreatedKit> {
  const written = await fill(folder, contents, options)
  options.onPart?.('read everything back')
  await flushFileSystem(folder)
  const { whole, faults } = await checkKit(folder, { signal: options.signal })
  const [first] = faults
  if (first !== undefined) throw wrongReadBack(options.target, describeFault(first))
  return { ...written, files: whole }
}

function wrongReadBack(target: string, what: string): FixpointError {
  return new FixpointError(
    'kit-read-back',
    `Cannot make kit "${resolve(target)}": what the disk gives back is wrong: ${what}`,
  )
}

async function fill(
  part: string,
  contents: Contents,
  { texts, parity, signal, onPart }: CreateKitOptions,
): Promise<Omit<CreatedKit, 'files'>> {
  const bag = new Bag(part, signal)
  onPart?.('copy images, sources and tools')
  for (const file of [...contents.files, ...ownFiles(contents, texts)]) await bag.add(file)
  const names = contents.images.map(({ name }) => name)
  const id = await bag.close({
    'Source-Organization': 'Fixpoint',
    'External-Description': `Images that can be rebuilt: ${names.join(', ')}`,
    'Bag-Software-Agent': 'Fixpoint',
    'Internal-Sender-Description':
      'The folders parity and checks are in no list. They were made after the lists, and parity ' +
      'has a list of its own.',
  })
  onPart?.('make parity')
  const parityBytes = await addParity(part, bag, parity, signal)
  return { id, bytes: bag.bytes, parityBytes }
}

function ownFiles(contents: Contents, texts: KitTexts): KitFile[] {
  return [
    { path: KIT.readme, text: readme(texts, contents) },
    { path: KIT.verifier, text: texts.verifier, executable: true },
  ]
}

/** How parity is made of so many bytes, so that it can rebuild some percent of them. */
export function parityShape(
  bytes: number,
  percent: number,
): { readonly blockSize: number; readonly recoveryBlocks: number } {
  const blockSize = Math.max(SMALLEST_BLOCK, Math.ceil(bytes / BLOCKS / 4) * 4)
  return {
    blockSize,
    recoveryBlocks: Math.max(1, Math.ceil(((bytes / blockSize) * percent) / 100)),
  }
}

/** Makes parity of everything so far, and its list. Resolves to the bytes of the parity files. */
async function addParity(
  part: string,
  bag: Bag,
  percent: number,
  signal: AbortSignal,
): Promise<number> {
  const folder = join(part, KIT.parity)
  await mkdir(folder)
  const { bytes, files } = await createParity({
    root: part,
    files: bag.paths,
    ...parityShape(bag.bytes, percent),
    output: { folder, name: KIT.parityName },
    signal,
  })
  const lines: string[] = []
  for (const name of [...files].sort(byCodeUnit))
    lines.push(`${await digestOfFile(join(folder, name), signal)}  ${name}\n`)
  await writeFile(join(part, KIT.paritySums), lines.join(''), { flag: 'wx' })
  return bytes
}

/** Fails with `kit-there` unless nothing, or an empty folder, is at `target`. */
export async function requireNothing(target: string): Promise<void> {
  if (!(await isNothing(target))) throw somethingThere(target)
}

function somethingThere(target: string): FixpointError {
  return new FixpointError('kit-there', `Cannot make kit "${target}": something is there already`)
}
