import { devicePath } from '../../image/write/disk-device.ts'
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
  const { image, disk, present } = plan
  const { sha256, size } = image
  await command.result(planLines(plan), {
    type: 'write-plan',
    ...{ image: path, sha256, size, device, model: disk.model, bytes: disk.bytes },
    partitions: present.partitions,
  })
  if (dryRun === true) return
  if (yes !== true) await confirmDisk(disk, command)
  let what = ''
  await writeImage(plan, {
    signal,
    onPart: (part) => report((what = `${part} ${device}`)),
    onBytes: (bytes) => emit({ type: 'progress', at: now(), what, bytes, size }),
    onWarning: (message) => emit({ type: 'warning', at: now(), message }),
  })
  await command.result(
    [`${device}: written and read back, ${size} bytes`, `sha256 ${sha256}`],
    { type: 'written', image: path, sha256, size, device },
  )
}

function planLines({ image, disk, present }: WritePlan): string[] {
  const facts = [
    disk.model ?? (disk.file === undefined ? 'no model known' : `the file "${disk.file}"`),
    formatBytes(disk.bytes),
    disk.isRemovable ? 'removable' : 'not removable',
  ]
  const lost = present.partitions.map(
    ({ name, label, bytes }) =>
      `  ${name}: ${formatBytes(bytes)}${label === undefined ? '' : `, "${label}"`}`,
  )
  return [
    `image: ${image.path}, ${formatBytes(image.size)}, ` +
      (image.isRecorded ? 'as its record says' : 'without a record beside it'),
    `disk:  ${devicePath(disk.name)}, ${facts.join(', ')}`,
    ...(lost.length > 0
      ? ['All of this is lost:', ...lost]
      : [present.isBlank ? 'Its beginning is blank.' : 'It holds something, without partitions.']),
  ]
}
