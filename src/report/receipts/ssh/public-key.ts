import { createHash, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import { BadBytes, Reader } from './wire.ts'

/** Bits that an RSA key has at least. */
export const SHORTEST_RSA = 2048

/** A key that checks signatures. */
export interface PublicKey {
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string
  /** Whether `signature`, as in the wire format, is one of `message` by this key. */
  readonly verifies: (message: Buffer, signature: Buffer) => boolean
}

/** The fingerprint of a key in the wire format. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/**
 * Reads a public key in the wire format: of Ed25519 (RFC 8709), also on a security token, ECDSA
 * (RFC 5656) or RSA (RFC 8332, never with SHA-1). Throws {@link BadBytes}.
 */
export function parsePublicKey(blob: Buffer): PublicKey {
  const reader = new Reader(blob)
  const type = reader.text()
  const verifies = verifierOf(type, reader)
  reader.end()
  return { fingerprint: fingerprintOf(blob), verifies }
}

function verifierOf(type: string, reader: Reader): PublicKey['verifies'] {
  switch (type) {
    case 'ssh-ed25519':
      return ed25519(reader.string())
    case 'sk-ssh-ed25519@openssh.com':
      return onToken(ed25519Key(reader.string()), reader.string())
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return ecdsa(type, reader.text(), reader.string())
    case 'ssh-rsa':
      return rsa(reader.positive(), reader.positive())
    default:
      throw new BadBytes(
        type.includes('-cert-')
          ? 'certificates are not supported'
          : `keys of type "${type}" are not supported`,
      )
  }
}

function ed25519(x: Buffer): PublicKey['verifies'] {
  const key = ed25519Key(x)
  return (message, signature) => {
    const bytes = only(signature, ['ssh-ed25519']).bytes
    return bytes.length === 64 && verify(null, message, key, bytes)
  }
}

function ed25519Key(x: Buffer): KeyObject {
  if (x.length !== 32) throw new BadBytes('a key of Ed25519 has 32 bytes')
  return keyOf({ kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') })
}

/** A token signs a digest, and says whether someone touched it: OpenSSH's PROTOCOL.u2f. */
function onToken(key: KeyObject, application: Buffer): PublicKey['verifies'] {
  const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest()
  return (message, signature) => {
    const reader = new Reader(signature)
    const isOfToken = reader.text() === 'sk-ssh-ed25519@openssh.com'
    const bytes = reader.string()
    const flagsAndCounter = reader.take(5)
    reader.end()
    const isTouched = ((flagsAndCounter[0] ?? 0) & 1) === 1
    const signed = Buffer.concat([sha256(application), flagsAndCounter, sha256(message)])
    return isOfToken && isTouched && bytes.length === 64 && verify(null, signed, key, bytes)
  }
}

const CURVES = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', crv: 'P-256', size: 32, hash: 'sha256' },
  'ecdsa-sha2-nistp384': { name: 'nistp384', crv: 'P-384', size: 48, hash: 'sha384' },
  'ecdsa-sha2-nistp521': { name: 'nistp521', crv: 'P-521', size: 66, hash: 'sha512' },
} as const

function ecdsa(type: keyof typeof CURVES, name: string, point: Buffer): PublicKey['verifies'] {
  const curve = CURVES[type]
  const { crv, size, hash } = curve
  if (name !== curve.name || point.length !== 1 + 2 * size || point[0] !== 4)
    throw new BadBytes('its point is not on the curve that it names')
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)]
  const key = keyOf({
    kty: 'EC',
    crv,
    x: x.toString('base64url'),
    y: y.toString('base64url'),
  })
  return (message, signature) => {
    const reader = new Reader(only(signature, [type]).bytes)
    const [r, s] = [reader.positive(), reader.positive()]
    reader.end()
    if (r.length > size || s.length > size) return false
    const padded = [r, s].map((part) => Buffer.concat([Buffer.alloc(size - part.length), part]))
    return verify(hash, message, { key, dsaEncoding: 'ieee-p1363' }, Buffer.concat(padded))
  }
}

function rsa(exponent: Buffer, modulus: Buffer): PublicKey['verifies'] {
  if (modulus.length * 8 < SHORTEST_RSA)
    throw new BadBytes(`an RSA key has at least ${SHORTEST_RSA} bits`)
  // Larger ones would only keep the reader busy.
  if (modulus.length > 2048 || exponent.length > 8) throw new BadBytes('its RSA key is too large')
  const key = keyOf({
    kty: 'RSA',
    e: exponent.toString('base64url'),
    n: modulus.toString('base64url'),
  })
  return (message, signature) => {
    const { type, bytes } = only(signature, ['rsa-sha2-256', 'rsa-sha2-512'])
    return verify(type === 'rsa-sha2-256' ? 'sha256' : 'sha512', message, key, bytes)
  }
}

/** A signature's type, one of `types`, and its bytes. */
function only(signature: Buffer, types: readonly string[]): { type: string; bytes: Buffer } {
  const reader = new Reader(signature)
  const type = reader.text()
  if (!types.includes(type)) throw new BadBytes(`it is of type "${type}", its key is of another`)
  const bytes = reader.string()
  reader.end()
  return { type, bytes }
}

function keyOf(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch (cause) {
    throw new BadBytes('its key is not one of its kind', { cause })
  }
}
