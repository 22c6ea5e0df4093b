import { homedir } from 'node:os'
import { join } from 'node:path'

// Variables that every program which fetches goes by. A library reads those of proxies.

/** Path of the user's file of passwords: the one that `NETRC` names, else `~/.netrc`. */
export function passwordFile(): string {
  const { NETRC, HOME } = process.env
  return NETRC ?? join(HOME ?? homedir(), '.netrc')
}

/** Path of a file of certificates that Node also trusts; undefined for none. */
export function extraCertificates(): string | undefined {
  const path = process.env['NODE_EXTRA_CA_CERTS'] ?? ''
  return path === '' ? undefined : path
}
