/** True for a text that starts like an HTTP address. */
export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/**
 * Address or `file:` path of a file in a Debian archive's pool:
 * `BASE/pool/main/PREFIX/PACKAGE/FILE`, where the prefix is the package's first letter, or `lib`
 * and a letter. Debian's security archive keeps its pool below `pool/updates`.
 */
export function debianAddress(base: string, name: string, file: string): string {
  const prefix = name.startsWith('lib') ? name.slice(0, 4) : name.slice(0, 1)
  const pool = /\/debian-security\/*$/.test(base) ? 'pool/updates/main' : 'pool/main'
  return join(base, `${pool}/${prefix}/${encodeIn(base, name)}/${encodeIn(base, file)}`)
}

/** Address of the tarball `file` of a package in an npm registry: `ADDRESS/NAME/-/FILE`. */
export function npmAddress(registry: string, name: string, file: string): string {
  return join(registry, `${name}/-/${encodeURIComponent(file)}`)
}

/** Address of a file below a mirror's base address. */
export function mirrorAddress(base: string, file: string): string {
  return join(base, encodeURIComponent(file))
}

/** An address as it may be shown and kept: without user and password. */
export function shownAddress(url: URL): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}

function join(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`
}

/** `+` is encoded in addresses: some servers read a bare one as a blank. */
function encodeIn(base: string, component: string): string {
  return isAddress(base) ? encodeURIComponent(component) : component
}
