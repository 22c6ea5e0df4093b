/** Exit codes of the command line; one per kind of failure that a caller may want to know. */
export const EXIT = {
  ok: 0,
  buildFailed: 1,
  usage: 2,
  metadata: 3,
  fetch: 4,
  notReproducible: 5,
  hostUnfit: 6,
  damaged: 8,
  bug: 70,
  interrupted: 130,
} as const

/** Name of a failure's kind; the key of {@link EXIT}. */
export type FailureKind = Exclude<keyof typeof EXIT, 'ok'>

/** What a failure of an engine in another process was, by its exit status. */
export function kindOfStatus(status: number | null): FailureKind {
  const found = Object.entries(EXIT).find(([name, code]) => code === status && name !== 'ok')
  return (found?.[0] as FailureKind | undefined) ?? 'buildFailed'
}
