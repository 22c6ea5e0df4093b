import { z } from 'zod'
import {
  amendSchema,
  fileSourceSchema,
  layersSchema,
  machineSchema,
  recipeSchema,
  styleSchema,
  treeSourceSchema,
} from './schema.ts'

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

/** JSON Schema (draft 7) of one kind of file, for editors. Says the same as the loader's checks but for order and references. */
export function jsonSchema(name: SchemaName): Record<string, unknown> {
  const schema = z.toJSONSchema(SCHEMAS[name], {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema: printed }) => {
      delete printed['entersKey']
    },
  })
  if (name !== 'recipe') return schema
  // What the loader finds only after merging: these are there or come from the recipe that is extended.
  return { ...schema, anyOf: [{ required: ['version', 'summary', 'license', 'style'] }, { required: ['extends'] }] }
}

/** The text of docs/recipes.md: the whole format, printed from the schemas. */
export function recipesDocument(): string {
  return `${[
    '# Recipes',
    'Printed from the schema in `src/metadata/schema.ts`; do not edit. The order of fields is part of the format. *Key* says whether a change of the field makes a new key, so that the recipe is built again.',
    '## recipe.yaml',
    '`layers/LAYER/NAME/` holds `recipe.yaml`, `patches/*.patch` (applied with `-p1` in the order of their names) and `files/` (found as `$FILES`), and nothing else.',
    table(recipeSchema),
    '`version`, `summary`, `license` and `style` are needed, in the recipe or in the one it extends. Texts that YAML takes for a number, such as 1.10, are written in quotes. Anchors, aliases and tags are not part of the format.',
    '### sources: fetched files',
    table(fileSourceSchema),
    '### sources: files of the checkout',
    table(treeSourceSchema),
    '## Merging',
    MERGING,
    '## amend.yaml',
    'Stands in a later layer instead of a recipe.yaml, in a folder of the same name, and changes that recipe; `patches/` and `files/` beside it are added to it.',
    table(amendSchema),
    '## Templates',
    TEMPLATES,
    '## styles/NAME.yaml',
    table(styleSchema),
    '## layers.yaml',
    'One file, with the folders of the layers beside it.',
    table(layersSchema),
    '## machines/NAME.yaml',
    'A flat map of texts, used as `{{machine.NAME}}`. A value enters a key only where it is used. `arch` must be there.',
  ].join('\n\n')}\n`
}

const MERGING = `One operator serves \`extends\` and \`amend.yaml\`, on top-level fields only:

| operator | takes | does |
|---|---|---|
| \`set\` | any field but \`name\` | replaces the whole field |
| \`remove\` | lists, and \`patches\` and \`files\` by name | takes elements out; one that is not there is an error |
| \`append\` | lists | adds elements at the end |

They are done in this order; then own patches and files are added. A recipe that extends another may also state a field itself, which is the same as \`set\`. It starts from that recipe as it is after all amendments. Amendments are applied in the order of their layers. \`fixpoint show --origin RECIPE\` names the file and line of every field.`

const TEMPLATES = `\`{{name}}\`, \`{{version}}\`, \`{{layer}}\` and \`{{machine.NAME}}\` are expanded after merging, in the fields marked so. Variables of the environment and scripts also know \`{{configure}}\`, \`{{make}}\` and \`{{install}}\`: the list's elements, each quoted for the shell where needed, joined by blanks. A list that is filled but used nowhere is an error, and so is a name that does not exist. There are no sections, no partials and no escaping.`

function table(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).map(([name, type]) => row(name, type as z.ZodType))
  return ['| field | type | key | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function row(name: string, type: z.ZodType): string {
  const meta = type.meta() ?? {}
  const key = meta['entersKey'] === undefined ? '' : meta['entersKey'] === true ? 'yes' : 'no'
  const { default: initial } = meta as { default?: string | number | boolean }
  const standard = initial === undefined ? '' : ` Default: \`${String(initial)}\`.`
  return `| \`${name}\`${type instanceof z.ZodOptional ? '' : ' (needed)'} | ${typeName(type)} | ${key} | ${`${meta.description ?? ''}${standard}`.replaceAll('|', '\\|')} |`
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
