import { join } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { readRegular } from '../../base/regular.ts'
import { fillTables, jsonSchema } from '../../metadata/format/reference.ts'
import type { SchemaName } from '../../metadata/format/file-kinds.ts'
import type { CommandContext } from '../context.ts'
import { CHECKOUT } from '../defaults.ts'

/** Bytes; far more than the page has. */
const LARGEST_PAGE = 1 << 20

/** The page of the format, which the appliance's checkout holds too. */
const FORMAT = join(CHECKOUT, 'docs', 'recipes.md')

/**
 * `schema [NAME]`: the format of metadata files as JSON Schema, for editors; without a name the
 * page for people. Fails with `no-format-page` when the engine is not in a checkout.
 */
export async function schemaCommand(
  _command: CommandContext,
  name: SchemaName | undefined,
): Promise<void> {
  const text =
    name === undefined
      ? fillTables(await formatPage())
      : `${JSON.stringify(jsonSchema(name), undefined, 2)}\n`
  process.stdout.write(text)
}

async function formatPage(): Promise<string> {
  const page = await readRegular(FORMAT, LARGEST_PAGE, 'follow').catch(() => undefined)
  if (page !== undefined) return page
  throw new FixpointError('no-format-page', `Cannot read the page "${FORMAT}"`)
}
