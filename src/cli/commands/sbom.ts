import { counted } from '../../base/format.ts'
import { requireOtherFile } from '../../base/put-output.ts'
import { filesOfImage } from '../../image/read-record.ts'
import type { Format } from '../../report/sbom/formats.ts'
import { writeBill } from '../../report/sbom/sbom.ts'
import type { CommandContext } from '../context.ts'
import { writeOutput } from '../write-output.ts'
import { engineVersion } from '../program/version.ts'

/** Options of `sbom`. */
export interface SbomFlags {
  readonly format: Format
  readonly output?: string
}

/** `sbom IMAGE`: the bill of materials of an image, on standard output or as a file. */
export async function sbomCommand(
  command: CommandContext,
  path: string,
  { format, output }: SbomFlags,
): Promise<void> {
  if (output !== undefined) await requireOtherFile(output, await filesOfImage(path))
  const metadata = await command.metadata()
  const { signal } = command
  const bill = await writeBill(path, format, { metadata, engine: engineVersion(), signal })
  const { text, ...counts } = bill
  if (output === undefined) {
    process.stdout.write(text)
    return
  }
  if (await writeOutput(output, text, signal)) return
  const { image, packages, installed, sources, folders } = counts
  const files =
    `${counted(sources - folders, 'source file')}, ` +
    `${counted(folders, 'folder')} of the checkout`
  await command.result(
    [
      `${output}: ${image} as ${format}`,
      `  ${counted(packages, 'package')} (recipes that it was built from), ` +
        `${installed} of them installed`,
      `  ${counted(sources, 'source')}: ${files}`,
    ],
    { type: 'sbom', format, file: output, ...counts },
  )
}
