import type { ClientHttp2Stream, Http2Session } from 'node:http2'
import { Http2SessionManager } from '@connectrpc/connect-node'

/**
 * The sessions of a connection. A session that fails ends its streams first and reports its error
 * a turn later. The manager no longer listens then if it was ended meanwhile, as by the end of a
 * build, and an error that nobody listens to ends the whole process.
 */
export class Sessions extends Http2SessionManager {
  readonly #known = new WeakSet<Http2Session>()

  override async request(
    ...request: Parameters<Http2SessionManager['request']>
  ): Promise<ClientHttp2Stream> {
    const stream = await super.request(...request)
    const { session } = stream
    if (session !== undefined && !this.#known.has(session)) {
      this.#known.add(session)
      session.on('error', () => undefined)
    }
    return stream
  }
}
