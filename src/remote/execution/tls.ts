import type { SecureClientSessionOptions } from 'node:http2'
import { readPublicPem, readSecret } from '../secret-file.ts'
import { requirePair } from '../identity.ts'
import type { RemoteSettings } from './settings.ts'

/**
 * How the server and this client are known to each other; nothing for a connection without TLS.
 * Fails with `remote-certificate`.
 */
export async function tlsOptions({
  address,
  ca,
  certificate,
  key,
}: RemoteSettings): Promise<SecureClientSessionOptions> {
  if (!address.startsWith('https:')) return {}
  const authority = ca === undefined ? {} : { ca: await readPublicPem(ca) }
  if (certificate === undefined || key === undefined) return authority
  const pair = {
    cert: await readPublicPem(certificate),
    key: await readSecret(key, CODE),
  }
  requirePair(pair, { code: CODE, certificate, key })
  return { ...authority, ...pair }
}

const CODE = 'remote-certificate'
