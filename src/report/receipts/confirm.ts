import type { Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { ImageRecord } from '../../image/read-record.ts'
import { usedBy } from '../../plan/graph.ts'
import { UNKNOWN } from './machine.ts'
import type { ReceiptFile } from './read.ts'
import type { Receipt } from './receipt.ts'

/** An artifact of an image, and who made the same one from the same inputs. Lists are sorted. */
export interface Confirmation {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly artifact: Digest
  /** Fingerprints of the keys that signed it. */
  readonly builders: readonly string[]
  readonly distributions: readonly string[]
  readonly processors: readonly string[]
  /** Receipts that say the same, but whose signature does not count. */
  readonly uncounted: number
}

/**
 * Why a receipt says nothing of the image: its action took other inputs, or is none of the image's,
 * or saw the host, so that its result may differ from host to host.
 */
export type ApartReason = 'other-inputs' | 'other-recipe' | 'host-layer'

/** Receipts that are listed, but not counted. */
export interface Apart {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly why: ApartReason
  readonly receipts: number
}

/** What receipts say of an image. */
export interface Confirmations {
  /** All artifacts of the image above the host's layers, in the order of its record. */
  readonly artifacts: readonly Confirmation[]
  readonly apart: readonly Apart[]
  readonly contradictions: readonly FixpointError[]
}

/** A receipt, and who says it. */
interface Said extends Receipt {
  readonly file: ReceiptFile
}

/**
 * Compares receipts with an image's record. One counts if its action has the key of the image's,
 * which is the digest of all that it took, and its signature counts. All that it took must be in
 * the record: by its artifact what is counted, and by its key what a layer made that sees the host.
 * So a record cannot leave anything out that an artifact of it needs. A contradiction needs no
 * signature: whoever names a file of receipts wants to know.
 */
export function confirm(record: ImageRecord, files: readonly ReceiptFile[]): Confirmations {
  const wanted = record.recipes.flatMap(({ artifact, host, ...entry }) =>
    // Earlier records state no artifact of a host's layer, and no `host`.
    artifact === undefined || host === true ? [] : [{ ...entry, artifact }],
  )
  const entries = new Map(wanted.map((entry) => [entry.recipe, entry]))
  const said = files.flatMap((file) => file.receipts.map((receipt) => ({ ...receipt, file })))
  // By key: an action takes the same, whoever ran it.
  const strays = new Map<Digest, FixpointError | undefined>()
  const used = usesOf(record)
  const reasonOf = (one: Said): ApartReason | undefined => {
    if (one.document.host) return 'host-layer'
    const entry = entries.get(one.recipe)
    if (entry === undefined) return 'other-recipe'
    if (entry.key !== one.key) return 'other-inputs'
    if (!strays.has(one.key)) strays.set(one.key, strayInput(used, one))
    return strays.get(one.key) === undefined ? undefined : 'other-inputs'
  }
  const judged = said.map((one) => ({ one, why: reasonOf(one) }))
  const own = groupBy(
    judged.flatMap(({ one, why }) => (why === undefined ? [one] : [])),
    ({ recipe }) => recipe,
  )
  return {
    artifacts: wanted.map((entry) => confirmationOf(entry, own.get(entry.recipe) ?? [])),
    apart: listApart(judged),
    contradictions: [
      ...[...strays.values()].filter((stray) => stray !== undefined),
      ...contradictions(
        said,
        wanted.map((entry) => ({ ...entry, by: `the record of ${record.recipe}` })),
      ),
    ],
  }
}

function confirmationOf(
  { recipe, key, artifact }: Omit<Claim, 'by'>,
  own: readonly Said[],
): Confirmation {
  const same = own.filter((one) => one.artifact === artifact)
  const counted = same.filter(({ file }) => file.refusal === undefined)
  return {
    recipe,
    key,
    artifact,
    builders: distinct(counted.flatMap(({ file }) => file.key ?? [])),
    distributions: distinct(counted.map(({ machine }) => machine.distribution)),
    processors: distinct(counted.map(({ machine }) => machine.processor)),
    uncounted: same.length - counted.length,
  }
}

/** The artifacts that fewer than `count` builders confirm, as an error that names them. */
export function missingConfirmations(
  { artifacts }: Confirmations,
  count: number,
): FixpointError | undefined {
  const missing = artifacts.filter(({ builders }) => builders.length < count)
  // Where nothing is to be confirmed, nothing is.
  if (missing.length === 0 && artifacts.length > 0) return undefined
  const lines = missing.map(({ recipe, builders }) => `${recipe}: ${builders.length} of ${count}`)
  return new FixpointError(
    'not-confirmed',
    `Cannot call the image confirmed: ${missing.length} of ${artifacts.length} artifacts have ` +
      `fewer than ${count} builders\n  ${lines.join('\n  ')}`,
  )
}

/**
 * What actions may have taken by an image's record, as {@link useOf} writes it. Neither an artifact
 * of a host's layer is in it, nor the key alone of anything else.
 */
function usesOf(record: ImageRecord): ReadonlySet<string> {
  return new Set(
    record.recipes.flatMap(({ recipe, key, artifact, host }) =>
      artifact === undefined || host === true
        ? [useOf({ recipe, key })]
        : [useOf({ recipe, artifact }), useOf({ recipe, key, artifact })],
    ),
  )
}

function useOf({ recipe, key, artifact }: Use): string {
  return [recipe, key && `key ${key}`, artifact && `artifact ${artifact}`].filter(Boolean).join(' ')
}

interface Use {
  readonly recipe: RecipeId
  readonly key?: Digest
  readonly artifact?: Digest
}

/** The first thing that an action took and the record does not state as that action does. */
function strayInput(
  used: ReadonlySet<string>,
  { recipe, key, document }: Receipt,
): FixpointError | undefined {
  const stray = usedBy<Use, Use>(document).find((one) => !used.has(useOf(one)))
  if (stray === undefined) return undefined
  return new FixpointError(
    'receipts-contradict',
    `The record of the image contradicts the action of ${recipe}, ${key}: that took ` +
      `${useOf(stray)}, which the record does not state`,
  )
}

function listApart(judged: readonly { one: Said; why: ApartReason | undefined }[]): Apart[] {
  const apart = judged.flatMap(({ one: { recipe, key }, why }) =>
    why === undefined ? [] : [{ recipe, key, why }],
  )
  return [...groupBy(apart, ({ recipe, key }) => `${recipe} ${key}`)]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .flatMap(([, [first, ...rest]]) => (first ? [{ ...first, receipts: rest.length + 1 }] : []))
}

/** What someone says that an action gave. */
interface Claim {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly artifact: Digest
  readonly by: string
}

/** One error for each action that is said to have given two artifacts. */
function contradictions(said: readonly Said[], recorded: readonly Claim[]): FixpointError[] {
  const receipts = said
    .filter(({ document }) => !document.host)
    .map(({ recipe, key, artifact, file }) => ({ recipe, key, artifact, by: nameOf(file) }))
  const byKey = groupBy([...recorded, ...receipts], ({ key }) => key)
  return [...byKey.values()].flatMap((claims) => {
    const byArtifact = groupBy(claims, ({ artifact }) => artifact)
    const [first] = claims
    if (first === undefined || byArtifact.size < 2) return []
    const lines = [...byArtifact].map(
      ([artifact, by]) => `${artifact} says ${distinct(by.map((claim) => claim.by)).join(', ')}`,
    )
    return [
      new FixpointError(
        'receipts-contradict',
        `Two artifacts are said to come from one action of ${first.recipe}, ${first.key}\n  ` +
          lines.join('\n  '),
      ),
    ]
  })
}

/** A signer as messages name it. */
function nameOf({ names, key, path }: ReceiptFile): string {
  if (key === undefined) return `nobody, unsigned ("${path}")`
  return `${names ?? 'an unknown signer'} (${key})`
}

function distinct(words: readonly string[]): string[] {
  return [...new Set(words)].filter((word) => word !== UNKNOWN).sort(byCodeUnit)
}

function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const one of all) {
    const group = groups.get(keyOf(one))
    if (group === undefined) groups.set(keyOf(one), [one])
    else group.push(one)
  }
  return groups
}
