import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Folder } from '../base/beneath.ts'
import { chunksOf } from '../base/chunks.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { byBytes } from '../base/order.ts'
import { systemReason } from '../base/system-error.ts'
import { Turns } from '../base/turns.ts'
import { encodeEntry } from '../store/artifact/tar-header.ts'
import { TarWriter } from '../store/artifact/tar-writer.ts'
import type { ImageRecord } from './read-record.ts'

type RecordedFile = ImageRecord['files'][number]

/**
 * Makes sure that the files of an image beside its record at `path` are those that the record
 * states, and that they are its artifact. Links are refused. Fails with `image-not-recorded`.
 */
export async function requireImageFiles(
  path: string,
  record: ImageRecord,
  signal: AbortSignal,
): Promise<void> {
  const files = [...record.files].sort((a, b) => byBytes(a.path, b.path))
  const turns = new Turns(signal)
  const folder = Folder.open(dirname(path))
  const tar = new TarWriter(undefined)
  try {
    for (const file of files)
      if ((await addFile(tar, folder, file, turns)) !== file.sha256)
        throw notRecorded(join(dirname(path), file.path), `"${path}" states another SHA-256`)
    if (tar.end().digest === record.artifact) return
    throw notRecorded(path, `its files are not its artifact ${record.artifact}`)
  } finally {
    tar.close()
    folder.close()
  }
}

/**
 * Writes a file as it is in an artifact, with the mode that the record states: a copy of an image
 * often has another. Resolves to its SHA-256.
 */
async function addFile(
  tar: TarWriter,
  folder: Folder,
  { path, mode = 0o644 }: RecordedFile,
  turns: Turns,
): Promise<string> {
  const { fd, stat } = opened(folder, path)
  try {
    tar.write(encodeEntry({ type: 'file', path, mode, size: stat.size }))
    const hash = createHash('sha256')
    let size = 0
    for (const chunk of chunksOf(fd)) {
      size += chunk.length
      // It grows: its digest is another then.
      if (size > stat.size) break
      hash.update(chunk)
      tar.write(chunk)
      await turns.pass()
    }
    tar.pad(size)
    return hash.digest('hex')
  } finally {
    closeSync(fd)
  }
}

function opened(folder: Folder, path: string): ReturnType<Folder['openFile']> {
  try {
    return folder.openFile(path)
  } catch (cause) {
    const reason =
      cause instanceof FixpointError
        ? 'it is no plain file'
        : errorCode(cause) === 'ENOENT'
          ? 'there is no such file'
          : systemReason(cause)
    if (reason === undefined) throw cause
    throw notRecorded(`${folder.shown}/${path}`, reason, cause)
  }
}

function notRecorded(path: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('image-not-recorded', `Cannot confirm "${path}": ${reason}`, { cause })
}
