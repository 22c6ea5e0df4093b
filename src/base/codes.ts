import { BUILD_FAILED } from './codes/build-failed.ts'
import { FETCH } from './codes/fetch.ts'
import { HOST_UNFIT } from './codes/host-unfit.ts'
import { METADATA } from './codes/metadata.ts'
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
  notReproducible: {
    'builds-differ':
      'The second of two builds gave other bytes. A step uses something that is not an input, ' +
      'such as the time or the order of files.',
    differ: 'The two artifacts or files that were compared are not the same.',
    'receipts-contradict':
      'Receipts, or a receipt and the record of the image, name two artifacts for one action.',
    'rebuild-differs': 'The image was built again, and differs from the one that is installed.',
    'signers-differ':
      'Two signers say that an action gave different results. A step uses something that is not ' +
      'an input, or one of their machines or keys is in wrong hands.',
    'two-results':
      'An action ran again and gave another result than the store has recorded for it, or than a ' +
      'signer of a cache says. A step uses something that is not an input.',
  },
  hostUnfit: HOST_UNFIT,
  damaged: {
    'kit-beyond-repair':
      'Files of a kit cannot be repaired. The message names each. They are as before.',
    'kit-at-risk':
      'A kit has too few copies, on too few media or places, or was not checked for a year.',
    'kit-damaged': 'Files of a kit are damaged, missing or not listed. The list is above.',
    'kit-refused': 'A kit holds what no honest program writes, such as a path outside of it.',
    'mirror-damaged':
      'Files of a mirror folder are damaged, missing or not listed. They are above.',
  },
  bug: {
    'artifact-unknown': 'An action started before one of its inputs had an artifact.',
    'not-all-run': 'A rebuild left an action out, or took an artifact from elsewhere.',
    'not-built': 'A build ended without a failure, and yet its target was not built.',
    'unknown-node': 'A recipe is missing from the graph of the build.',
    'unloaded-recipe': 'A recipe is missing from the metadata, although their check passed.',
  },
  interrupted: {
    interrupted: 'Ctrl-C or a signal ended the command. The next run does the rest.',
    'write-interrupted':
      'Ctrl-C or a signal ended `write`. The message says what the disk holds. The next run ' +
      'begins again.',
  },
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
