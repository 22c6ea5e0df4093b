import type { ErrorCode } from '../../base/codes.ts'

const LIST = '`lsblk` lists the disks of this machine; without it, `cat /proc/partitions`'

/** What to do about errors of `write`, which overwrites disks. */
const HINTS = {
  'disk-busy': `Unmount it, end what uses it, or name another disk; ${LIST}`,
  'disk-changed': 'Leave the disk where it is until the command ends, and run it again',
  'disk-failed': 'Try another port, then another disk, and write again',
  'disk-is-file': 'Copy an image to a file with `cp`',
  'disk-is-partition': 'Name the whole disk',
  'disk-not-confirmed': 'In a script, say so with --yes',
  'disk-of-system': LIST,
  'disk-read-back': 'Do not use this disk; or try another port or reader, if it was good before',
  'disk-read-only': 'Cards and some sticks have a switch for that',
  'disk-sectors': 'Build the image again, or use a disk with sectors of 512 bytes',
  'disk-too-small': LIST,
  'image-changed': 'Take a fresh copy of the image and its record, or build it again',
  'no-such-disk': LIST,
  'write-interrupted': 'Write again to get a whole image',
} as const satisfies Partial<Record<ErrorCode, string>>

type DiskCode = keyof typeof HINTS

/** Whether a code is of an error about a disk that an image is written to. */
export function isDiskCode(code: ErrorCode): code is DiskCode {
  return Object.hasOwn(HINTS, code)
}

/** What to do about such an error, one line. */
export function diskHint(code: DiskCode): string {
  return HINTS[code]
}
