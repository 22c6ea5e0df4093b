/** What OpenSSL finds where TLS should begin, when the other side speaks something else. */
const NO_TLS = ['wrong version number', 'packet length too long', 'http request']

/** The reason in a line of OpenSSL, in words; undefined for other errors. */
export function tlsWords(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const reason = /:SSL routines:[^:]*:([^:]+)/.exec(error.message)?.[1]
  return reason !== undefined && NO_TLS.includes(reason) ? 'the server does not speak TLS' : reason
}
