/** Kinds of metadata files that have a schema, in the order of the reference. */
export const SCHEMA_NAMES = ['recipe', 'amend', 'style', 'layers', 'machine'] as const

/** One of {@link SCHEMA_NAMES}. */
export type SchemaName = (typeof SCHEMA_NAMES)[number]
