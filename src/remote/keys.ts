import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { basename } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { digestOf, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { readSecret } from './secret-file.ts'

/** Names of signers: they are printed, and part of a line of configuration. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Bytes of an Ed25519 public key. RFC 8032. */
const KEY_BYTES = 32

/** Who may vouch for results: what a line of `keys:` says. */
export interface Signer {
  readonly name: string
  /** Names the key in a cache: the digest of its bytes. */
  readonly id: Digest
  readonly key: KeyObject
}

/** Signs results as one of the signers. */
export interface SigningKey extends Signer {
  sign(statement: string): string
}

/** A signer as `NAME:BASE64`; undefined for a text of another form. */
export function parseSigner(text: string): Signer | undefined {
  const [, name = '', base64 = ''] = /^([^:]*):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? []
  const raw = Buffer.from(base64, 'base64')
  if (!NAME.test(name) || raw.length !== KEY_BYTES || raw.toString('base64') !== base64)
    return undefined
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }
  return { name, id: digestOf(raw), key: createPublicKey({ key: jwk, format: 'jwk' }) }
}

/** Whether `signature` (Base64) is that of the signer under the statement. */
export function isSignedBy({ key }: Signer, statement: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64')
  // One signature has one text: another one may not stand for the same record.
  return bytes.toString('base64') === signature && verify(null, Buffer.from(statement), key, bytes)
}

/**
 * Makes a key in a new file that only its owner may read: the signer's name, which the file is
 * called after, and the private key (PKCS #8, PEM). Resolves to the line for `keys:`. Fails with
 * `cache-key`.
 */
export async function makeKey(path: string): Promise<string> {
  const name = basename(path).replace(/\.key$/, '')
  if (!NAME.test(name))
    throw keyError(path, 'its name must be of letters, digits, ".", "_" and "-", at most 64')
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  try {
    await writeFile(path, `${HEAD}${name}\n${pem}`, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    throw keyError(path, error instanceof Error ? error.message : String(error), error)
  }
  return lineOf(name, createPublicKey(privateKey))
}

const HEAD = 'signing key of '

/** Reads the file of {@link makeKey}. Fails with `cache-key`. */
export async function readKey(path: string): Promise<SigningKey> {
  const text = await readSecret(path, 'cache-key')
  const [first = '', ...rest] = text.split('\n')
  const name = first.startsWith(HEAD) ? first.slice(HEAD.length) : ''
  const key = parsePrivate(rest.join('\n'))
  if (!NAME.test(name) || key?.asymmetricKeyType !== 'ed25519')
    throw keyError(path, 'it is no key of a signer')
  const signer = parseSigner(lineOf(name, createPublicKey(key)))
  if (signer === undefined) throw keyError(path, 'it is no key of a signer')
  return {
    ...signer,
    sign: (statement) => sign(null, Buffer.from(statement), key).toString('base64'),
  }
}

function parsePrivate(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function lineOf(name: string, key: KeyObject): string {
  const { x = '' } = key.export({ format: 'jwk' })
  return `${name}:${Buffer.from(x, 'base64url').toString('base64')}`
}

function keyError(path: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('cache-key', `Cannot use key file "${path}": ${reason}`, {
    facts: { file: path },
    cause,
  })
}
