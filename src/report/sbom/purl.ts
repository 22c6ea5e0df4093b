/** The parts of a package URL. */
export interface PackageUrl {
  readonly type: 'deb' | 'generic' | 'npm'
  readonly namespace?: string | undefined
  readonly name: string
  readonly version?: string | undefined
  readonly qualifiers?: Readonly<Record<string, string | undefined>>
}

/**
 * A package URL: `pkg:TYPE/NAMESPACE/NAME@VERSION?KEY=VALUE&…`. Qualifiers without a value are left
 * out. https://github.com/package-url/purl-spec
 */
export function packageUrl({
  type,
  namespace,
  name,
  version,
  qualifiers = {},
}: PackageUrl): string {
  const path = [namespace, name].flatMap((part) => (part === undefined ? [] : [encoded(part)]))
  const query = Object.keys(qualifiers)
    .sort()
    .flatMap((key) => {
      const value = qualifiers[key]
      return value === undefined ? [] : [`${key}=${encoded(value)}`]
    })
  const at = version === undefined ? '' : `@${encoded(version)}`
  return `pkg:${type}/${path.join('/')}${at}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

/** All but letters, digits and `.-_~:` as percent signs. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
