import { FixpointError } from '../../base/error.ts'
import { counted } from '../../base/format.ts'
import { repairKit, type KitRepair } from '../../archive/repair/repair.ts'
import type { Means, Step } from '../../archive/repair/plan.ts'
import type { BlobPath } from '../../archive/repair/offers.ts'
import { isAddress } from '../../fetch/addresses.ts'
import { filePath } from '../../metadata/format/source-places.ts'
import { missingMirrors } from '../../image/mirrors.ts'
import type { CommandContext } from '../context.ts'

/** Options of `archive repair`. */
export interface RepairFlags {
  readonly from?: readonly string[]
  readonly to?: string
  readonly dryRun?: boolean
}

/** `archive repair KIT`: prints the plan, then repairs. */
export async function archiveRepairCommand(
  command: CommandContext,
  kit: string,
  flags: RepairFlags,
): Promise<void> {
  const { mirrors } = await command.configuration()
  const missing = new Set(await missingMirrors(mirrors))
  const folders = mirrors
    .filter((mirror) => !isAddress(mirror))
    .map((mirror) => filePath(mirror) ?? mirror)
    .filter((folder) => !missing.has(folder))
  const plan = async (repair: KitRepair): Promise<void> => {
    const { steps, lost, unlisted, blocks } = repair
    await command.result(planLines(repair), { type: 'repair-plan', steps, lost, unlisted, blocks })
  }
  const isDry = flags.dryRun === true
  const done = await repairKit({
    kit,
    from: flags.from ?? [],
    mirrors: folders,
    blobPath: blobPathOf(command),
    to: flags.to,
    dryRun: isDry,
    signal: command.signal,
    onPlan: plan,
  })
  if (isDry) {
    await plan(done)
    return
  }
  const { id, steps, aside } = done
  const old = aside === undefined ? [] : [`what was there before is in "${kit}/${aside}"`]
  await command.result(
    [`whole: ${counted(steps.length, 'file')} repaired, id ${id ?? 'unknown'}`, ...old],
    {
      type: 'repaired',
      id,
      files: steps.length,
      aside,
    },
  )
}

/** A store that is missing has nothing, and none is made. */
function blobPathOf(command: CommandContext): BlobPath {
  return async (digest) => {
    const store = await command.store().catch((error: unknown) => {
      if (error instanceof FixpointError) return undefined
      throw error
    })
    return store?.blobs.has(digest) === true ? store.blobs.uncheckedFile(digest) : undefined
  }
}

function planLines({ steps, lost, unlisted, blocks }: KitRepair): string[] {
  if (steps.length + lost.length + unlisted.length === 0) return ['nothing is wrong']
  const last =
    blocks === undefined
      ? []
      : [
          `parity: lost ${counted(blocks.lost, 'block')}, ` +
            `intact ${counted(blocks.recovery, 'recovery block')}`,
        ]
  return [
    ...steps.map((step) => `${step.fault} ${step.path}: ${describeMeans(step)}`),
    ...lost.map(({ path, fault }) => `${fault} ${path}: cannot be repaired`),
    ...unlisted.map((path) => `unlisted ${path}: is moved aside`),
    ...last,
  ]
}

const NAMES: Readonly<Record<Means, string>> = {
  kit: 'from elsewhere in the kit',
  copy: 'from a copy',
  image: 'from the mirror in an image',
  mirror: 'from a mirror folder',
  store: 'from the store',
  merge: 'from blocks that are left of it',
  parity: 'by parity',
  again: 'is made again',
}

function describeMeans({ means, place, blocks }: Step): string {
  const detail =
    means === 'parity' ? `, ${counted(blocks ?? 0, 'block')}` : place === '' ? '' : `, ${place}`
  return `${NAMES[means]}${detail}`
}
