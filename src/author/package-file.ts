import { createReadStream } from 'node:fs'
import { fileNameOf, type ParsedPlace } from '../metadata/format/source-places.ts'
import { isFile, readTar, unreadable } from '../fetch/source-tar.ts'

/** A package and its version. */
export interface NamedPackage {
  /** Name of its recipe. */
  readonly name: string
  readonly version: string
}

const TARBALL =
  /^(?<name>.+?)[-_]v?(?<version>\d[\w.+~-]*?)(?:\.orig)?\.(?:tar(?:\.\w+)?|tgz|txz)$/d

/**
 * Name and version of a package, by the name of its tarball; undefined when that has none. `at` is
 * where the version begins in it.
 */
export function namedPackage(file: string): (NamedPackage & { readonly at: number }) | undefined {
  const { groups, indices } = TARBALL.exec(file) ?? {}
  const { name, version } = groups ?? {}
  const at = indices?.groups?.['version']?.[0]
  if (name === undefined || version === undefined || at === undefined) return undefined
  return { name: recipeNameOf(name), version, at }
}

/** Name and version of the package at a place; undefined when its file has another kind of name. */
export function packageAt(place: ParsedPlace): NamedPackage | undefined {
  if (place.kind !== 'npm') return namedPackage(fileNameOf(place))
  return { name: recipeNameOf(place.name.replace(/^.*\//, '')), version: place.version }
}

function recipeNameOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9+._-]/g, '-')
}

/** What a tarball says of how it is built, and where the texts of its license may be. */
export interface PackageContents {
  readonly build: 'autotools' | 'meson' | 'cmake' | 'make' | undefined
  readonly licenses: readonly string[]
}

/** Files in the outermost folder by which a way of building is known, the best first. */
const SIGNS = [
  ['configure', 'autotools'],
  ['meson.build', 'meson'],
  ['CMakeLists.txt', 'cmake'],
  ['Makefile', 'make'],
] as const

const LICENSE = /^(?:COPYING|LICEN[CS]E|COPYRIGHT|NOTICE)(?:[._-].*)?$/i

/** Looks at the names in a tarball. Fails with `source-unreadable` or `no-unpacker`. */
export async function packageContents(
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<PackageContents> {
  const names = new Set<string>()
  const reading = new AbortController()
  const stop = (): void => {
    reading.abort(signal.reason)
  }
  signal.addEventListener('abort', stop)
  try {
    await readTar(
      createReadStream(path),
      (entry) => {
        const parts = entry.path.replace(/^(?:\.\/)+/, '').split('/')
        if (isFile(entry) && parts.length <= 2) names.add(parts.at(-1) ?? '')
        entry.resume()
      },
      reading,
    )
  } catch (error) {
    signal.throwIfAborted()
    throw unreadable(name, error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return {
    build: SIGNS.find(([sign]) => names.has(sign))?.[1],
    licenses: [...names].filter((one) => LICENSE.test(one)).sort(),
  }
}
