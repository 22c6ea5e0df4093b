import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { systemReason } from '../../base/system-error.ts'
import { answer } from './answer.ts'
import type { MirrorFault } from './faults.ts'
import { requireList } from './list.ts'
import { openMirrorFolder } from './open.ts'
import { ServedFiles } from './served-files.ts'

/** Where a server listens. */
export interface ListenAddress {
  /** A name, or an address of IPv4 or IPv6. */
  readonly host: string
  /** 0: the system chooses one. */
  readonly port: number
}

/** A server that runs. */
export interface ServedMirror {
  /** The base address of the mirror. */
  readonly address: string
  /** Resolves when the signal has ended it. */
  readonly ended: Promise<void>
}

/** Milliseconds in which a connection has to take or send something. */
const IDLE = 60_000

/** Milliseconds in which a request has to arrive: it is a few lines. */
const REQUEST = 10_000

/** Connections at once; each holds a file open. */
const MOST_CONNECTIONS = 256

/**
 * Serves a mirror by HTTP, read-only, until `signal` aborts. Only what is listed is sent, and the
 * list; see {@link ServedFiles}, which `onFault` is for. Fails with `no-mirror-list`,
 * `mirror-entry` or `mirror-listen`.
 */
export async function serveMirror(
  path: string,
  { host, port }: ListenAddress,
  onFault: (fault: MirrorFault) => void,
  signal: AbortSignal,
): Promise<ServedMirror> {
  await requireMirror(path)
  const files = new ServedFiles(path, onFault, signal)
  const limits = {
    headersTimeout: REQUEST,
    requestTimeout: REQUEST,
    connectionsCheckingInterval: 1000,
  }
  const server = createServer(limits, (request, response) => {
    answer(files, request, response).catch(() => response.destroy())
  })
  server.maxConnections = MOST_CONNECTIONS
  server.setTimeout(IDLE)
  server.listen(port, host)
  try {
    await once(server, 'listening', { signal })
  } catch (cause) {
    server.close()
    signal.throwIfAborted()
    throw cannotListen({ host, port }, cause)
  }
  server.on('error', () => undefined) // of one connection that could not be taken
  const ended = once(server, 'close').then(() => undefined)
  const end = (): void => {
    server.close()
    // Clients go on elsewhere, or later, where they stopped.
    server.closeAllConnections()
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return { address: addressOf(server.address() as AddressInfo), ended }
}

async function requireMirror(path: string): Promise<void> {
  const folder = openMirrorFolder(path)
  try {
    await requireList(folder)
  } finally {
    folder.close()
  }
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine has no such addresses',
  ENOTFOUND: 'there is no machine of that name',
  EAI_AGAIN: 'the name cannot be looked up now',
}

function cannotListen({ host, port }: ListenAddress, cause: unknown): unknown {
  const reason = REASONS[errorCode(cause) ?? ''] ?? systemReason(cause)
  if (reason === undefined) return cause
  const shown = host.includes(':') ? `[${host}]` : host
  return new FixpointError('mirror-listen', `Cannot serve at "${shown}:${port}": ${reason}`, {
    cause,
  })
}
