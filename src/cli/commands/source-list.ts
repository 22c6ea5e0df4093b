import { listSources } from '../../fetch/versions/list-sources.ts'
import type { CommandContext } from '../context.ts'
import { SUITES } from '../defaults.ts'
import { inColumns } from '../view/columns.ts'
import { formatBytes } from '../view/format.ts'

/** Options of `source list`. */
export interface SourceListFlags {
  readonly suite?: readonly string[]
}

/** `source list PACKAGE`: places of the newest versions of a package, to give to `source add`. */
export async function sourceListCommand(
  command: CommandContext,
  word: string,
  { suite: suites = SUITES }: SourceListFlags,
): Promise<void> {
  const { debian, npm } = await command.configuration()
  const listed = await listSources(word, { debian, npm, suites, signal: command.signal })
  const lines = inColumns(
    listed.map(({ where, place, size }) => [
      where,
      place,
      size === undefined ? '' : formatBytes(size),
    ]),
  )
  for (const [at, one] of listed.entries())
    await command.result(lines.slice(at, at + 1), { type: 'source-listed', ...one })
}
