import { z } from 'zod'
import type { FieldMeta } from './field.ts'
import { layersSchema, machineSchema } from './layers-schema.ts'
import { amendSchema, recipeSchema, styleSchema } from './schema.ts'
import type { SchemaName } from './file-kinds.ts'
import { licenseFileSchema } from './license-schema.ts'
import { fileSourceSchema, treeSourceSchema } from './source-schema.ts'

const SCHEMAS: Readonly<Record<SchemaName, z.ZodType>> = {
  recipe: recipeSchema,
  amend: amendSchema,
  style: styleSchema,
  layers: layersSchema,
  machine: machineSchema,
}

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
  // The loader checks this after merging: these fields are stated, or inherited. It also wants a
  // license of recipes whose style makes no image.
  return {
    ...schema,
    anyOf: [{ required: ['version', 'summary', 'style'] }, { required: ['extends'] }],
  }
}

/** The lists of fields in docs/recipes.md, by the names that its marks have. */
const TABLES: Readonly<Record<string, z.ZodObject>> = {
  recipe: recipeSchema,
  file: fileSourceSchema,
  tree: treeSourceSchema,
  'license-file': licenseFileSchema,
  amend: amendSchema,
  style: styleSchema,
  layers: layersSchema,
}

/** Names of all lists of fields. */
export const TABLE_NAMES = Object.keys(TABLES)

/**
 * A page with a list of the schema's fields wherever it has the marks `<!-- table: NAME -->` and
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
  if (schema === undefined) throw new TypeError(`There is no list "${name}"`)
  return table(schema)
}

function table(schema: z.ZodObject): string {
  return Object.entries(schema.shape)
    .map(([name, type]) => entry(name, type as z.ZodType))
    .join('\n')
}

/** An entry of a list: rows of a table would be wider than the page. */
function entry(name: string, type: z.ZodType): string {
  const { description = '', entersKey, default: initial } = type.meta() as Partial<FieldMeta>
  const needed = type instanceof z.ZodOptional ? [] : ['needed']
  const key = entersKey === undefined ? [] : [entersKey ? 'in the key' : 'not in the key']
  const head = `- \`${name}\` (${[typeName(type), ...needed, ...key].join(', ')}):`
  const standard = initial === undefined ? '' : ` Default: \`${initial}\`.`
  return wrapped(`${head} ${description}${standard}`.split(' '))
}

/** The words in lines of at most 100 columns. */
function wrapped(words: readonly string[]): string {
  return words.reduce((text, word) => {
    const line = text.slice(text.lastIndexOf('\n') + 1)
    return `${text}${line.length + 1 + word.length > 100 ? '\n  ' : ' '}${word}`
  })
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
