import { canonicalJson } from '../base/canonical.ts'
import { digestOf, isDigest, type Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { hasShape, isCount, type Shape } from '../base/shape.ts'
import type { IndexEntry } from '../store/rooms.ts'
import { unwrapRecord, wrapRecord } from './action-result.ts'
import { isSignedBy, type Signer, type SigningKey } from './keys.ts'

/** Bytes that a record's file may have; ours has under 1,000. */
export const LARGEST_RECORD = 64 << 10

/** Bytes that a shared artifact may have. */
const LARGEST_ARTIFACT = 64 * 2 ** 30

/** What a signer says that an action made. */
export interface ResultRecord {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly artifact: Digest
  /** Bytes of the artifact's tar. */
  readonly size: number
  /** Who built it: the name in the signer's key file. */
  readonly builder: string
  /** Name and version of the engine that built it. */
  readonly engine: string
  /** As in {@link IndexEntry}: what the next run may take. */
  readonly durationMs: number
  readonly cpuMs: number
  readonly peakMemory: number
}

/** Why a file is not the record that was asked for. */
export interface Refused {
  readonly refused: string
}

/**
 * Name of the file of a signer's record for an action; no signer: the record that nobody signed.
 * One a signer, so that none overwrites another's.
 */
export function recordName(key: Digest, signer: Signer | undefined): Digest {
  return digestOf(`record 1 of fixpoint\n${key}\n${signer?.id ?? ''}\n`)
}

/** What a finished action's record says. */
export function recordOf(entry: IndexEntry, builder: string, engine: string): ResultRecord {
  const { recipe, key, artifact, size, durationMs, cpuMs, peakMemory } = entry
  return {
    ...{ recipe, key, artifact, size, builder, engine },
    durationMs: Math.round(durationMs),
    cpuMs: Math.round(cpuMs),
    peakMemory: Math.round(peakMemory),
  }
}

/** The file of a record, signed by `signer` if there is one. */
export function formatRecord(record: ResultRecord, signer: SigningKey | undefined): Buffer {
  const signature = signer?.sign(statementOf(record))
  const text = canonicalJson({ ...record, signature })
  return wrapRecord(record.artifact, record.size, Buffer.from(text))
}

/**
 * The record in a file, which may hold anything: it must be of the action `key`, and signed by
 * `signer` if one is named.
 */
export function parseRecord(
  file: Uint8Array,
  key: Digest,
  signer: Signer | undefined,
): ResultRecord | Refused {
  if (file.length > LARGEST_RECORD) return { refused: 'larger than any record' }
  const bytes = unwrapRecord(file)
  const value = bytes === undefined ? undefined : parseJson(Buffer.from(bytes))
  if (!isSigned(value)) return { refused: 'no record of a result' }
  const { signature, ...record } = value
  if (signer !== undefined && !isSignedBy(signer, statementOf(record), signature ?? ''))
    return { refused: `not signed by ${signer.name}` }
  if (record.key !== key) return { refused: 'the record of another action' }
  return record
}

/** What is signed: everything that the record says. */
function statementOf(record: ResultRecord): string {
  return `record 1 of fixpoint\n${canonicalJson(record)}\n`
}

/** The value of canonical JSON. Undefined for other texts, such as one that has a member twice. */
function parseJson(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return Buffer.from(canonicalJson(value)).equals(bytes) ? value : undefined
  } catch {
    return undefined
  }
}

type Signed = ResultRecord & { readonly signature?: string }

const SHAPE: Shape<Signed> = {
  recipe: (value) => typeof value === 'string' && /^[a-z0-9._+-]+\/[a-z0-9._+-]+$/i.test(value),
  key: isDigestText,
  artifact: isDigestText,
  size: isCount(LARGEST_ARTIFACT),
  builder: isShortText,
  engine: isShortText,
  durationMs: isCount(),
  cpuMs: isCount(),
  peakMemory: isCount(),
  signature: (value) => value === undefined || isShortText(value),
}

function isSigned(value: unknown): value is Signed {
  return (
    hasShape<Signed>(value, SHAPE) && Object.keys(value).every((name) => Object.hasOwn(SHAPE, name))
  )
}

function isDigestText(value: unknown): boolean {
  return typeof value === 'string' && isDigest(value)
}

function isShortText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 128
}
