import { BUG } from './codes/bug.ts'
import { BUILD_FAILED } from './codes/build-failed.ts'
import { DAMAGED } from './codes/damaged.ts'
import { FETCH } from './codes/fetch.ts'
import { HOST_UNFIT } from './codes/host-unfit.ts'
import { INTERRUPTED } from './codes/interrupted.ts'
import { METADATA } from './codes/metadata.ts'
import { NOT_REPRODUCIBLE } from './codes/not-reproducible.ts'
import { USAGE } from './codes/usage.ts'
import type { FailureKind } from './exit.ts'

/**
 * Every code of an error, by its kind: what it means, and what usually causes it. docs/errors.md is
 * printed from this table. A code is in one kind only, so it decides the exit status.
 */
export const CODES = {
  buildFailed: BUILD_FAILED,
  usage: USAGE,
  metadata: METADATA,
  fetch: FETCH,
  notReproducible: NOT_REPRODUCIBLE,
  hostUnfit: HOST_UNFIT,
  damaged: DAMAGED,
  bug: BUG,
  interrupted: INTERRUPTED,
} as const satisfies Record<FailureKind, Readonly<Record<string, string>>>

/** Code of an error: its stable name, for tests, tools and the page of errors. */
export type ErrorCode = { [Kind in FailureKind]: keyof (typeof CODES)[Kind] }[FailureKind]

/** Code of what is wrong in a file of the metadata, which is noted as one of several faults. */
export type MetadataCode = keyof typeof METADATA

const KINDS = new Map(
  Object.entries(CODES).flatMap(([kind, codes]) =>
    Object.keys(codes).map((code) => [code as ErrorCode, kind as FailureKind]),
  ),
)

/** Whether a code is of a fault in the metadata. */
export function isMetadataCode(code: ErrorCode): code is MetadataCode {
  return kindOf(code) === 'metadata'
}

/** A code with its kind, for text that may be one. */
export function kindOfKnown(
  text: string,
): { readonly code: ErrorCode; readonly kind: FailureKind } | undefined {
  const code = text as ErrorCode
  const kind = KINDS.get(code)
  return kind === undefined ? undefined : { code, kind }
}

/** The kind of failure that a code is of. */
export function kindOf(code: ErrorCode): FailureKind {
  // Every code is a key of the table.
  return KINDS.get(code) ?? 'bug'
}
