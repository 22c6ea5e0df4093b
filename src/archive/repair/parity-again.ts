import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { byCodeUnit } from '../../base/order.ts'
import { putFile } from '../../base/put-file.ts'
import { Turns } from '../../base/turns.ts'
import { parityShape } from '../kit/create.ts'
import { createParity } from '../par2/create.ts'
import { digestsBelow } from './digests.ts'
import { type Known } from './known.ts'
import type { RepairPlan } from './plan.ts'
import { treeBelow } from './tree.ts'
import { KIT } from '../kit/layout.ts'

/** What parity is made with where nothing is left of the old one. */
const PERCENT = 10

const VOLUME = /^parity\/(.+)\.vol(\d+)\+(\d+)\.par2$/

export function isParityMadeAgain({ steps }: RepairPlan): boolean {
  return steps.some(({ means }) => means === 'again')
}

/**
 * Makes the parity of a whole kit again, and its list, below another folder. The same files give
 * the same parity, so what is left of the old one says how it was made. Resolves with the paths of
 * those that the kit does not have so.
 */
export async function makeParityAgain(
  kit: string,
  known: Known,
  scratch: string,
  signal: AbortSignal,
): Promise<string[]> {
  const turns = new Turns(signal)
  const names = known.set?.files.map((file) => file.name) ?? [...known.wanted.keys()]
  const usual = parityShape(bytesOf(kit, names), PERCENT)
  const shape = shapeOf(kit, known)
  const into = join(scratch, MADE)
  await mkdir(into)
  const { files } = await createParity({
    root: kit,
    files: names,
    blockSize: known.set?.blockSize ?? usual.blockSize,
    recoveryBlocks: shape.recoveryBlocks ?? usual.recoveryBlocks,
    output: { folder: into, name: shape.name },
    signal,
  })
  const sums: string[] = []
  const changed: string[] = []
  const take = async (name: string): Promise<string | undefined> => {
    const [made, there] = [
      await digestsBelow({ root: into, path: name }, turns),
      await digestsBelow({ root: kit, path: `${KIT.parity}/${name}` }, turns),
    ]
    if (typeof made === 'string') throw new TypeError(`"${name}" was not made`)
    if (typeof there !== 'string' && there.sha256 === made.sha256) return made.sha256
    const path = `${KIT.parity}/${name}`
    await putFile(scratch, path, (part) => rename(join(into, name), part))
    changed.push(path)
    return made.sha256
  }
  for (const name of files.toSorted(byCodeUnit)) sums.push(`${await take(name)}  ${name}\n`)
  const list = KIT.paritySums.slice(KIT.parity.length + 1)
  await writeFile(join(into, list), sums.join(''))
  await take(list)
  return changed
}

/** Folder for new parity below the one that the repair works in. */
const MADE = '.parity'

/** The name of the parity and its recovery blocks, as far as the names of its files say so. */
function shapeOf(
  kit: string,
  { parity, set }: Known,
): { readonly name: string; readonly recoveryBlocks: number | undefined } {
  const paths = [...(parity?.keys() ?? []), ...treeBelow(kit).map(({ path }) => path)]
  const volumes = paths.flatMap((path) => {
    const [, name = '', first, count] = VOLUME.exec(path) ?? []
    return first === undefined ? [] : [{ name, end: Number(first) + Number(count) }]
  })
  const ends = [
    ...volumes.map(({ end }) => end),
    ...(set?.recovery ?? []).map(({ exponent }) => exponent + 1),
  ]
  return {
    name: volumes[0]?.name ?? 'kit',
    recoveryBlocks: ends.length === 0 ? undefined : ends.reduce((a, b) => Math.max(a, b)),
  }
}

function bytesOf(kit: string, names: readonly string[]): number {
  const sizes = new Map(treeBelow(kit).map(({ path, size }) => [path, size ?? 0]))
  return names.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0)
}
