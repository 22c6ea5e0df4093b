import { counted } from '../../base/format.ts'
import { graphOf } from '../../plan/graph.ts'
import { conditionLines, type Condition } from '../../verify/variations.ts'
import { verifyTargets } from '../../verify/verify.ts'
import { buildContext, buildTargets, coresOf, type BuildFlags } from '../build-targets.ts'
import type { CommandContext } from '../context.ts'
import { CHECKOUT, defaultCores, layersFile } from '../defaults.ts'
import { receiptTarget, takeReceipts } from '../receipts.ts'
import { resolveTargets } from '../targets.ts'

/** Options of `verify`. */
export interface VerifyFlags extends BuildFlags {
  /** Only the targets are built again. */
  readonly alone?: boolean
  /** Where the second build has its store and checkout. */
  readonly second?: string
}

/** `verify TARGET…`: builds the targets twice under different conditions, and compares. */
export async function verifyCommand(
  command: CommandContext,
  words: readonly string[],
  flags: VerifyFlags,
): Promise<void> {
  const metadata = await command.metadata()
  const targets = resolveTargets(metadata, words)
  const target = await receiptTarget(flags)
  const { artifacts, same } = await verifyTargets({
    graph: graphOf(metadata, targets),
    targets,
    context: await buildContext(command, flags),
    build: (graph, ids, context) => buildTargets(command, graph, ids, flags, context),
    alone: flags.alone ?? false,
    folder: flags.second,
    cores: [await coresOf(command, flags), flags.jobs ?? otherCores()],
    checkout: CHECKOUT,
    layers: layersFile(command.options.layers),
    path: process.env['PATH'] ?? '/usr/bin:/bin',
    onConditions: (conditions) =>
      command.result(linesAbout(conditions, flags.second), { type: 'conditions', conditions }),
    takeReceipts: target && ((root, name) => takeReceipts(command, target, root, name)),
    signal: command.signal,
  })
  const from = flags.alone === true ? 'the same inputs' : 'the sources'
  await command.result(
    [
      ...artifacts.map((words) => words.join(' ')),
      `identical: ${counted(same, 'artifact')}, built twice from ${from}`,
    ],
    { type: 'verified', targets: Object.fromEntries(artifacts), same },
  )
}

/** Cores of the second build by default: another number than that of the first. */
function otherCores(): number {
  return defaultCores() > 1 ? 1 : 2
}

/** The conditions, and how the one that a user can choose is made to differ. */
function linesAbout(conditions: readonly Condition[], second: string | undefined): string[] {
  const isOneDisk = conditions.some(
    ({ what, same }) => what === 'file system' && same !== undefined,
  )
  return [
    ...conditionLines(conditions),
    ...(isOneDisk && second === undefined ? ['for another file system: --second FOLDER'] : []),
  ]
}
