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

/** What each kind of failure means, to people. */
export const MEANINGS: Readonly<Record<FailureKind, string>> = {
  buildFailed: 'A build or a boot failed',
  usage: 'The command line or the configuration is wrong',
  metadata: 'Layers, recipes or styles are wrong',
  fetch: 'A source is missing, or stored data are damaged',
  notReproducible: 'Two results differ',
  hostUnfit: 'This host does not allow it',
  damaged: 'A kit, a mirror or a cache is damaged',
  bug: 'A bug of Fixpoint',
  interrupted: 'Interrupted',
}

/** What a failure of an engine in another process was, by its exit status. */
export function kindOfStatus(status: number | null): FailureKind {
  const found = Object.entries(EXIT).find(([name, code]) => code === status && name !== 'ok')
  return (found?.[0] as FailureKind | undefined) ?? 'buildFailed'
}
