import { z } from 'zod'
import type { FieldMeta } from './field.ts'
import { amendSchema, layersSchema, machineSchema, recipeSchema, styleSchema } from './schema.ts'
import { fileSourceSchema, treeSourceSchema } from './source-schema.ts'

const SCHEMAS = {
  recipe: recipeSchema,
  amend: amendSchema,
  style: styleSchema,
  layers: layersSchema,
  machine: machineSchema,
} as const

/** Kinds of metadata files that have a schema. */
export type SchemaName = keyof typeof SCHEMAS

/** All of them, in the order of the reference. */
export const SCHEMA_NAMES = Object.keys(SCHEMAS) as readonly SchemaName[]

/**
 * JSON Schema (draft 7) of one kind of file, for editors. The loader checks the same, and the order
 * and references too.
 */
export function jsonSchema(name: SchemaName): Record<string, unknown> {
  const schema = z.toJSONSchema(SCHEMAS[name], {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema: printed }) => {
      delete printed['entersKey']
    },
  })
  if (name !== 'recipe') return schema
  // The loader checks this after merging: these fields are stated, or inherited.
  return {
    ...schema,
    anyOf: [{ required: ['version', 'summary', 'license', 'style'] }, { required: ['extends'] }],
  }
}

/** The tables of docs/recipes.md, by the names that its marks have. */
const TABLES: Readonly<Record<string, z.ZodObject>> = {
  recipe: recipeSchema,
  file: fileSourceSchema,
  tree: treeSourceSchema,
  amend: amendSchema,
  style: styleSchema,
  layers: layersSchema,
}

/** Names of all tables. */
export const TABLE_NAMES = Object.keys(TABLES)

/**
 * A page with a table of the schema's fields wherever it has the marks `<!-- table: NAME -->` and
 * `<!-- end -->`, in place of what stands between them.
 */
export function fillTables(page: string): string {
  return page.replace(
    /^<!-- table: (.*) -->\n[^]*?^<!-- end -->$/gm,
    (_, name: string) => `<!-- table: ${name} -->\n${tableNamed(name)}\n<!-- end -->`,
  )
}

function tableNamed(name: string): string {
  const schema = TABLES[name]
  if (schema === undefined) throw new TypeError(`There is no table "${name}"`)
  return table(schema)
}

function table(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).map(([name, type]) => row(name, type as z.ZodType))
  return ['| field | type | key | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function row(name: string, type: z.ZodType): string {
  const { description = '', entersKey, default: initial } = type.meta() as Partial<FieldMeta>
  const needed = type instanceof z.ZodOptional ? '' : ' (needed)'
  const key = entersKey === undefined ? '' : entersKey ? 'yes' : 'no'
  const standard = initial === undefined ? '' : ` Default: \`${initial}\`.`
  const meaning = `${description}${standard}`.replaceAll('|', '\\|')
  return `| \`${name}\`${needed} | ${typeName(type)} | ${key} | ${meaning} |`
}

function typeName(type: z.ZodType): string {
  if (type instanceof z.ZodOptional) return typeName(type.unwrap() as z.ZodType)
  if (type instanceof z.ZodArray) return `list of ${plural(typeName(type.element as z.ZodType))}`
  if (type instanceof z.ZodRecord) return 'map of texts'
  if (type instanceof z.ZodObject) return type.meta()?.title ?? 'map of fields'
  if (type instanceof z.ZodUnion) return 'source'
  if (type instanceof z.ZodBoolean) return 'true or false'
  return type instanceof z.ZodNumber ? 'number' : 'text'
}

function plural(name: string): string {
  return name.endsWith('s') ? name : `${name}s`
}
