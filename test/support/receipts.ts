import { generateKeyPairSync, sign, createHash, type KeyObject } from 'node:crypto'
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

/** A new signer. */
export function toySigner(): ToySigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const x = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')
  const blob = Buffer.concat([stringOf('ssh-ed25519'), stringOf(x)])
  return {
    line: `ssh-ed25519 ${blob.toString('base64')}`,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    sign: (text, namespace = NAMESPACE) => armor(blob, privateKey, text, namespace),
  }
}

function armor(blob: Buffer, key: KeyObject, text: string, namespace: string): string {
  const hash = createHash('sha512').update(text).digest()
  const head = [stringOf(namespace), stringOf(''), stringOf('sha512')]
  const signature = sign(null, Buffer.concat([Buffer.from('SSHSIG'), ...head, stringOf(hash)]), key)
  const bytes = Buffer.concat([
    Buffer.from('SSHSIG\0\0\0\x01'),
    stringOf(blob),
    ...head,
    stringOf(Buffer.concat([stringOf('ssh-ed25519'), stringOf(signature)])),
  ])
  const lines = bytes.toString('base64').replace(/.{70}/g, '$&\n')
  return `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`
}
