import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'

/**
 * Bytes that the log of one action may have: far more than any compiler prints, far less than a
 * disk holds.
 */
export const LONGEST_LOG = 256 << 20

/** The output of a sandboxed command on its way into a log. */
export interface Recording {
  /** Descriptor of a pipe's end, for the command's output and errors; the caller closes it. */
  readonly writer: number
  /** Resolves when nobody is left who could write; rejects when the log cannot be written. */
  readonly ended: Promise<void>
}

/**
 * Appends what is written into the pipe `fifo` to the file `log`. A pipe and not the log itself: a
 * step that opens /dev/stderr by name would empty a file. Calls `onFull` once, when the log has
 * {@link LONGEST_LOG} bytes; what comes after that is dropped.
 */
export function record(fifo: string, log: string, onFull: () => void): Recording {
  const file = openSync(log, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT)
  const socket = new Socket({
    fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  })
  const writer = openSync(fifo, constants.O_WRONLY)
  let left = LONGEST_LOG - fstatSync(file).size
  const ended = new Promise<void>((resolve, reject) => {
    let failure: Error | undefined
    socket.on('data', (chunk: Buffer) => {
      try {
        if (failure === undefined) append(file, chunk.subarray(0, left))
      } catch (error) {
        failure = error as Error
        onFull()
      }
      if (left > 0 && left <= chunk.length) onFull()
      left = Math.max(0, left - chunk.length)
    })
    socket.on('error', (error) => (failure ??= error))
    socket.once('close', () => {
      closeSync(file)
      if (failure === undefined) resolve()
      else reject(failure)
    })
  })
  ended.catch(() => undefined) // looked at once the command has ended
  return { writer, ended }
}

function append(file: number, data: Buffer): void {
  for (let written = 0; written < data.length;) written += writeSync(file, data, written)
}
