import { FixpointError } from '../../base/error.ts'
import { errorCode } from '../../base/files.ts'
import { NAMESPACE } from './read.ts'
import { SHORTEST_RSA } from './ssh/public-key.ts'

/** A key that receipts are signed with, and its fingerprint. */
export interface SigningKey {
  readonly file: string
  readonly fingerprint: string
}

/**
 * Looks at a key file of OpenSSH: a private key, or a public one whose private half an agent has.
 * Before the build: nobody wants to hear after hours that it is missing, or of a kind that no
 * reader of receipts accepts. Fails with `signing-key-unusable` or `no-ssh-keygen`.
 */
export async function openSigningKey(file: string): Promise<SigningKey> {
  const { stdout, reason } = await sshKeygen(['-l', '-E', 'sha256', '-f', file])
  // What follows is a comment, which often names a person and a machine.
  const [, bits = '', fingerprint, kind = ''] =
    /^(\d+) (SHA256:[A-Za-z0-9+/]{43}) .*\(([A-Z0-9-]+)\)$/m.exec(stdout) ?? []
  const fault =
    reason ??
    (fingerprint === undefined ? 'it is no key of OpenSSH' : faultOfKind(kind, Number(bits)))
  if (fault === undefined && fingerprint !== undefined) return { file, fingerprint }
  throw new FixpointError('signing-key-unusable', `Cannot sign with "${file}": ${fault ?? ''}`)
}

/** Kinds of keys, as `ssh-keygen -l` names them, that readers of receipts know. */
const KINDS = ['ED25519', 'ED25519-SK', 'ECDSA', 'RSA']

/** Why readers refuse a key of this kind; undefined if they do not. */
function faultOfKind(kind: string, bits: number): string | undefined {
  if (!KINDS.includes(kind)) return `keys of type "${kind}" are not supported`
  if (kind === 'RSA' && bits < SHORTEST_RSA) return `an RSA key has at least ${SHORTEST_RSA} bits`
  return undefined
}

/**
 * The signature of a text, which is in `signed`, as a file. ssh-keygen asks for a passphrase, if it
 * needs one. Fails with `signing-failed`.
 */
export async function sign({ file }: SigningKey, text: string, signed: string): Promise<string> {
  const { stdout, reason } = await sshKeygen(['-Y', 'sign', '-n', NAMESPACE, '-f', file], text)
  if (reason === undefined) return stdout
  throw new FixpointError('signing-failed', `Cannot sign with "${file}": ${reason}`, {
    facts: { file: signed },
  })
}

async function sshKeygen(
  args: readonly string[],
  input = '',
): Promise<{ stdout: string; reason: string | undefined }> {
  const { execa } = await import('execa')
  const { stdout, stderr, failed, cause } = await execa('ssh-keygen', args, {
    input,
    reject: false,
    stripFinalNewline: false,
  })
  if (errorCode(cause) === 'ENOENT')
    throw new FixpointError('no-ssh-keygen', 'Cannot sign: ssh-keygen is not installed', { cause })
  const said = stderr.trim().split('\n').at(-1) ?? ''
  return { stdout, reason: failed ? said || 'ssh-keygen failed' : undefined }
}
