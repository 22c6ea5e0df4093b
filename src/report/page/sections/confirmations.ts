import { basename } from 'node:path'
import { counted, shortDigest } from '../../../base/format.ts'
import type { ApartReason } from '../../receipts/confirm.ts'
import type { ReceiptFile, Standing } from '../../receipts/read.ts'
import type { Facts } from '../facts.ts'
import type { Name } from '../names.ts'
import type { Rules } from '../rules.ts'

/** A number of builders, and how many artifacts have it. */
interface Step {
  readonly builders: string
  readonly artifacts: number
  readonly title: string
  readonly bar: string
  /** How strongly it is drawn: from 0, nobody, to 3. */
  readonly strength: number
}

/** What the page says of receipts. */
export interface ConfirmationList {
  readonly absent: string | undefined
  readonly lead: string
  readonly faults: readonly string[]
  readonly steps: readonly Step[]
  /** The steps in words. */
  readonly spoken: string
  readonly rows: readonly {
    readonly name: Name | undefined
    readonly artifact: string
    readonly builders: number
    readonly distributions: string
    readonly processors: string
    readonly uncounted: number
  }[]
  readonly files: readonly {
    readonly file: string
    readonly receipts: number
    readonly signer: string
    readonly key: string
    readonly standing: string
  }[]
  readonly hasApart: boolean
  readonly apart: readonly {
    readonly recipe: string
    readonly key: string
    readonly why: string
    readonly receipts: number
  }[]
}

const REFUSALS: Readonly<Record<NonNullable<Standing['refusal']>, string>> = {
  unsigned: 'not counted: unsigned',
  'unknown-signer': 'not counted: not an allowed signer',
  'other-namespace': 'not counted: not allowed to sign receipts',
  'not-yet-valid': 'not counted: not valid yet',
  expired: 'not counted: no longer valid',
}

const REASONS: Readonly<Record<ApartReason, string>> = {
  'host-layer': 'may differ from host to host',
  'other-inputs': 'from other inputs than the image',
  'other-recipe': 'not in the image',
}

/** Who made the same artifacts from the same inputs. */
export function confirmations(
  { confirmations: found, names }: Facts,
  rules: Rules,
): ConfirmationList {
  if (found === undefined) return NONE
  const { artifacts, files, apart, faults } = found
  const counts = artifacts.map(({ builders }) => builders.length)
  const steps = stepsOf(counts, rules)
  return {
    absent: undefined,
    lead: leadOf(counts),
    faults: faults.map(({ message }) => message),
    steps,
    spoken: steps.map(({ title }) => `${title}.`).join(' '),
    rows: artifacts.map(({ recipe, artifact, builders, distributions, processors, uncounted }) => ({
      name: names.of(recipe),
      artifact: shortDigest(artifact),
      builders: builders.length,
      distributions: distributions.join(', ') || '–',
      processors: processors.join(', ') || '–',
      uncounted,
    })),
    files: files.map(fileRow),
    hasApart: apart.length > 0,
    apart: apart.map(({ recipe, key, why, receipts }) => ({
      recipe,
      key: shortDigest(key),
      why: REASONS[why],
      receipts,
    })),
  }
}

const NONE: ConfirmationList = {
  absent: 'No receipts were given to this page. They would say who else built the same image.',
  lead: '',
  faults: [],
  steps: [],
  spoken: '',
  rows: [],
  files: [],
  hasApart: false,
  apart: [],
}

const STRONGEST = 3

function leadOf(counts: readonly number[]): string {
  const some = counts.filter((count) => count > 0).length
  const least = counts.length === 0 ? 0 : counts.reduce((a, b) => Math.min(a, b))
  const each = least === 0 ? '' : ` Each has at least ${counted(least, 'builder')}.`
  return (
    `${some} of ${counted(counts.length, 'artifact')} were made by others from the same inputs, ` +
    `with the same bytes. A builder is a key that signed receipts.${each}`
  )
}

function stepsOf(counts: readonly number[], rules: Rules): Step[] {
  const distinct = [...new Set(counts)].sort((a, b) => b - a)
  return distinct.map((count) => {
    const artifacts = counts.filter((one) => one === count).length
    const builders = counted(count, 'builder')
    return {
      builders,
      artifacts,
      title: `${builders}: ${counted(artifacts, 'artifact')}`,
      bar: rules.bar(artifacts / counts.length),
      strength: Math.min(count, STRONGEST),
    }
  })
}

/** A file by its name: its folder is one of this host. */
function fileRow({
  path,
  receipts,
  key,
  names,
  refusal,
}: ReceiptFile): ConfirmationList['files'][number] {
  return {
    file: basename(path),
    receipts: receipts.length,
    signer: names ?? '–',
    key: key ?? '–',
    standing: refusal === undefined ? 'counted' : REFUSALS[refusal],
  }
}
