import { createSecureContext } from 'node:tls'
import { errorCode } from '../base/files.ts'
import type { Identity } from '../fetch/http.ts'
import { readSecret, unusable } from './secret-file.ts'

/**
 * Reads a PEM file with what caches know this client by: a certificate, which those of its
 * authorities may follow, and the key. Fails with `cache-certificate`.
 */
export async function readIdentity(path: string): Promise<Identity> {
  const text = await readSecret(path, 'cache-certificate')
  const identity = { cert: text, key: text }
  requirePair(identity, { code: 'cache-certificate', certificate: path, key: path })
  return identity
}

/** Where a certificate and its key come from. */
interface PairFiles {
  readonly code: 'cache-certificate' | 'remote-certificate'
  readonly certificate: string
  /** The same file where it holds both. */
  readonly key: string
}

/** Fails with `code` unless these are a certificate and its key. */
export function requirePair(
  { cert, key }: Identity,
  { code, certificate, key: keyFile }: PairFiles,
): void {
  const ofCertificate = { code, what: 'certificate', path: certificate }
  const ofKey = keyFile === certificate ? ofCertificate : { code, what: 'key', path: keyFile }
  if (!cert.includes('CERTIFICATE-----'))
    throw unusable(ofCertificate, 'it has no "CERTIFICATE" in PEM')
  if (!key.includes('PRIVATE KEY-----')) throw unusable(ofKey, 'it has no "PRIVATE KEY" in PEM')
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    if (errorCode(error) !== 'ERR_OSSL_X509_KEY_VALUES_MISMATCH')
      throw unusable(ofKey, error instanceof Error ? error.message : String(error), error)
    const reason =
      keyFile === certificate
        ? 'its key is that of another certificate'
        : `it is the key of another certificate than "${certificate}"`
    throw unusable(ofKey, reason, error)
  }
}
