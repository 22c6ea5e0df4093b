import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import type { Digest } from '../../src/base/digest.ts'
import { blobPath } from '../../src/store/local/layout.ts'

/** What stands for Debian's archive, on the loopback. */
export interface Archive {
  readonly address: string
  readonly end: () => Promise<void>
}

/** Serves the sources of a store by the names of their files, in whichever folder. */
export async function archiveOf(store: string): Promise<Archive> {
  const server = createServer((request, response) => {
    const digest = sourceIn(store, decodeURIComponent(basename(request.url ?? '')))
    if (digest === undefined) response.writeHead(404).end()
    else response.end(readFileSync(blobPath(store, digest)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${String(port)}`,
    end: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Digest of the source that a store holds under a name. */
export function sourceIn(store: string, name: string): Digest | undefined {
  const names = join(store, 'names')
  if (!existsSync(names)) return undefined
  const found = readdirSync(names).find((digest) =>
    existsSync(join(names, digest, encodeURIComponent(name))),
  )
  return found as Digest | undefined
}
