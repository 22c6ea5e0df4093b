import type { z } from 'zod'
import type { Faults } from '../yaml/faults.ts'
import { checkOrder } from '../yaml/order.ts'
import { validate } from '../yaml/validate.ts'
import type { YamlFile } from '../yaml/yaml-file.ts'

/**
 * A file's value as its schema types it: here, unlike in other YAML files, the order of the fields
 * counts. Undefined after noting faults: those of {@link validate} and of {@link checkOrder}.
 */
export function check<T extends z.ZodType>(
  yaml: YamlFile,
  schema: T,
  what: string,
  faults: Faults,
): z.infer<T> | undefined {
  const value = validate(yaml, schema, what, faults)
  return checkOrder(yaml, schema, what, faults) ? value : undefined
}
