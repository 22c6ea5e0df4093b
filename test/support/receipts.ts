import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { keyOf, type ActionDocument, type InputRef } from '../../src/plan/action-document.ts'
import { digestOf, type Digest } from '../../src/base/digest.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { NAMESPACE } from '../../src/report/receipts/read.ts'
import type { Machine, Receipt } from '../../src/report/receipts/receipt.ts'
import { stringOf } from '../../src/report/receipts/ssh/wire.ts'

/** A machine as a receipt states it. */
export const DEBIAN: Machine = {
  distribution: 'debian 12',
  kernel: '6.1',
  processor: 'GenuineIntel family 6 model 143',
}

/** An action document that takes `inputs`. */
export function document(
  recipe: string,
  inputs: readonly InputRef[] = [],
  host = false,
): ActionDocument {
  return {
    keyVersion: 2,
    arch: 'x86_64',
    host,
    image: false,
    env: { LANG: 'C' },
    steps: [{ name: 'build', script: `make ${recipe}` }],
    sources: [{ name: `${recipe}.tar.xz`, digest: digestOf(`source of ${recipe}`), to: '.' }],
    patches: [],
    files: [],
    inputs,
    contents: [],
  }
}

/** A receipt of a recipe's action. */
export function receiptOf(
  recipe: string,
  {
    inputs = [],
    host = false,
    artifact = `artifact of ${recipe}`,
    ...rest
  }: Partial<Omit<Receipt, 'artifact'>> & {
    inputs?: readonly InputRef[]
    host?: boolean
    artifact?: string
  } = {},
): Receipt {
  const action = document(recipe, inputs, host)
  return {
    recipe: recipe as RecipeId,
    key: keyOf(action),
    artifact: digestOf(artifact),
    document: action,
    machine: DEBIAN,
    builder: undefined,
    version: { fixpoint: '0.1.0', node: '20.19.2' },
    ...rest,
  }
}

/** An artifact that {@link receiptOf} names by default. */
export function artifactOf(recipe: string): Digest {
  return digestOf(`artifact of ${recipe}`)
}

/** A signer of Ed25519, as OpenSSH has it. */
export interface ToySigner {
  /** Type and key, as in a .pub file. */
  readonly line: string
  readonly fingerprint: string
  /** A signature file. */
  readonly sign: (text: string, namespace?: string) => string
}

const TOKEN = 'sk-ssh-ed25519@openssh.com'

/** A new signer; `flags` are those of a security token, of which 1 says that someone touched it. */
export function toySigner(flags?: number): ToySigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const x = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')
  const type = flags === undefined ? 'ssh-ed25519' : TOKEN
  const application = flags === undefined ? [] : [stringOf('ssh:')]
  const blob = Buffer.concat([stringOf(type), stringOf(x), ...application])
  const signed = (message: Buffer): Buffer => {
    if (flags === undefined) return sshSignature(type, sign(null, message, privateKey))
    const state = Buffer.from([flags, 0, 0, 0, 7])
    const data = Buffer.concat([sha256('ssh:'), state, sha256(message)])
    return Buffer.concat([sshSignature(type, sign(null, data, privateKey)), state])
  }
  return {
    line: `${type} ${blob.toString('base64')}`,
    fingerprint: `SHA256:${sha256(blob).toString('base64').replace(/=+$/, '')}`,
    sign: (text, namespace = NAMESPACE) => armor(blob, signed, text, namespace),
  }
}

function sha256(data: Buffer | string): Buffer {
  return createHash('sha256').update(data).digest()
}

function sshSignature(type: string, bytes: Buffer): Buffer {
  return Buffer.concat([stringOf(type), stringOf(bytes)])
}

function armor(
  blob: Buffer,
  signed: (message: Buffer) => Buffer,
  text: string,
  namespace: string,
): string {
  const hash = createHash('sha512').update(text).digest()
  const head = [stringOf(namespace), stringOf(''), stringOf('sha512')]
  const message = Buffer.concat([Buffer.from('SSHSIG'), ...head, stringOf(hash)])
  const bytes = Buffer.concat([
    Buffer.from('SSHSIG\0\0\0\x01'),
    stringOf(blob),
    ...head,
    stringOf(signed(message)),
  ])
  const lines = bytes.toString('base64').replace(/.{70}/g, '$&\n')
  return `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`
}
