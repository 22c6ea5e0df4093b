import { jsonSchema, recipesDocument, type SchemaName } from '../../metadata/format/reference.ts'
import type { CommandContext } from '../context.ts'

/**
 * `schema [NAME]`: the format of metadata files as JSON Schema, for editors; without a name as the
 * document for people.
 */
export function schemaCommand(
  _command: CommandContext,
  name: SchemaName | undefined,
): Promise<void> {
  process.stdout.write(
    name === undefined ? recipesDocument() : `${JSON.stringify(jsonSchema(name), undefined, 2)}\n`,
  )
  return Promise.resolve()
}
