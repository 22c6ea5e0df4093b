import { FixpointError } from '../../../base/error.ts'
import { parsePublicKey } from './public-key.ts'
import { parseTime } from './time.ts'
import { BadBytes, fromBase64 } from './wire.ts'

/** A line of a file of allowed signers. Times are seconds since 1970. */
export interface Signer {
  /** The names that the file gives the key. */
  readonly names: string
  /** Fingerprint. */
  readonly key: string
  /** Patterns, any of which a signature's namespace must match; undefined: all. */
  readonly namespaces: readonly string[] | undefined
  readonly validAfter: number | undefined
  readonly validBefore: number | undefined
}

/** Why a key's signature does not count. */
export type Refusal = 'unknown-signer' | 'other-namespace' | 'not-yet-valid' | 'expired'

/**
 * Reads a file of allowed signers, as ssh-keygen(1) describes it under ALLOWED SIGNERS. Fails with
 * `signers-unusable`, naming file and line, for anything that it does not know, and for
 * `cert-authority`: a line that is passed over might have been a restriction.
 */
export function parseSigners(text: string, file: string): Signer[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    try {
      return [parseLine(trimmed)]
    } catch (cause) {
      if (!(cause instanceof BadBytes)) throw cause
      throw new FixpointError(
        'signers-unusable',
        `Cannot use line ${index + 1} of "${file}": ${cause.message}`,
        { cause },
      )
    }
  })
}

/**
 * Who signed: the names of a key that is allowed to sign for `namespace` at the time `at`, or why
 * it is not.
 */
export function findSigner(
  signers: readonly Signer[],
  key: string,
  namespace: string,
  at: number,
): { readonly names: string } | { readonly refusal: Refusal; readonly names?: string } {
  const own = signers.filter((signer) => signer.key === key)
  const judged = own.map((signer) => ({ ...signer, refusal: refusalOf(signer, namespace, at) }))
  const allowed = judged.filter(({ refusal }) => refusal === undefined)
  // One key is one signer, whatever names it has.
  if (allowed.length > 0) return { names: [...new Set(allowed.map(({ names }) => names))].join() }
  const [{ names, refusal } = {}] = judged
  return names === undefined || refusal === undefined
    ? { refusal: 'unknown-signer' }
    : { names, refusal }
}

function refusalOf(signer: Signer, namespace: string, at: number): Refusal | undefined {
  const { namespaces, validAfter, validBefore } = signer
  if (namespaces !== undefined && !matchesList(namespaces, namespace)) return 'other-namespace'
  if (validAfter !== undefined && at < validAfter) return 'not-yet-valid'
  if (validBefore !== undefined && at > validBefore) return 'expired'
  return undefined
}

/** `principals [options] keytype base64-key [comment]` */
function parseLine(line: string): Signer {
  const [principals = '', first = '', ...rest] = wordsOf(line)
  const names = principals.replaceAll('"', '')
  if (names === '') throw new BadBytes('it names nobody')
  const hasOptions = !isKeyType(first)
  const options = hasOptions ? optionsOf(first) : {}
  const [type = '', base64 = ''] = hasOptions ? rest : [first, ...rest]
  if (!isKeyType(type)) throw new BadBytes('it has no public key')
  const blob = fromBase64(base64)
  const key = parsePublicKey(blob)
  if (blob.subarray(4, 4 + type.length).toString('latin1') !== type)
    throw new BadBytes(`its key is not of type "${type}"`)
  return { names, key: key.fingerprint, ...limitsOf(options) }
}

function isKeyType(word: string): boolean {
  return /^(ssh-|sk-|ecdsa-)[\w@.-]+$/.test(word)
}

/** Words of a line; blanks in quotes do not end one. */
function wordsOf(line: string): string[] {
  return line.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
}

function optionsOf(word: string): Record<string, string> {
  const options: Record<string, string> = {}
  for (const option of word.match(/(?:[^,"]|"[^"]*"?)+/g) ?? []) {
    const [, name = '', value = ''] = /^([a-z-]+)(?:="?([^"]*)"?)?$/i.exec(option) ?? []
    const lower = name.toLowerCase()
    if (lower === 'cert-authority')
      throw new BadBytes('"cert-authority" is not supported: list the keys themselves')
    if (!['namespaces', 'valid-after', 'valid-before'].includes(lower))
      throw new BadBytes(`"${option}" is no option that is known`)
    if (value === '' || lower in options) throw new BadBytes(`"${lower}" needs one value`)
    options[lower] = value
  }
  return options
}

function limitsOf(options: Readonly<Record<string, string>>): Omit<Signer, 'names' | 'key'> {
  return {
    namespaces: options['namespaces']?.split(','),
    validAfter: timeOf(options['valid-after']),
    validBefore: timeOf(options['valid-before']),
  }
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = parseTime(text)
  if (time === undefined) throw new BadBytes(`"${text}" is no time`)
  return time
}

/** A pattern list of ssh_config(5): one that begins with `!` excludes. */
function matchesList(patterns: readonly string[], text: string): boolean {
  const has = (pattern: string): boolean => {
    const expression = pattern.replace(/[^*?]/g, escaped).replace(/\*+/g, '.*').replaceAll('?', '.')
    return new RegExp(`^${expression}$`, 's').test(text)
  }
  const excluded = patterns.some((pattern) => pattern.startsWith('!') && has(pattern.slice(1)))
  return !excluded && patterns.some((pattern) => !pattern.startsWith('!') && has(pattern))
}

function escaped(character: string): string {
  return /[\w-]/.test(character) ? character : `\\${character}`
}
