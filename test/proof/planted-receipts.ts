import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../../src/base/digest.ts'
import { parseReceipt, receiptLine, type Receipt } from '../../src/report/receipts/receipt.ts'
import { readReceipts, signFile, type Place } from './receipt-place.ts'

/** Who signs, by the private key's file and the public key's line. */
export interface Signer {
  readonly file: string
  readonly line: string
}

/** A real file of receipts, and who signed it. */
export interface Original {
  readonly file: string
  /** A recipe that it has a receipt of. */
  readonly recipe: string
  readonly signer: Signer
  /** Somebody whom nobody trusts. */
  readonly stranger: Signer
}

/** A planted fraud: what is written, and what `receipts` must say of it. */
interface Fraud {
  readonly name: string
  readonly text?: (text: string) => string
  readonly signature?: 'old' | 'none' | 'new' | 'stranger' | 'other-namespace'
  readonly allowed?: string
  readonly options?: readonly string[]
  readonly status: number
  readonly says: RegExp
}

/**
 * Plants each known fraud in a copy of a real file of receipts, one after the other. Each must be
 * named by `receipts`, with its exit status; none may count as a builder.
 */
export async function checkFrauds(
  folder: string,
  { record }: Place,
  original: Original,
): Promise<void> {
  const text = await readFile(original.file, 'utf8')
  const signature = await readFile(`${original.file}.sig`, 'utf8')
  for (const fraud of fraudsOf(original, text)) {
    const place = join(folder, 'fraud', fraud.name.replaceAll(' ', '-'))
    await mkdir(place, { recursive: true })
    const file = join(place, 'x.intoto.jsonl')
    await writeFile(file, fraud.text?.(text) ?? text)
    await signAs(fraud, file, signature, original)
    const signers = join(place, 'signers')
    await writeFile(signers, fraud.allowed ?? `somebody ${original.signer.line}\n`)
    const said = await readReceipts({ record, signers }, [place], ...(fraud.options ?? []))
    const counted = new RegExp(`^${original.recipe} +1 builder `, 'm').test(said.text)
    const mayCount = fraud.name === 'one key with two names'
    if (said.status !== fraud.status || !fraud.says.test(said.text) || counted !== mayCount)
      throw new Error(`"${fraud.name}" is not found: ${String(said.status)}\n${said.text}`)
    console.log(`${fraud.name}: found, exit status ${String(said.status)}`)
  }
}

async function signAs(
  { signature = 'old' }: Fraud,
  file: string,
  old: string,
  { signer, stranger }: Original,
): Promise<void> {
  if (signature === 'old') await writeFile(`${file}.sig`, old)
  if (signature === 'new') signFile(signer.file, file)
  if (signature === 'stranger') signFile(stranger.file, file)
  if (signature === 'other-namespace') signFile(signer.file, file, 'file')
}

/** All frauds that receipts are to withstand. */
function fraudsOf({ recipe, signer: { line } }: Original, text: string): Fraud[] {
  const own = receiptsIn(text).find((receipt) => receipt.recipe === recipe)
  const input = own?.document.inputs.find((one) => 'artifact' in one)
  if (own === undefined || input === undefined || !('artifact' in input))
    throw new Error(`there is no receipt of ${recipe} with inputs`)
  const other = digestOf('something else')
  const swap = (from: string) => (all: string) => all.replaceAll(from, other)
  const lying = (all: string): string => withArtifact(all, recipe, other)
  const counted = { status: 0 }
  return [
    { name: 'changed artifact', text: swap(own.artifact), status: 4, says: /did not sign/ },
    { name: 'changed input', text: swap(input.artifact), status: 4, says: /did not sign/ },
    ...(['none', 'new'] as const).map((signature) => ({
      name: `changed input, signature ${signature}`,
      text: swap(input.artifact),
      signature,
      status: 4,
      says: /line \d+ of .*: its action has the key/,
    })),
    {
      name: 'another artifact, signed',
      text: lying,
      signature: 'new',
      status: 5,
      says: new RegExp(`${own.artifact} says the record[^]*${other} says somebody`),
    },
    {
      name: 'another artifact, unsigned',
      text: lying,
      signature: 'none',
      status: 5,
      says: /says nobody, unsigned/,
    },
    {
      name: 'one key with two names',
      allowed: `alice ${line}\nbob ${line}\n`,
      options: ['--require', '2'],
      status: 1,
      says: new RegExp(`${recipe}: 1 of 2`),
    },
    { name: 'no signature', signature: 'none', ...counted, says: /not counted: unsigned/ },
    {
      name: 'a stranger',
      signature: 'stranger',
      ...counted,
      says: /not counted: not an allowed signer/,
    },
    {
      name: 'an expired key',
      allowed: `somebody valid-before="20200101Z" ${line}\n`,
      ...counted,
      says: /not counted: no longer valid/,
    },
    {
      name: 'a key for other things',
      allowed: `somebody namespaces="git" ${line}\n`,
      ...counted,
      says: /not counted: not allowed to sign receipts/,
    },
    {
      name: 'signed for another purpose',
      signature: 'other-namespace',
      status: 4,
      says: /signed it for "file", not for "fixpoint-receipt"/,
    },
  ]
}

function receiptsIn(text: string): Receipt[] {
  return text.trimEnd().split('\n').map(parseReceipt)
}

/** The file with another artifact in the receipt of a recipe, as its signer might write it. */
function withArtifact(text: string, recipe: string, artifact: Receipt['artifact']): string {
  const receipts = receiptsIn(text)
  return receipts
    .map((one) => `${receiptLine(one.recipe === recipe ? { ...one, artifact } : one)}\n`)
    .join('')
}
