import { combineFailures, FixpointError } from '../../base/error.ts'
import { lint } from '../../metadata/lint.ts'
import { jsonSchema, recipesDocument, type SchemaName } from '../../metadata/format/reference.ts'
import { graphOf } from '../../plan/graph.ts'
import { layersFile, type Engine } from '../engine.ts'

/**
 * `lint`: what is valid in the recipes and yet wrong or untidy; exit code 3 when there is anything.
 */
export async function lintCommand(engine: Engine): Promise<void> {
  const findings = [
    ...(await lint(layersFile(engine.options.layers))),
    ...(await orderFault(engine)),
  ]
  if (findings.length > 0) throw combineFailures(findings)
}

/** The circle that the recipes are in, if they are: each of them may be valid by itself. */
async function orderFault(engine: Engine): Promise<FixpointError[]> {
  const metadata = await engine.metadata()
  try {
    graphOf(metadata, [...metadata.recipes.keys()])
    return []
  } catch (error) {
    if (error instanceof FixpointError && error.kind === 'metadata') return [error]
    throw error
  }
}

/**
 * `schema [NAME]`: the format of metadata files as JSON Schema, for editors; without a name as the
 * document for people.
 */
export function schemaCommand(_engine: Engine, name: SchemaName | undefined): Promise<void> {
  process.stdout.write(
    name === undefined ? recipesDocument() : `${JSON.stringify(jsonSchema(name), undefined, 2)}\n`,
  )
  return Promise.resolve()
}
