import { createHash } from 'node:crypto'
import { parsePublicKey } from './public-key.ts'
import { BadBytes, fromBase64, Reader, stringOf } from './wire.ts'

const MAGIC = 'SSHSIG'
const [BEGIN, END] = ['-----BEGIN SSH SIGNATURE-----', '-----END SSH SIGNATURE-----']
const HASHES = ['sha256', 'sha512'] as const

/** A signature that fits its file. */
export interface Signature {
  /** Fingerprint of the key that made it. */
  readonly key: string
}

/**
 * Checks a signature file, as `ssh-keygen -Y sign` writes it: whether its key signed `data`, the
 * bytes of a file, for `namespace`. Whose key that is, it does not say. Throws {@link BadBytes}.
 * The format is that of OpenSSH's PROTOCOL.sshsig.
 */
export function checkSignature(armored: string, data: Buffer, namespace: string): Signature {
  const lines = armored.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const [begin, end] = [lines.shift(), lines.pop()]
  if (begin !== BEGIN || end !== END) throw new BadBytes('it is no signature of ssh-keygen')
  const reader = new Reader(fromBase64(lines.join('')))
  if (reader.take(MAGIC.length).toString('latin1') !== MAGIC || reader.uint32() !== 1)
    throw new BadBytes('it is no signature of version 1')
  const key = parsePublicKey(reader.string())
  const signedFor = reader.text()
  const reserved = reader.string()
  const hashName = reader.text()
  const signature = reader.string()
  reader.end()
  if (signedFor !== namespace)
    throw new BadBytes(`${key.fingerprint} signed it for "${signedFor}", not for "${namespace}"`)
  const hash = HASHES.find((known) => known === hashName)
  if (hash === undefined) throw new BadBytes('it names an unknown digest')
  const message = Buffer.concat([
    Buffer.from(MAGIC),
    stringOf(namespace),
    stringOf(reserved),
    stringOf(hash),
    stringOf(createHash(hash).update(data).digest()),
  ])
  if (!key.verifies(message, signature))
    throw new BadBytes(`${key.fingerprint} did not sign these bytes`)
  return { key: key.fingerprint }
}
