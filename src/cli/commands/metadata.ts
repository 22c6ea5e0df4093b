import { join } from 'node:path'
import { combineFailures, FixpointError } from '../../base/error.ts'
import { readRegular } from '../../base/regular.ts'
import { fillTables, jsonSchema, type SchemaName } from '../../metadata/format/reference.ts'
import { lint } from '../../metadata/lint.ts'
import { graphOf } from '../../plan/graph.ts'
import { CHECKOUT, layersFile, type Engine } from '../engine.ts'

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

/** Bytes; far more than the page has. */
const LARGEST_PAGE = 1 << 20

/** The page of the format, which the appliance's checkout holds too. */
const FORMAT = join(CHECKOUT, 'docs', 'recipes.md')

/**
 * `schema [NAME]`: the format of metadata files as JSON Schema, for editors; without a name the
 * page for people. Fails with `missing-file` where the engine stands without its checkout.
 */
export async function schemaCommand(_engine: Engine, name: SchemaName | undefined): Promise<void> {
  const text =
    name === undefined
      ? fillTables(await formatPage())
      : `${JSON.stringify(jsonSchema(name), undefined, 2)}\n`
  process.stdout.write(text)
}

async function formatPage(): Promise<string> {
  const page = await readRegular(FORMAT, LARGEST_PAGE, 'follow').catch(() => undefined)
  if (page !== undefined) return page
  throw new FixpointError('usage', 'missing-file', `Cannot read the page "${FORMAT}"`, {
    hint: 'It belongs to the checkout that this engine is from',
  })
}
