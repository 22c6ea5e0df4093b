import { FixpointError, FixpointErrors } from '../../base/error.ts'
import { formatBytes } from '../../base/format.ts'
import { requireOtherFile } from '../../base/put-output.ts'
import { recordBeside, RECORD_SUFFIX } from '../../image/record.ts'
import { gatherFacts } from '../../report/page/facts.ts'
import { renderPage } from '../../report/page/render.ts'
import { readPageTexts } from '../../report/page/texts.ts'
import { inputFiles } from '../../report/page/inputs.ts'
import type { CommandContext } from '../context.ts'
import { writeOutput } from '../write-output.ts'
import { CHECKOUT } from '../defaults.ts'

/** Options of `report`. */
export interface ReportFlags {
  readonly output?: string
  readonly receipts?: readonly string[]
  readonly signers?: string
  /** Seconds since 1970. */
  readonly at?: number
}

/** `report IMAGE`: a page to look at, of what is in an image and how it was built. */
export async function reportCommand(
  command: CommandContext,
  image: string,
  flags: ReportFlags,
): Promise<void> {
  const { receipts: paths, signers, at } = flags
  requireReceipts(flags)
  const file = flags.output ?? recordBeside(image).slice(0, -RECORD_SUFFIX.length) + '.html'
  await requireOtherFile(file, await inputFiles(image, paths, signers))
  const facts = await gatherFacts({
    image,
    metadata: await command.metadata(),
    store: await command.store(),
    mirrors: (await command.configuration()).mirrors,
    receipts: paths && { paths, signers, at },
    signal: command.signal,
  })
  const page = renderPage(facts, await readPageTexts(CHECKOUT))
  const bytes = Buffer.byteLength(page)
  const changed = facts.layers?.changed ?? []
  if (!(await writeOutput(file, page, command.signal)))
    await command.result([`${file}: ${formatBytes(bytes)}`], {
      type: 'report',
      file,
      bytes,
      changed,
    })
  // The page shows them, too; whoever makes it in a script is to hear of them.
  const [first, ...more] = facts.confirmations?.faults ?? []
  if (first !== undefined) throw more.length === 0 ? first : new FixpointErrors([first, ...more])
}

/** Options that say how receipts are judged need some. Fails with `no-receipts`. */
function requireReceipts({ receipts, signers, at }: ReportFlags): void {
  if (receipts !== undefined) return
  const option = signers !== undefined ? '--signers' : at !== undefined ? '--at' : undefined
  if (option !== undefined)
    throw new FixpointError('no-receipts', `Cannot use ${option}: no receipts are named`)
}
