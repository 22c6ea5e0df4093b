import { join, resolve } from 'node:path'
import { stat } from 'node:fs/promises'
import { readIfThere } from '../../base/beneath.ts'
import { digestOf, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { exists, isFileOrDisk, isFolder } from '../../base/files.ts'
import { counted } from '../../base/format.ts'
import { explainSystemError } from '../../base/system-error.ts'
import { Turns } from '../../base/turns.ts'
import { visible } from '../../base/visible.ts'
import { takeLock } from '../../store/local/lock.ts'
import type { FilesBelow } from '../par2/files-below.ts'
import { verifyWithParity } from '../par2/verify.ts'
import { DamagedFolder } from './damaged-folder.ts'
import { carryOut, type Work } from './carry-out.ts'
import { copyWhole, requireNone } from './copy-whole.ts'
import { inspectKit } from './inspect-kit.ts'
import { parityFiles, readKnown } from './known.ts'
import { folderPlace, imagePlace, storePlace, type BlobPath, type Place } from './offers.ts'
import { findOffers, type Offers } from './find-offers.ts'
import { isParityMadeAgain, makeParityAgain } from './parity-again.ts'
import { planRepair, type BadFile, type ParityOffer, type RepairPlan } from './plan.ts'
import { treeBelow, type Entry } from './tree.ts'
import { KIT } from '../kit/layout.ts'

export interface RepairRequest {
  readonly kit: string
  /** Other copies, even damaged ones; mirror folders; images. */
  readonly from: readonly string[]
  /** Mirror folders that are set up for all builds. */
  readonly mirrors: readonly string[]
  readonly blobPath: BlobPath
  /** Folder that gets a whole kit, while the kit is only read; undefined: the kit is repaired. */
  readonly to: string | undefined
  readonly dryRun: boolean
  readonly signal: AbortSignal
  /** Gets the plan before anything is written. */
  readonly onPlan?: (plan: KitRepair) => Promise<void>
}

/** What a repair does, or did. */
export interface KitRepair extends RepairPlan {
  /** Paths that no list names; they are moved to the folder of damaged files. */
  readonly unlisted: readonly string[]
  /** The kit's ID in the end; undefined while its lists are not whole. */
  readonly id: Digest | undefined
  /** Folder with the old bytes of what was replaced. */
  readonly aside: string | undefined
}

/**
 * Repairs a kit. First looks at all of it and plans. Then takes whole files by their digests, in
 * this order: from elsewhere in the kit, from copies, from the mirror in images, from mirror
 * folders, from the store. At last lets parity rebuild the rest, from the kit's and all copies'
 * blocks. New files are made beside, and replace others once their digests are right. The old ones
 * are kept in the folder `damaged` of the kit.
 *
 * Fails with `kit-beyond-repair` when files stay bad: it repairs what it can by digest, and leaves
 * those as they are. Other failures: `no-kit`, `kit-refused`, `kit-busy`, `kit-there`, `disk-full`.
 */
export async function repairKit(request: RepairRequest): Promise<KitRepair> {
  const { kit, dryRun, to, signal } = request
  await requireKit(kit)
  if (dryRun) return (await look(request)).plan
  if (to !== undefined) {
    await requireNone(to)
    return repairInto(request, to)
  }
  const lock = await takeLock(kit, { tryOnly: true, signal })
  if (lock === undefined)
    throw new FixpointError('kit-busy', `Cannot repair "${kit}": another repair is under way`)
  try {
    return await repairInPlace(request)
  } catch (error) {
    throw explainSystemError(error)
  } finally {
    await lock.release()
  }
}

async function repairInPlace(request: RepairRequest): Promise<KitRepair> {
  const { kit, signal } = request
  const found = await look(request)
  const { plan } = found
  await request.onPlan?.(plan)
  if (plan.steps.length === 0 && plan.unlisted.length === 0) {
    requireNoneLost(kit, plan)
    await forgetKilled(kit)
    return plan
  }
  const folder = DamagedFolder.make(kit)
  try {
    const made = await carryOut(found.work, folder.scratch, signal)
    for (const path of made) folder.makeWay(path)
    for (const path of plan.unlisted) folder.setAside(path)
    for (const path of made) await folder.put(path)
    if (isParityMadeAgain(plan))
      for (const path of await makeParityAgain(kit, found.work.known, folder.scratch, signal))
        await folder.put(path)
  } catch (error) {
    await folder.giveUp()
    throw error
  }
  requireNoneLost(kit, plan, folder.aside)
  await folder.close()
  return { ...plan, id: idOf(kit), aside: folder.aside }
}

/** Makes a whole kit of what can be repaired, and changes nothing of the old one. */
async function repairInto(request: RepairRequest, to: string): Promise<KitRepair> {
  const found = await look(request)
  await request.onPlan?.(found.plan)
  requireNoneLost(request.kit, found.plan)
  await copyWhole(found.work, to, request.signal)
  return { ...found.plan, id: idOf(to), aside: undefined }
}

/** A repair that was killed at its very end leaves a folder of new files only. */
async function forgetKilled(kit: string): Promise<void> {
  if (await isFolder(join(kit, KIT.damaged))) await DamagedFolder.make(kit).close()
}

async function look(request: RepairRequest): Promise<{ plan: KitRepair; work: Work }> {
  const { kit, signal } = request
  const turns = new Turns(signal)
  const entries = treeBelow(kit)
  const copies = await copiesOf(request.from)
  const own = parityFiles(kit, entries)
  const parity = [own, ...copies.folders.map((root) => parityFiles(root, treeBelow(root)))].filter(
    ({ paths }) => paths.length > 0,
  )
  const known = await readKnown(kit, copies.folders, own.paths.length > 0 ? [own] : parity, {
    signal,
  })
  if (known.wanted.size === 0)
    throw new FixpointError(
      'kit-beyond-repair',
      `Cannot repair "${kit}": neither its lists nor its parity are left`,
    )
  const { bad, unlisted } = await inspectKit(kit, entries, known, turns)
  const places = placesOf(request, copies, entries, turns)
  const wanted = new Map([...known.wanted, ...(known.parity ?? [])])
  const offers = await findOffers(bad, wanted, places, signal)
  const extra = extraFiles(kit, entries, bad, copies.folders)
  const blocks = await blocksOf({ kit, own, known, extra }, bad, offers, signal)
  const again = new Set(known.parity?.keys() ?? [])
  if (known.parity === undefined) again.add(KIT.paritySums)
  const missingSums: BadFile[] =
    known.parity === undefined
      ? [{ path: KIT.paritySums, fault: own.paths.length > 0 ? 'bad' : 'missing' }]
      : []
  const plan = planRepair([...bad, ...missingSums], offers.list, blocks, again)
  const isWhole = plan.steps.length === 0 && plan.lost.length === 0
  const outcome = { ...plan, unlisted, id: isWhole ? idOf(kit) : undefined, aside: undefined }
  return { plan: outcome, work: { kit, known, wanted, offers, own, extra, plan } }
}

/** Blocks of bad files that nobody offers whole. */
async function blocksOf(
  { kit, own, known, extra }: Pick<Work, 'kit' | 'own' | 'known' | 'extra'>,
  bad: readonly BadFile[],
  offers: Offers,
  signal: AbortSignal,
): Promise<ParityOffer | undefined> {
  const left = bad.filter(({ path }) => !offers.found.has(path))
  if (known.set === undefined || left.length === 0) return undefined
  const more = offers.files
  const report = await verifyWithParity({
    root: kit,
    parity: own,
    extra: [...more, ...extra],
    signal,
  })
  return {
    recovery: report.recovery,
    files: report.files.map(({ name, blocks }) => ({
      path: name,
      lost: blocks.filter((block) => block === 'lost').length,
    })),
  }
}

/** Files that may hold blocks: those of the kit that no list names, and the copies of bad ones. */
function extraFiles(
  kit: string,
  entries: readonly Entry[],
  bad: readonly BadFile[],
  copies: readonly string[],
): FilesBelow[] {
  const isFile = ({ size }: Entry): boolean => size !== undefined
  const paths = bad.map(({ path }) => path)
  return [
    ...copies.map((root) => ({ root, paths })),
    { root: kit, paths: entries.filter(isFile).map(({ path }) => path) },
  ]
}

interface Copies {
  readonly folders: readonly string[]
  readonly images: readonly string[]
}

async function copiesOf(from: readonly string[]): Promise<Copies> {
  const folders: string[] = []
  const images: string[] = []
  for (const place of from)
    if (await isFolder(place)) folders.push(resolve(place))
    else if (await isFileOrDisk(place)) images.push(resolve(place))
    else
      throw new FixpointError(
        'no-mirror-folder',
        `Cannot repair from "${place}": there is no such folder or image`,
      )
  return { folders, images }
}

/** All places that may have whole files, in the order in which they are asked. */
function placesOf(
  { kit, mirrors, blobPath, signal }: RepairRequest,
  { folders, images }: Copies,
  entries: readonly Entry[],
  turns: Turns,
): Place[] {
  const isImage = ({ path, size }: Entry): boolean => size !== undefined && path.endsWith('.img')
  const inside = entries.filter(isImage).map(({ path }) => ({ path: join(kit, path), name: path }))
  const outside = images.map((path) => ({ path, name: path }))
  return [
    folderPlace('kit', kit, turns),
    ...folders.map((root) => folderPlace('copy', root, turns)),
    ...[...inside, ...outside].map(({ path, name }) => imagePlace(path, name, signal)),
    ...mirrors.map((root) => folderPlace('mirror', root, turns)),
    storePlace(blobPath, turns),
  ]
}

function requireNoneLost(kit: string, plan: RepairPlan, aside?: string): void {
  if (plan.lost.length === 0) return
  const names = plan.lost.map(({ path, fault }) => `\n  ${fault} "${visible(path)}"`).join('')
  const { blocks } = plan
  const parity =
    blocks === undefined
      ? ''
      : `: lost ${counted(blocks.lost, 'block')}, ` +
        `intact ${counted(blocks.recovery, 'recovery block')}`
  throw new FixpointError(
    'kit-beyond-repair',
    `Cannot repair ${counted(plan.lost.length, 'file')} of "${kit}"${parity}${names}`,
    aside === undefined ? {} : { facts: { folder: join(kit, aside) } },
  )
}

/** A kit's ID: the digest of its list of tag files. */
function idOf(kit: string): Digest | undefined {
  try {
    const text = readIfThere(join(kit, KIT.tagManifest))
    return text === undefined ? undefined : digestOf(text)
  } catch {
    return undefined
  }
}

async function requireKit(kit: string): Promise<void> {
  const marks = [KIT.tagManifest, KIT.manifest, KIT.parity, 'bagit.txt'].map((name) =>
    join(kit, name),
  )
  if ((await stat(kit).catch(() => undefined))?.isDirectory() === true)
    for (const mark of marks) if (await exists(mark)) return
  throw new FixpointError('no-kit', `Cannot use "${kit}": it is not the folder of a kit`)
}
