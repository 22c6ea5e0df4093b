import { z } from 'zod'
import type { Digest } from '../../base/digest.ts'
import { digestSchema } from '../../base/digest-schema.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { ActionDocument } from '../../plan/action-document.ts'

const recipe = z.custom<RecipeId>((value) => typeof value === 'string')
const named = z.strictObject({ name: z.string(), digest: digestSchema })

/**
 * The action document as it stands in a receipt. Strict, since the key is the digest of all of it:
 * a field that nobody knows would stand for something that nobody checks.
 */
export const actionSchema: z.ZodType<ActionDocument> = z.strictObject({
  keyVersion: z.number(),
  arch: z.string(),
  host: z.boolean(),
  image: z.boolean(),
  env: z.record(z.string(), z.string()),
  steps: z.array(z.strictObject({ name: z.string(), script: z.string() })),
  sources: z.array(
    z.strictObject({ name: z.string(), digest: digestSchema, to: z.string().nullable() }),
  ),
  patches: z.array(named),
  files: z.array(
    z.strictObject({ name: z.string(), digest: digestSchema, executable: z.boolean() }),
  ),
  inputs: z.array(
    z.union([
      z.strictObject({ recipe, key: digestSchema }),
      z.strictObject({ recipe, artifact: digestSchema }),
    ]),
  ),
  contents: z.array(
    z.strictObject({ recipe, version: z.string(), key: digestSchema, artifact: digestSchema }),
  ),
  mirror: z.array(named).exactOptional(),
})

/** What an action took, as in-toto's ResourceDescriptor. */
export interface Dependency {
  readonly name: string
  readonly digest?: { readonly sha256: Digest }
  /** Of an input from a host layer, which the document names by key only. */
  readonly uri?: string
}

/**
 * All that an action took, in the document's order. Nothing here says where a file was fetched
 * from: such places may be paths of one machine.
 */
export function dependenciesOf(document: ActionDocument): Dependency[] {
  const { sources, patches, files, inputs, contents, mirror = [] } = document
  const filesOf = (kind: string, all: readonly { name: string; digest: Digest }[]): Dependency[] =>
    all.map(({ name, digest }) => ({ name: `${kind}/${name}`, digest: { sha256: digest } }))
  return [
    ...filesOf('source', sources),
    ...filesOf('patch', patches),
    ...filesOf('file', files),
    ...inputs.map((input) => {
      const name = `input/${input.recipe}`
      return 'key' in input
        ? { name, uri: `fixpoint:key/${input.key}` }
        : { name, digest: { sha256: input.artifact } }
    }),
    ...contents.map(({ recipe: id, artifact }) => ({
      name: `content/${id}`,
      digest: { sha256: artifact },
    })),
    ...filesOf('mirror', mirror),
  ]
}
