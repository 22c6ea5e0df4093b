import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { digestOf, digestOfFile, type Digest } from '../../../src/base/digest.ts'
import type { Event } from '../../../src/base/events.ts'
import { createFetcher, type FetcherOptions } from '../../../src/fetch/fetcher.ts'
import type { FetchStore } from '../../../src/fetch/ports.ts'
import { Session } from '../../../src/store/local/session.ts'
import { LocalSources } from '../../../src/store/local/source-names.ts'
import { layOutStore } from '../../../src/store/local/layout.ts'
import type { FileSource } from '../../../src/metadata/model.ts'

/** Half a mebibyte that differs from byte to byte. */
export const CONTENT = Buffer.from(
  Array.from({ length: 1 << 19 }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
)
export const DIGEST = digestOf(CONTENT)
export const WRONG = Buffer.from('not what was asked for')

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A store in a folder, as fetching sees it. */
export interface FolderStore extends FetchStore {
  readonly folder: string
  read(digest: Digest): Promise<Buffer>
  /** Names of what lies in the folder of partial downloads. */
  partials(): Promise<string[]>
  partialPath(digest: Digest): string
}

/**
 * Everything a test of the fetch stage needs; made anew for each test, ended and removed after it.
 */
export class Rig {
  readonly folder: string
  readonly store: FolderStore
  readonly events: Event[] = []
  readonly waits: number[] = []
  readonly #servers: Server[] = []
  readonly #session: Session
  #now = 0

  private constructor(folder: string, session: Session) {
    this.folder = folder
    this.#session = session
    this.store = folderStore(session, join(folder, 'store'))
  }

  static async open(folder: string): Promise<Rig> {
    const store = join(folder, 'store')
    await layOutStore(store)
    return new Rig(folder, new Session(store))
  }

  /** Starts a server on the loopback; resolves to its base address and the requests that it got. */
  async serve(
    handler: Handler,
  ): Promise<{ address: string; requests: IncomingMessage[]; end: () => Promise<void> }> {
    const requests: IncomingMessage[] = []
    const server = createServer((request, response) => {
      requests.push(request)
      handler(request, response)
    })
    server.listen(0, '127.0.0.1')
    this.#servers.push(server)
    await once(server, 'listening')
    return {
      address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
      requests,
      end: () => endServer(server),
    }
  }

  /**
   * A fetcher whose clock ticks a second at each look, and whose waits between attempts take no
   * time. Asks nothing of the host.
   */
  fetcher(options: Partial<FetcherOptions> = {}): ReturnType<typeof createFetcher> {
    const refuse = (): Promise<never> => Promise.reject(new Error('the test asked the host'))
    return createFetcher({
      store: this.store,
      emit: (event) => this.events.push(event),
      now: () => (this.#now += 1000),
      host: { aptBases: refuse, npmRegistry: refuse },
      sleep: (ms) => {
        this.waits.push(ms)
        return Promise.resolve()
      },
      ...options,
    })
  }

  eventTypes(): string[] {
    return this.events.map(({ type }) => type)
  }

  /** Writes a file below the test's folder and resolves to its path. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    return path
  }

  async end(): Promise<void> {
    await Promise.all(this.#servers.map(endServer))
    await this.#session.close()
    await rm(this.folder, { recursive: true })
  }
}

/** A fresh rig for each test of a file. */
export function useRig(): () => Rig {
  let rig: Rig
  beforeEach(async () => {
    rig = await Rig.open(await mkdtemp(join(tmpdir(), 'fixpoint-fetch-')))
  })
  afterEach(() => rig.end())
  return () => rig
}

export function source(from: readonly string[], change: Partial<FileSource> = {}): FileSource {
  return { kind: 'file', name: 'f.tar', sha256: DIGEST, from, to: '.', ...change }
}

/** Answers with the whole content. */
export function whole(content: Buffer = CONTENT, headers: Record<string, string> = {}): Handler {
  return (_, response) => {
    response.writeHead(200, { 'Content-Length': content.length, ...headers })
    response.end(content)
  }
}

/** Answers with a status and no file. */
export function status(code: number, headers: Record<string, string> = {}): Handler {
  return (_, response) => {
    response.writeHead(code, headers)
    response.end('sorry')
  }
}

/** Says that the whole content comes, and cuts the connection after `bytes`. */
export function cut(bytes: number, headers: Record<string, string> = {}): Handler {
  return (_, response) => {
    response.writeHead(200, { 'Content-Length': CONTENT.length, ...headers })
    response.write(CONTENT.subarray(0, bytes), () => response.destroy())
  }
}

/** A proper server of one file: honours Range and If-Range. */
export function ranged(content: Buffer, etag: string): Handler {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 'NaN')
    const condition = request.headers['if-range']
    if (Number.isNaN(start) || (condition !== undefined && condition !== etag)) {
      whole(content, { ETag: etag })(request, response)
    } else if (start >= content.length) {
      status(416, { 'Content-Range': `bytes */${String(content.length)}` })(request, response)
    } else {
      response.writeHead(206, {
        'Content-Length': content.length - start,
        'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}`,
        ETag: etag,
      })
      response.end(content.subarray(start))
    }
  }
}

/** The first handler for the first request, and so on; the last for all that follow. */
export function inTurn(...handlers: readonly Handler[]): Handler {
  let next = 0
  return (request, response) => {
    const handler = handlers[Math.min(next++, handlers.length - 1)]
    handler?.(request, response)
  }
}

function endServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}

function folderStore(session: Session, folder: string): FolderStore {
  const blob = (digest: Digest): string => join(folder, 'blobs', digest)
  const partialPath = (digest: Digest): string => join(folder, 'partial', digest)
  const sources = new LocalSources(folder, session)
  return {
    folder,
    partialPath,
    blobs: {
      has: (digest) => existsSync(blob(digest)),
      async commit(path, digest) {
        // The real store believes a fetcher, so a fetcher that is wrong must fail here.
        if ((await digestOfFile(path)) !== digest) throw new Error('committed a wrong file')
        await mkdir(join(folder, 'blobs'), { recursive: true })
        await rename(path, blob(digest))
      },
    },
    sources,
    read: (digest) => readFile(blob(digest)),
    partials: () => namesIn(join(folder, 'partial')),
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}
