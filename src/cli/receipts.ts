import type { BuildContext } from '../build/build-context.ts'
import type { Graph } from '../plan/graph.ts'
import { FixpointError } from '../base/error.ts'
import { requireFolder } from '../base/files.ts'
import type { Receipt } from '../report/receipts/receipt.ts'
import type { SigningKey } from '../report/receipts/signing-key.ts'
import type { CommandContext } from './context.ts'
import { engineVersion } from './program/version.ts'

/** Options of commands that write receipts of what they run. */
export interface ReceiptFlags {
  /** Folder that gets them. */
  readonly receipts?: string
  /** File of the key that signs them. */
  readonly sign?: string
}

/** Where receipts go. */
export interface ReceiptTarget {
  readonly folder: string
  readonly key: SigningKey | undefined
}

/**
 * Where the flags send receipts; undefined: nowhere. Fails with `sign-without-receipts`,
 * `no-folder`, `host-refuses`, `signing-key-unusable` or `no-ssh-keygen`. What ran once gives no
 * receipt later, so a folder that takes none is found out before.
 */
export async function receiptTarget({
  receipts,
  sign,
}: ReceiptFlags): Promise<ReceiptTarget | undefined> {
  if (receipts === undefined) {
    if (sign === undefined) return undefined
    throw new FixpointError(
      'sign-without-receipts',
      `Cannot sign with "${sign}": no folder is named for the receipts`,
    )
  }
  await requireFolder(receipts)
  if (sign === undefined) return { folder: receipts, key: undefined }
  const { openSigningKey } = await import('../report/receipts/signing-key.ts')
  return { folder: receipts, key: await openSigningKey(sign) }
}

/**
 * Builds by `use`, and writes receipts of the actions that ran, also when it fails or is
 * interrupted.
 */
export async function withReceipts<T>(
  command: CommandContext,
  target: ReceiptTarget,
  graph: Graph,
  context: BuildContext,
  hasOwnStore: boolean,
  use: (context: BuildContext) => Promise<T>,
): Promise<T> {
  const { watchActions } = await import('../report/receipts/watch.ts')
  const { describeMachine } = await import('../report/receipts/machine.ts')
  const watched = watchActions(graph, context, hasOwnStore)
  const write = async (): Promise<void> => {
    const machine = await describeMachine()
    const version = { fixpoint: engineVersion(), node: process.versions.node }
    const made = watched.ran().map((ran) => ({ ...ran, machine, builder: undefined, version }))
    await putReceipts(command, target, made)
  }
  let result: T
  try {
    result = await use(watched.context)
  } catch (error) {
    await write().catch((failure: unknown) => {
      const message = failure instanceof Error ? failure.message : String(failure)
      context.emit({ type: 'warning', at: context.now(), message })
    })
    throw error
  }
  await write()
  return result
}

/** Puts the receipts that an engine wrote into the folder `name` of `root` where `target` says. */
export async function takeReceipts(
  command: CommandContext,
  target: ReceiptTarget,
  root: string,
  name: string,
): Promise<void> {
  const { receiptsIn } = await import('../report/receipts/write.ts')
  await putReceipts(command, target, await receiptsIn(root, name))
}

async function putReceipts(
  command: CommandContext,
  { folder, key }: ReceiptTarget,
  receipts: readonly Receipt[],
): Promise<void> {
  const { writeReceipts } = await import('../report/receipts/write.ts')
  const written = await writeReceipts(folder, receipts, key)
  if (written === undefined) {
    await command.result(['receipts: none, since nothing ran'], { type: 'receipts', receipts: 0 })
    return
  }
  const by = written.key === undefined ? 'unsigned' : `signed by ${written.key}`
  const count = written.receipts
  await command.result([`receipts: ${written.file} (${count}, ${by})`], {
    type: 'receipts',
    ...written,
  })
}
