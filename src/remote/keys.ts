import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { digestOf, type Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode, explainDiskFull } from '../base/files.ts'
import { systemReason } from '../base/system-error.ts'
import { readSecret, unusable } from './secret-file.ts'

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
 * `cache-key` or `disk-full`.
 */
export async function makeKey(path: string): Promise<string> {
  const name = basename(path).replace(/\.key$/, '')
  if (!NAME.test(name))
    throw notMade(path, 'its name must be of letters, digits, ".", "_" and "-", at most 64')
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await writeNew(path, `${HEAD}${name}\n${pem}`)
  return lineOf(name, createPublicKey(privateKey))
}

/** Why a new file cannot be opened, in plainer words than the system's. */
const NOT_OPENED: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  EEXIST: 'something is there already',
}

/** Writes a new file, whole or not at all. Fails with `cache-key` or `disk-full`. */
async function writeNew(path: string, text: string): Promise<void> {
  let file: FileHandle
  try {
    file = await open(path, 'wx', 0o600)
  } catch (error) {
    throw asKeyError(path, error, NOT_OPENED[errorCode(error) ?? ''])
  }
  try {
    await file.writeFile(text)
    await file.sync()
  } catch (error) {
    await rm(path, { force: true })
    throw asKeyError(path, error)
  } finally {
    await file.close()
  }
}

function asKeyError(path: string, error: unknown, reason = systemReason(error)): unknown {
  return reason === undefined ? explainDiskFull(error, dirname(path)) : notMade(path, reason, error)
}

function notMade(path: string, reason: string, cause?: unknown): FixpointError {
  return new FixpointError('cache-key', `Cannot make key file "${path}": ${reason}`, { cause })
}

const HEAD = 'signing key of '

/** Reads the file of {@link makeKey}. Fails with `cache-key`. */
export async function readKey(path: string): Promise<SigningKey> {
  const text = await readSecret(path, 'cache-key')
  const [first = '', ...rest] = text.split('\n')
  const name = first.startsWith(HEAD) ? first.slice(HEAD.length) : ''
  const key = parsePrivate(rest.join('\n'))
  if (!NAME.test(name) || key?.asymmetricKeyType !== 'ed25519') throw notKey(path)
  const signer = parseSigner(lineOf(name, createPublicKey(key)))
  if (signer === undefined) throw notKey(path)
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

function notKey(path: string): FixpointError {
  return unusable({ code: 'cache-key', what: 'key', path }, 'it is no key of a signer')
}
