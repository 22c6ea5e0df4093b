import { readAptBases } from '../apt.ts'
import type { Asking } from '../ask.ts'
import { PlaceFailure } from '../failure.ts'
import { readNpmCertificates, readNpmRegistry } from '../npm.ts'
import { DEFAULT_LIMITS, type Limits } from '../ports.ts'
import { sleep } from '../sleep.ts'
import { readSuite, type SuitePackages } from './debian-index.ts'
import { latestOf } from './npm-versions.ts'

/** Where versions are looked up. */
export interface VersionPlaces {
  /** Base addresses of Debian archives; none: the host's apt set-up. */
  readonly debian: readonly string[]
  /** Suites of Debian, such as `stable`. */
  readonly suites: readonly string[]
  /** Address of the npm registry; none: what npm is set up for. */
  readonly npm: string | undefined
  readonly signal: AbortSignal
  /** For tests. */
  readonly limits?: Limits
}

/** The longest that a server may make us wait before the next attempt, milliseconds. */
const LONGEST_WAIT = 60_000

/** Lists of versions, each read once. */
export class VersionLists {
  readonly #places: VersionPlaces
  #suites: Promise<[string, SuitePackages][]> | undefined
  #npm: Promise<{ registry: string; trusted: readonly string[] }> | undefined

  constructor(places: VersionPlaces) {
    this.#places = places
  }

  get suiteNames(): string {
    return this.#places.suites.join(', ')
  }

  /** The suites, in the order in which they were asked for. */
  suites(): Promise<[string, SuitePackages][]> {
    return (this.#suites ??= this.#readSuites())
  }

  async latest(name: string): Promise<string> {
    const { registry, trusted } = await (this.#npm ??= this.#askNpm())
    return latestOf(registry, name, { ...this.#asking(), trusted })
  }

  async #readSuites(): Promise<[string, SuitePackages][]> {
    const { debian, suites } = this.#places
    const bases = debian.length > 0 ? debian : await readAptBases()
    if (bases.length === 0)
      throw new PlaceFailure('no archive known; set `debian: [ADDRESS]` in the configuration')
    const read: [string, SuitePackages][] = []
    for (const suite of suites) read.push([suite, await readSuite(bases, suite, this.#asking())])
    return read
  }

  async #askNpm(): Promise<{ registry: string; trusted: readonly string[] }> {
    const registry = this.#places.npm ?? (await readNpmRegistry())
    const isSecret = registry.startsWith('https:')
    return { registry, trusted: isSecret ? await readNpmCertificates() : [] }
  }

  #asking(): Asking {
    const { signal, limits = DEFAULT_LIMITS } = this.#places
    return { headers: {}, limits, longestWaitMs: LONGEST_WAIT, sleep, signal }
  }
}
