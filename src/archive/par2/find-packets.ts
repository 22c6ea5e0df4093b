import { createHash } from 'node:crypto'
import { Effort, type Work } from './work.ts'
import { FileWindow, readWhatIsLeft, type OpenedFile } from './files-below.ts'
import { HEAD, MAGIC, readHead, UNHASHED, type PacketHead } from './packet.ts'

/** Bytes of a packet that is kept in memory at most: a main packet for 65,536 files is shorter. */
const MAX_KEPT = 2 << 20

/** Bytes of the window on a parity file. */
const WINDOW = MAX_KEPT

/** A packet whose MD5 was found right. */
export interface FoundPacket extends PacketHead {
  /** Position of the packet in its file, in bytes. */
  readonly at: number
  /** The body; of a recovery packet only its first 4 bytes, the exponent. */
  readonly body: Buffer
}

/**
 * Finds all packets of a file, also behind damage, and hands them on. Those of types that are not
 * used here are passed over. A packet of wrong bytes costs reading it once. Hostile files can hold
 * many heads of long packets, so the search ends after four times the file's size.
 */
export async function findPackets(
  file: OpenedFile,
  work: Work,
  found: (packet: FoundPacket) => void,
): Promise<void> {
  const window = new FileWindow(
    file,
    Buffer.allocUnsafe(Math.min(WINDOW, file.size + 1)),
    readWhatIsLeft,
  )
  const effort = new Effort(4 * file.size + WINDOW)
  for (let at = 0; at + HEAD <= file.size;) {
    const bytes = window.from(at, HEAD)
    const offset = bytes.indexOf(MAGIC)
    if (offset !== 0) {
      // The magic may be cut in two at the end of the window.
      const step = offset === -1 ? bytes.length - MAGIC.length + 1 : offset
      await work.did(step)
      at += step
      continue
    }
    const head = readHead(bytes.subarray(0, HEAD))
    const length = head === undefined || !isPossible(head, file.size - at) ? 0 : head.length
    const kept = head?.type === 'recovery' ? HEAD + 4 : length
    const body = Buffer.from(window.from(at, kept).subarray(HEAD, kept))
    if (head !== undefined && length > 0 && (await isIntact(window, at, head, work))) {
      found({ ...head, at, body })
      at += length
    } else if (effort.spend(length)) {
      at += MAGIC.length
    } else {
      return
    }
  }
}

/** Whether a packet can have this length, `rest` bytes before the end of its file. */
function isPossible({ type, length }: PacketHead, rest: number): boolean {
  if (type === 'creator' || length > rest) return false
  return type === 'recovery' ? length > HEAD + 4 : length <= MAX_KEPT
}

async function isIntact(
  window: FileWindow,
  at: number,
  { length, md5 }: PacketHead,
  work: Work,
): Promise<boolean> {
  const hash = createHash('md5')
  for (let done = UNHASHED; done < length;) {
    const bytes = window.from(at + done, 1).subarray(0, length - done)
    hash.update(bytes)
    done += bytes.length
    await work.did(bytes.length)
  }
  return hash.digest('hex') === md5
}
