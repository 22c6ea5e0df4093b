import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fillTables, jsonSchema, TABLE_NAMES } from '../../../src/metadata/format/reference.ts'
import { SCHEMA_NAMES } from '../../../src/metadata/format/file-kinds.ts'
import { recipeSchema } from '../../../src/metadata/format/schema.ts'
import { CHECKOUT } from '../../support/tree.ts'

const FIELDS = [
  ...['name', 'version', 'cpe', 'summary', 'license', 'linked-license'],
  ...['extends', 'set', 'append', 'remove', 'sources', 'license-files', 'inputs', 'needs'],
  ...['style', 'config', 'configure', 'make', 'install', 'env', 'steps'],
  ...['contents', 'closure', 'memory', 'cost', 'timeout'],
]

interface Printed {
  readonly properties?: Readonly<Record<string, Printed>>
  readonly items?: Printed
  readonly anyOf?: readonly Printed[]
  readonly description?: string
  readonly additionalProperties?: unknown
}

describe('the schema', () => {
  it('has the fields of a recipe in their order', () => {
    expect(Object.keys(recipeSchema.shape)).toEqual(FIELDS)
  })

  it('says of every field that may enter a key whether it does', () => {
    const silent = Object.entries(recipeSchema.shape).filter(
      ([, type]) => type.meta()?.['entersKey'] === undefined,
    )
    expect(silent.map(([name]) => name)).toEqual(['extends', 'set', 'append', 'remove'])
    const without = Object.entries(recipeSchema.shape).filter(
      ([, type]) => type.meta()?.['entersKey'] === false,
    )
    expect(without.map(([name]) => name)).toEqual([
      'name',
      'version',
      'cpe',
      'summary',
      'license',
      'linked-license',
      'license-files',
      'needs',
      'memory',
      'cost',
      'timeout',
    ])
  })
})

describe('jsonSchema', () => {
  it.each(SCHEMA_NAMES)('of %s is draft 7 and knows its fields only', (name) => {
    const schema = jsonSchema(name)
    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
    })
    expect(JSON.stringify(schema)).not.toContain('entersKey')
    if (name !== 'machine') expect(schema['additionalProperties']).toBe(false)
  })

  it('describes every field', () => {
    const { properties } = jsonSchema('recipe') as Printed
    expect(Object.keys(properties ?? {})).toEqual(FIELDS)
    expect(Object.entries(properties ?? {}).filter(([, { description }]) => !description)).toEqual(
      [],
    )
    expect(properties?.['sources']?.items?.anyOf).toHaveLength(2)
  })

  it('asks for what a recipe needs unless it extends another', () => {
    expect(jsonSchema('recipe')).toMatchObject({
      required: ['name'],
      anyOf: [{ required: ['version', 'summary', 'style'] }, { required: ['extends'] }],
    })
  })
})

describe('docs/recipes.md', () => {
  const PAGE = join(CHECKOUT, 'docs/recipes.md')

  it('has the fields of the schema; `vitest --update` writes them', async () => {
    await expect(fillTables(readFileSync(PAGE, 'utf8'))).toMatchFileSnapshot(PAGE)
  })

  it('has every list of fields once', () => {
    const marks = [...readFileSync(PAGE, 'utf8').matchAll(/^<!-- table: (.*) -->$/gm)]
    expect(marks.map(([, name]) => name).sort()).toEqual([...TABLE_NAMES].sort())
  })

  it('has tables whose rows have as many columns as their head', () => {
    const columns = (row: string): number => row.split(/(?<!\\)\|/).length
    const tables = readFileSync(PAGE, 'utf8')
      .split(/\n\n|\n(?=<!--)|(?<=-->)\n/)
      .map((part) => part.split('\n'))
      .filter(([head = '']) => head.startsWith('|'))
    expect(tables).toHaveLength(4)
    for (const [head = '', ...rows] of tables)
      for (const row of rows) expect(columns(row)).toBe(columns(head))
  })
})

describe('fillTables', () => {
  it('fills in an entry for every field, in place of what was there', () => {
    const text = fillTables('a\n<!-- table: recipe -->\nold\n<!-- end -->\nb\n')
    for (const field of FIELDS) expect(text).toContain(`\n- \`${field}\` (`)
    expect(text).not.toContain('undefined')
    const start = 'a\n<!-- table: recipe -->\n- `name` (text, needed, not in the key): '
    expect(text.startsWith(start)).toBe(true)
    expect(text.endsWith('Default: `7200`.\n<!-- end -->\nb\n')).toBe(true)
  })

  it('leaves a page without marks alone', () => {
    expect(fillTables('a\n')).toBe('a\n')
  })
})
