import { z } from 'zod'
import { canonicalJson, digestOfValue } from '../../base/canonical.ts'
import type { Digest } from '../../base/digest.ts'
import { digestSchema } from '../../base/digest-schema.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { ActionDocument } from '../../plan/action-document.ts'
import { actionSchema, dependenciesOf } from './action.ts'

/**
 * What a machine is, as far as that may explain other bytes. None of it names a machine, a person
 * or a place.
 */
export interface Machine {
  /** `ID VERSION_ID` of os-release, or of an image `fixpoint` and the beginning of its root's id. */
  readonly distribution: string
  /** Version of the kernel, without what its builder added. */
  readonly kernel: string
  /** Vendor, family and model, as numbers say them: a name may be anyone's words. */
  readonly processor: string
}

/** What a machine says that it made: from this action came this artifact. */
export interface Receipt {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly artifact: Digest
  readonly document: ActionDocument
  readonly machine: Machine
  /** Fingerprint of the key that it is to be signed with; undefined: nobody's. */
  readonly builder: string | undefined
  /** Versions of the engine and of what it runs on. */
  readonly version: Readonly<Record<string, string>>
}

const STATEMENT = 'https://in-toto.io/Statement/v1'
const PREDICATE = 'https://slsa.dev/provenance/v1'
const BUILD_TYPE = 'fixpoint:action/v1'
const BUILDER = 'fixpoint:builder/'
const NOBODY = 'unsigned'

/** Something that is no receipt, and why. The reason may quote the line, which may be long. */
export class NoReceipt extends Error {
  constructor(reason: string) {
    super(reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason)
  }
}

const LONGEST_REASON = 300

/**
 * A receipt as one line of text, without its newline: an in-toto Statement v1 with SLSA provenance
 * v1, as canonical JSON. It holds no time: SLSA asks for none, nobody could check one, and the same
 * build gives the same line.
 */
export function receiptLine(receipt: Receipt): string {
  const { recipe, key, artifact, document, machine, builder, version } = receipt
  return canonicalJson({
    _type: STATEMENT,
    subject: [{ name: recipe, digest: { sha256: artifact } }],
    predicateType: PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        // The document itself, so that anyone can compute the key.
        externalParameters: { recipe, key, action: document },
        internalParameters: { machine },
        resolvedDependencies: dependenciesOf(document),
      },
      runDetails: { builder: { id: `${BUILDER}${builder ?? NOBODY}`, version } },
    },
  })
}

/** Words that go into a table: short, and plain. */
const word = z.string().regex(/^[\w .:/+~()-]{1,80}$/)

const statementSchema = z.object({
  _type: z.literal(STATEMENT),
  subject: z
    .array(z.object({ name: z.string(), digest: z.object({ sha256: digestSchema }) }))
    .length(1),
  predicateType: z.literal(PREDICATE),
  predicate: z.object({
    buildDefinition: z.object({
      buildType: z.literal(BUILD_TYPE),
      externalParameters: z.strictObject({
        recipe: z.custom<RecipeId>(
          (value) => typeof value === 'string' && /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(value),
        ),
        key: digestSchema,
        action: actionSchema,
      }),
      internalParameters: z.object({
        machine: z.object({ distribution: word, kernel: word, processor: word }),
      }),
    }),
    runDetails: z.object({
      builder: z.object({
        id: z.string().regex(/^fixpoint:builder\/(unsigned|SHA256:[A-Za-z0-9+/]{43})$/),
        version: z.record(z.string().max(40), word),
      }),
    }),
  }),
})

/**
 * Reads a line of {@link receiptLine}. It must be the very line that its receipt has: what it
 * states twice agrees then, and no reader can take it for another. Throws {@link NoReceipt}.
 */
export function parseReceipt(line: string): Receipt {
  const { subject, predicate } = parseStatement(line)
  const { externalParameters, internalParameters } = predicate.buildDefinition
  const { recipe, key, action: document } = externalParameters
  const computed = digestOfValue(document)
  if (computed !== key) throw new NoReceipt(`its action has the key ${computed}, it states ${key}`)
  const [{ name, digest } = { name: '', digest: undefined }] = subject
  if (name !== recipe || digest === undefined)
    throw new NoReceipt(`it is about "${recipe}", and its subject is "${name}"`)
  const { id, version } = predicate.runDetails.builder
  const builder = id.slice(BUILDER.length)
  const receipt = {
    recipe,
    key,
    artifact: digest.sha256,
    document,
    machine: internalParameters.machine,
    builder: builder === NOBODY ? undefined : builder,
    version,
  }
  requireSame(line, receiptLine(receipt))
  return receipt
}

function requireSame(line: string, wanted: string): void {
  if (line === wanted) return
  let at = 0
  while (line[at] === wanted[at]) at += 1
  throw new NoReceipt(
    `it is not the canonical JSON of its receipt: at character ${at + 1} it has ` +
      `"${line.slice(at, at + SHOWN)}", wanted "${wanted.slice(at, at + SHOWN)}"`,
  )
}

/** Characters of a line that differ, and are shown. */
const SHOWN = 40

function parseStatement(line: string): z.infer<typeof statementSchema> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new NoReceipt('it is no JSON')
  }
  const { data, error } = statementSchema.safeParse(value)
  if (data !== undefined) return data
  const [issue] = error.issues
  throw new NoReceipt(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it has another form'}`)
}
