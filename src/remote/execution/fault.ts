import { Code, ConnectError } from '@connectrpc/connect'
import { errorCode } from '../../base/files.ts'
import { tlsWords } from '../../fetch/tls-words.ts'

/**
 * What kind of failure a server had:
 * - `lost`: it does not answer, or the connection broke; trying again may help
 * - `absent`: it does not have a blob, or does not know an operation
 * - `refused`: it does not want this call, now or ever
 * - `broken`: it failed, or what it says cannot be
 */
export type FaultKind = 'lost' | 'absent' | 'refused' | 'broken'

/** A failure of a server or a worker, which is none of the action. Its message has the reason. */
export class RemoteFault extends Error {
  override readonly name = 'RemoteFault'
  readonly kind: FaultKind

  constructor(kind: FaultKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}

/** Statuses of gRPC by what they mean; any other says that the server is broken. */
const KINDS: readonly (readonly [kind: FaultKind, codes: readonly number[]])[] = [
  ['lost', [Code.Unavailable, Code.Aborted, Code.Canceled, Code.DeadlineExceeded]],
  ['absent', [Code.NotFound, Code.FailedPrecondition]],
  ['refused', [Code.Unauthenticated, Code.PermissionDenied, Code.ResourceExhausted]],
  ['refused', [Code.InvalidArgument, Code.Unimplemented]],
]

/** What a status of gRPC means, by its code. */
export function kindOfCode(code: number): FaultKind {
  return KINDS.find(([, codes]) => codes.includes(code))?.[0] ?? 'broken'
}

/** A failure of a call as a fault; anything else as it is. */
export function asFault(error: unknown, doing: string): unknown {
  if (error instanceof ConnectError) {
    const reason = `${doing}: ${wordsFor(error)}`
    // What the server says of itself comes in its trailers. All else is of the connection.
    const kind = error.metadata.has('grpc-status') ? kindOfCode(error.code) : 'lost'
    return new RemoteFault(kind, reason, error)
  }
  return error
}

/** What failed. A connection on which nobody speaks the protocol is named as such. */
function wordsFor({ rawMessage, code, cause }: ConnectError): string {
  if (errorCode(cause) === 'ERR_HTTP2_ERROR')
    return `the server does not speak HTTP/2, which gRPC needs (${rawMessage})`
  return tlsWords(cause) ?? `${rawMessage} (${Code[code].toLowerCase()})`
}
