/** What the configuration says of a server that runs actions. */
export interface RemoteSettings {
  /** `https://HOST:PORT`, or `http://HOST:PORT` for a connection without TLS. */
  readonly address: string
  /** Name of the server's instance; some servers refuse an empty one. */
  readonly instance: string
  /** Actions that it is given at a time. */
  readonly jobs: number
  /** What a worker must be, as the server's own words. */
  readonly platform: Readonly<Record<string, string>>
  /** Files: the authority that vouches for the server, in PEM. Undefined: those of Node. */
  readonly ca: string | undefined
  /** Files: what vouches for this client, in PEM. */
  readonly certificate: string | undefined
  readonly key: string | undefined
  /** File with a bearer token. RFC 6750. */
  readonly token: string | undefined
  /** Folder with `node`, `bwrap` and `busybox` for workers; undefined: those of the store. */
  readonly runner: string | undefined
}
