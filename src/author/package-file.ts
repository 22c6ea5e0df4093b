import { createReadStream } from 'node:fs'
import { isFile, readTar, unreadable } from '../fetch/source-tar.ts'

/** What the name of a tarball says. */
export interface NamedPackage {
  readonly name: string
  readonly version: string
}

const TARBALL = /^(?<name>.+?)[-_]v?(?<version>\d[\w.+~-]*?)(?:\.orig)?\.(?:tar(?:\.\w+)?|tgz|txz)$/

/** Name and version of a package, by the name of its tarball; undefined when that has none. */
export function namedPackage(file: string): NamedPackage | undefined {
  const { name, version } = TARBALL.exec(file)?.groups ?? {}
  if (name === undefined || version === undefined) return undefined
  return { name: name.toLowerCase().replace(/[^a-z0-9+._-]/g, '-'), version }
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
