import { combineFailures, FixpointError, FixpointErrors, type Position } from '../base/error.ts'
import { listOf } from '../metadata/recipe/merge.ts'
import { layersFile } from './defaults.ts'
import type { GlobalOptions } from './global-options.ts'

/**
 * The error with the place in a recipe that states the digest which was not delivered, where that
 * is known: the recipe may be wrong as well as the file.
 */
export async function withSourcePositions(
  error: unknown,
  { layers }: GlobalOptions,
): Promise<unknown> {
  if (!(error instanceof FixpointError)) return error
  const errors = error instanceof FixpointErrors ? error.errors : [error]
  if (!errors.some(lacksPosition)) return error
  const positions = await digestPositions(layersFile(layers))
  return combineFailures(
    errors.map((one) => {
      const position = lacksPosition(one) ? positions.get(one.facts.wanted ?? '') : undefined
      if (position === undefined) return one
      const { code, message, hint, facts, cause } = one
      return new FixpointError(code, message, { position, hint, facts, cause })
    }),
  )
}

function lacksPosition({ facts, position }: FixpointError): boolean {
  return facts.wanted !== undefined && position === undefined
}

/** Where the layers state each digest of a source; none where they cannot be read. */
async function digestPositions(layers: string): Promise<ReadonlyMap<string, Position>> {
  const { loadAll } = await import('../metadata/load.ts')
  const loaded = await loadAll(layers).catch(() => undefined)
  const positions = new Map<string, Position>()
  for (const draft of loaded?.drafts.values() ?? [])
    for (const { value, at } of listOf(draft, 'sources'))
      if ('sha256' in value && !positions.has(value.sha256))
        positions.set(value.sha256, at.below('sha256').position())
  return positions
}
