import { createSecureContext } from 'node:tls'
import { FixpointError } from '../base/error.ts'
import type { Identity } from '../fetch/http.ts'
import { readSecret } from './secret-file.ts'

/**
 * Reads a PEM file with what caches know this client by: a certificate, which those of its
 * authorities may follow, and the key. Fails with `cache-certificate`.
 */
export async function readIdentity(path: string): Promise<Identity> {
  const text = await readSecret(path, 'cache-certificate')
  const fail = (reason: string, cause?: unknown): FixpointError =>
    new FixpointError('cache-certificate', `Cannot use certificate file "${path}": ${reason}`, {
      facts: { file: path },
      cause,
    })
  for (const kind of ['CERTIFICATE', 'PRIVATE KEY'])
    if (!text.includes(`${kind}-----`)) throw fail(`it has no "${kind}" in PEM`)
  try {
    createSecureContext({ cert: text, key: text })
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error), error)
  }
  return { cert: text, key: text }
}
