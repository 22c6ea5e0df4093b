import { byCodeUnit } from '../../base/order.ts'
import type { Digest } from '../../base/digest.ts'
import { shownAddress } from '../../fetch/addresses.ts'
import { parsePlace, type ParsedPlace } from '../../metadata/format/source-places.ts'
import { allLicenses } from '../../metadata/format/license.ts'
import type { Recipe, Source } from '../../metadata/model.ts'
import { sourceDigest } from '../../plan/action-document.ts'
import { packageUrl } from './purl.ts'

/** A source as a bill of materials lists it, once for all recipes that have it. */
export interface SourcePart {
  readonly name: string
  readonly version: string | undefined
  /** Of the file; of files of the checkout: of their list, as in the action's document. */
  readonly digest: Digest
  readonly kind: Source['kind']
  /** SPDX expression; empty where only an image that holds nothing has it. */
  readonly license: string
  /** Package URL. */
  readonly purl: string
  /** The package of npm that the file is, if it is one: a part that others know by that name. */
  readonly npm: { readonly scope: string | undefined; readonly name: string } | undefined
  /** Address that it may be fetched from; undefined where that is a package of others. */
  readonly address: string | undefined
  readonly supplier: 'Debian' | undefined
  /** Whether its bytes are the supplier's own, and not those that upstream published. */
  readonly isRepacked: boolean
  /** Whether a package of the image is built from it. */
  readonly isContent: boolean
}

/** A recipe whose sources are listed. */
export interface SourceUser {
  readonly recipe: Recipe
  /** Whether what it makes is in the image. */
  readonly isContent: boolean
}

/**
 * The sources of recipes, sorted by name, then by digest. `otherwise` is the license of those that
 * have none of their own, which an image's may.
 */
export function sourceParts(users: readonly SourceUser[], otherwise: string): SourcePart[] {
  const uses = new Map<Digest, Use[]>()
  for (const { recipe, isContent } of users)
    for (const source of recipe.sources) {
      const digest = sourceDigest(source)
      uses.set(digest, [...(uses.get(digest) ?? []), { recipe, isContent, source }])
    }
  return [...uses]
    .map(([digest, all]) => sourcePart(digest, all, otherwise))
    .sort((a, b) => byCodeUnit(a.name, b.name) || byCodeUnit(a.digest, b.digest))
}

interface Use extends SourceUser {
  readonly source: Source
}

function sourcePart(digest: Digest, uses: readonly Use[], otherwise: string): SourcePart {
  const [first] = [...uses].sort(
    (a, b) => byCodeUnit(a.source.name, b.source.name) || byCodeUnit(a.recipe.id, b.recipe.id),
  )
  if (first === undefined) throw new TypeError(`Source ${digest} is used by no recipe`)
  const { source, recipe } = first
  return {
    ...originOf(source, recipe),
    name: source.name,
    digest,
    kind: source.kind,
    license: allLicenses(
      uses
        .map((use) => use.source.license ?? use.recipe.license ?? otherwise)
        .filter((one) => one !== ''),
    ),
    isContent: uses.some(({ isContent }) => isContent),
  }
}

type Origin = Pick<SourcePart, 'version' | 'purl' | 'npm' | 'address' | 'supplier' | 'isRepacked'>

/** Where a source comes from, by the first of its places that others know. */
function originOf(source: Source, { version }: Recipe): Origin {
  const own = { npm: undefined, address: undefined, supplier: undefined, isRepacked: false }
  if (source.kind === 'tree')
    return { ...own, version, purl: packageUrl({ type: 'generic', name: source.name, version }) }
  const places = source.from.flatMap((text) => parsePlace(text) ?? [])
  const place = places.find(({ kind }) => kind !== 'file')
  switch (place?.kind) {
    case 'debian': {
      const released = debianVersion(place.file)
      const isRepacked = /[.+~-](dfsg|ds|repack)(?![a-z])/.test(released ?? '')
      const purl = debianUrl(place, released)
      return { ...own, version: released, purl, supplier: 'Debian', isRepacked }
    }
    case 'npm': {
      const { version: released } = place
      const [name = place.name, scope] = place.name.split('/').reverse()
      const purl = packageUrl({ type: 'npm', namespace: scope, name, version: released })
      return { ...own, version: released, purl, npm: { scope, name } }
    }
    default: {
      // Nothing else says that the file is of the recipe's version.
      const named = source.name.includes(version) ? version : undefined
      const address = place?.kind === 'address' ? shownAddress(place.url) : undefined
      const qualifiers = { checksum: `sha256:${source.sha256}`, download_url: address }
      const purl = packageUrl({ type: 'generic', name: source.name, version: named, qualifiers })
      return { ...own, version: named, purl, address }
    }
  }
}

/**
 * Version in the name of a file of a Debian source package, such as `node_20+dfsg.orig-x.tar.xz`;
 * that of its upstream part where the file is that part.
 */
function debianVersion(file: string): string | undefined {
  const pattern = /^[^_]+_(.+?)(\.orig(-[A-Za-z0-9-]+)?|\.debian)?\.(tar\.[a-z0-9]+|diff\.gz|dsc)$/
  return pattern.exec(file)?.[1]
}

function debianUrl(
  place: Extract<ParsedPlace, { kind: 'debian' }>,
  version: string | undefined,
): string {
  const qualifiers = { arch: 'source' }
  return packageUrl({ type: 'deb', namespace: 'debian', name: place.package, version, qualifiers })
}
