import {
  Code,
  ConnectError,
  createClient,
  type Client,
  type Interceptor,
} from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { readToken } from '../secret-file.ts'
import { attempts } from './attempts.ts'
import { asFault, RemoteFault } from './fault.ts'
import { BATCH, type RemoteLimits } from './limits.ts'
import {
  Capabilities,
  ContentAddressableStorage,
  Execution,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts'
import { ByteStream } from './messages/google/bytestream/bytestream_pb.ts'
import { Operations } from './messages/google/longrunning/operations_pb.ts'
import { Sessions } from './sessions.ts'
import type { RemoteSettings } from './settings.ts'
import { tlsOptions } from './tls.ts'

/** The number that the protocol has for SHA-256. */
const SHA256 = 1

/** An open connection to a server. */
export interface Connection {
  readonly instance: string
  /** A name that no other engine's connection has. */
  readonly unique: string
  readonly limits: RemoteLimits
  readonly storage: Client<typeof ContentAddressableStorage>
  readonly stream: Client<typeof ByteStream>
  readonly execution: Client<typeof Execution>
  readonly operations: Client<typeof Operations>
  /** Bytes of blobs that the server takes in one call. */
  batchBytes: number
  /** Asks what the server can do. Fails with a {@link RemoteFault}. */
  examine(signal: AbortSignal): Promise<void>
  close(): void
}

/**
 * Opens a connection; asks nothing yet. No other engine's has the name `unique`. Fails with
 * `remote-certificate` or `remote-token` for files that cannot be used.
 */
export async function connect(
  settings: RemoteSettings,
  limits: RemoteLimits,
  unique: string,
): Promise<Connection> {
  const { address, instance, token } = settings
  const session = new Sessions(
    address,
    { pingIntervalMs: limits.pingMs, pingTimeoutMs: limits.pongMs },
    await tlsOptions(settings),
  )
  const transport = createGrpcTransport({
    baseUrl: address,
    sessionManager: session,
    interceptors: token === undefined ? [] : [await authorization(token)],
    acceptCompression: [],
    readMaxBytes: 16 << 20,
  })
  const capabilities = createClient(Capabilities, transport)
  const connection: Connection = {
    instance,
    unique,
    limits,
    storage: createClient(ContentAddressableStorage, transport),
    stream: createClient(ByteStream, transport),
    execution: createClient(Execution, transport),
    operations: createClient(Operations, transport),
    batchBytes: BATCH,
    examine: async (signal) => {
      const timeoutMs = limits.callMs
      const said = await attempts(limits, signal, () =>
        capabilities
          .getCapabilities({ instanceName: instance }, { signal, timeoutMs })
          .catch((error: unknown) => {
            throw asFault(error, 'it does not say what it can do')
          }),
      )
      const { cacheCapabilities: cache, executionCapabilities: execution } = said
      if (execution?.execEnabled !== true)
        throw new RemoteFault('refused', 'it runs no actions, it only keeps results')
      const functions = [execution.digestFunction, ...execution.digestFunctions]
      if (!functions.includes(SHA256) || cache?.digestFunctions.includes(SHA256) !== true)
        throw new RemoteFault('refused', 'it does not name blobs by SHA-256')
      const most = Number(cache.maxBatchTotalSizeBytes)
      if (most > 0) connection.batchBytes = Math.min(BATCH, most)
    },
    close: () => {
      session.abort()
    },
  }
  return connection
}

/**
 * Sends the token of a file with each call. A token that expires is replaced in the file: it is
 * read once more when the server does not accept it.
 */
async function authorization(file: string): Promise<Interceptor> {
  let token = await readToken(file, 'remote-token')
  return (next) => async (request) => {
    request.header.set('Authorization', `Bearer ${token}`)
    try {
      return await next(request)
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error
      const now = await readToken(file, 'remote-token')
      if (request.stream || now === token) throw error
      token = now
      request.header.set('Authorization', `Bearer ${token}`)
      return await next(request)
    }
  }
}
