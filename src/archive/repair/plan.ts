/** How a file is repaired, in the order in which means are tried. */
export const MEANS = [
  'kit',
  'copy',
  'image',
  'mirror',
  'store',
  'merge',
  'parity',
  'again',
] as const
export type Means = (typeof MEANS)[number]

/** What is wrong with a file that should be there. */
export type Fault = 'bad' | 'missing' | 'unreadable'

/** A file that is not whole. */
export interface BadFile {
  readonly path: string
  readonly fault: Fault
}

/** A place that has all bytes of a bad file. */
export interface Offer {
  /** Path of the bad file. */
  readonly path: string
  readonly means: Means
  /** Where, for people. */
  readonly place: string
}

/** What parity knows of the blocks of a bad file. */
export interface BlocksOf {
  readonly path: string
  /** Blocks found nowhere. */
  readonly lost: number
}

/** What parity can do. */
export interface ParityOffer {
  readonly files: readonly BlocksOf[]
  /** Recovery blocks that are intact. */
  readonly recovery: number
}

/** How one file is repaired. `blocks` are those that parity computes. */
export interface Step extends BadFile {
  readonly means: Means
  readonly place: string
  readonly blocks?: number
}

/** What a repair will do, and what it cannot. */
export interface RepairPlan {
  readonly steps: readonly Step[]
  readonly lost: readonly BadFile[]
  /** Blocks that are lost, and recovery blocks; where parity is needed. */
  readonly blocks: { readonly lost: number; readonly recovery: number } | undefined
}

/**
 * Chooses for each bad file the first means that has it whole. Parity comes last, and computes the
 * blocks of all others or of none. `again` are files of the parity itself, which can be made again
 * once everything else is whole.
 */
export function planRepair(
  bad: readonly BadFile[],
  offers: readonly Offer[],
  parity: ParityOffer | undefined,
  again: ReadonlySet<string> = new Set(),
): RepairPlan {
  const steps: Step[] = []
  const left: BadFile[] = []
  for (const file of bad) {
    const own = offers.filter(({ path }) => path === file.path)
    const best = MEANS.map((means) => own.find((offer) => offer.means === means)).find(Boolean)
    if (best === undefined) left.push(file)
    else steps.push({ ...file, means: best.means, place: best.place })
  }
  const known = new Map(parity?.files.map((file) => [file.path, file]))
  const protectedFiles = left.filter(({ path }) => known.has(path))
  const lost = protectedFiles.reduce((sum, { path }) => sum + (known.get(path)?.lost ?? 0), 0)
  const isEnough = parity !== undefined && lost <= parity.recovery
  const stillBad = left.filter(({ path }) => !again.has(path) && !(isEnough && known.has(path)))
  for (const file of left) {
    const blocks = known.get(file.path)
    if (isEnough && blocks !== undefined) {
      const means = blocks.lost === 0 ? 'merge' : 'parity'
      steps.push({ ...file, means, place: '', blocks: blocks.lost })
    } else if (again.has(file.path) && stillBad.length === 0) {
      steps.push({ ...file, means: 'again', place: '' })
    }
  }
  const done = new Set(steps.map(({ path }) => path))
  return {
    steps: steps.toSorted((a, b) => MEANS.indexOf(a.means) - MEANS.indexOf(b.means)),
    lost: left.filter(({ path }) => !done.has(path)),
    blocks:
      parity === undefined || protectedFiles.length === 0
        ? undefined
        : { lost, recovery: parity.recovery },
  }
}
