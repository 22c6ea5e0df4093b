import { devicePath } from '../../image/write/disk-device.ts'
import type { FileSystem } from '../../image/write/file-system.ts'
import type { Present } from '../../image/write/present.ts'
import { examineWrite, writeImage, type WritePlan } from '../../image/write/write-image.ts'
import { confirmDisk } from '../confirm-disk.ts'
import type { CommandContext } from '../context.ts'
import { formatBytes } from '../view/format.ts'

/** Options of `write`. */
export interface WriteFlags {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** `write IMAGE DISK`: shows what is lost, asks, writes, and reads back. */
export async function writeCommand(
  command: CommandContext,
  path: string,
  device: string,
  { yes, dryRun }: WriteFlags,
): Promise<void> {
  const { signal, emit, now } = command
  const report = (message: string): void => emit({ type: 'phase', at: now(), message })
  const plan = await examineWrite(path, device, {
    stores: [await command.storeFolder()],
    signal,
    onRead: () => report(`read ${path}`),
  })
  const { sha256, size } = plan.image
  const { model, bytes, sector } = plan.disk
  await command.result(planLines(plan), {
    type: 'write-plan',
    ...{ image: path, sha256, size, device, model, bytes, sector },
    ...plan.present,
  })
  if (dryRun === true) return
  if (yes !== true) await confirmDisk(plan.disk, command)
  let what = ''
  await writeImage(plan, {
    signal,
    onPart: (part) => report((what = `${part} ${device}`)),
    onBytes: (done) => emit({ type: 'progress', at: now(), what, bytes: done, size }),
    onWarning: (message) => emit({ type: 'warning', at: now(), message }),
  })
  await command.result([`${device}: written and read back, ${size} bytes`, `sha256 ${sha256}`], {
    type: 'written',
    ...{ image: path, sha256, size, device },
  })
}

function planLines({ image, disk, present }: WritePlan): string[] {
  const facts = [
    disk.model ?? (disk.file === undefined ? 'no model known' : `the file "${disk.file}"`),
    formatBytes(disk.bytes),
    disk.isRemovable ? 'removable' : 'not removable',
  ]
  const by = image.stated.map((each) => `"${each.by}"`)
  return [
    `image: ${image.path}, ${formatBytes(image.size)}, ` +
      (by.length > 0 ? `SHA-256 as in ${by.join(' and ')}` : 'with no record beside it'),
    `disk:  ${devicePath(disk.name)}, ${facts.join(', ')}`,
    // GRUB for the BIOS is in a table for sectors of 512 bytes only.
    ...(disk.sector === 512
      ? []
      : [`       sectors of ${disk.sector} bytes: it will start by UEFI, not by BIOS`]),
    ...lostLines(present),
  ]
}

function lostLines({ table, partitions, fileSystem, isBlank }: Present): string[] {
  if (partitions.length > 0)
    return [
      `All of this is lost${table === undefined ? '' : `, ${table}`}:`,
      ...partitions.map(({ name, label, bytes, fileSystem: held }) =>
        [`  ${name}: ${formatBytes(bytes)}`, ...quoted(label), ...described(held)].join(', '),
      ),
    ]
  if (fileSystem !== undefined) return [`All of this is lost: ${described(fileSystem).join(', ')}`]
  if (isBlank) return ['Its beginning is blank.']
  return [
    table === undefined ? 'It holds something unknown, which is lost.' : 'It has no partitions.',
  ]
}

function described(fileSystem: FileSystem | undefined): string[] {
  return fileSystem === undefined ? [] : [fileSystem.kind, ...quoted(fileSystem.label)]
}

function quoted(label: string | undefined): string[] {
  return label === undefined ? [] : [`"${label}"`]
}
