import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, readText } from '../../base/beneath.ts'
import { digestOfValue } from '../../base/canonical.ts'
import { isDigest, type Digest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'
import { folderName, recipeOfFolder, type RecipeId } from '../../base/recipe-id.ts'
import { hasShape, isNumber, isText } from '../../base/shape.ts'
import type {
  CacheOrigin,
  HistoryEntry,
  Index,
  IndexEntry,
  Origin,
  RemoteOrigin,
} from '../rooms.ts'
import type { ReportDamage } from './damage.ts'
import type { Installed } from './installed.ts'
import { unreadableFile } from './layout.ts'
import type { Session } from './session.ts'

/** Past actions of a recipe that its history holds. */
const REMEMBERED = 5

/** How the file of a recipe's history ends. */
const HISTORY = '.history'

/**
 * Entries as `index/NAME`, histories as `index/LAYER@RECIPE.history`. One small file each, so two
 * engines never write the same file with different contents.
 */
export class LocalIndex implements Index {
  readonly #folder: string
  readonly #session: Session
  readonly #report: ReportDamage
  readonly #installed: Installed | undefined
  readonly #damaged = new Set<Digest>()

  constructor(
    root: string,
    session: Session,
    report: ReportDamage,
    installed: Installed | undefined,
  ) {
    this.#folder = join(root, 'index')
    this.#session = session
    this.#report = report
    this.#installed = installed
  }

  find(name: Digest): IndexEntry | undefined {
    const path = join(this.#folder, name)
    const text = readEntry(path)
    if (text === undefined) return undefined
    const entry = parseEntry(name, text)
    if (entry === undefined && !this.#damaged.has(name)) {
      this.#damaged.add(name)
      this.#report('index', path, 'not the index entry of that name; taken for missing')
    }
    return entry
  }

  artifactOf(name: Digest): Digest | undefined {
    return this.find(name)?.artifact ?? this.#installed?.artifactOf(name)
  }

  async record(name: Digest, entry: IndexEntry): Promise<void> {
    await this.#write(name, formatEntry(name, entry))
    this.#damaged.delete(name)
    const { recipe, durationMs, cpuMs, peakMemory } = entry
    const past = this.history(recipe).filter((action) => action.name !== name)
    const history = [...past, { name, durationMs, cpuMs, peakMemory }].slice(-REMEMBERED)
    await this.#write(historyFile(recipe), JSON.stringify(history))
  }

  history(recipe: RecipeId): readonly HistoryEntry[] {
    try {
      const history: unknown = JSON.parse(readText(join(this.#folder, historyFile(recipe))))
      return Array.isArray(history) && history.every(isHistoryEntry) ? history : []
    } catch {
      return []
    }
  }

  async recipes(): Promise<readonly RecipeId[]> {
    const files = (await readdir(this.#folder)).filter((name) => name.endsWith(HISTORY))
    return files.map((name) => recipeOfFolder(name.slice(0, -HISTORY.length))).sort(byCodeUnit)
  }

  #write(name: string, text: string): Promise<void> {
    return this.#session.write(join(this.#folder, name), text, 'index')
  }
}

function historyFile(recipe: RecipeId): string {
  return `${folderName(recipe)}${HISTORY}`
}

/** The text of an entry's file. Empty for what is no file, undefined when nothing is there. */
function readEntry(path: string): string | undefined {
  try {
    return readIfThere(path)
  } catch (error) {
    if (error instanceof FixpointError) return ''
    throw unreadableFile(path, error)
  }
}

function isHistoryEntry(value: unknown): value is HistoryEntry {
  return hasShape<HistoryEntry>(value, {
    name: isDigestText,
    durationMs: isNumber,
    cpuMs: (cpuMs) => cpuMs === undefined || isNumber(cpuMs),
    peakMemory: isNumber,
  })
}

/** An entry as its file states it. */
type NamedEntry = IndexEntry & { readonly name: Digest }

function isNamedEntry(value: unknown): value is NamedEntry {
  return hasShape<NamedEntry>(value, {
    name: isDigestText,
    recipe: (recipe) => typeof recipe === 'string' && /^[^/]+\/[^/]+$/.test(recipe),
    key: isDigestText,
    artifact: isDigestText,
    document: () => true,
    size: isNumber,
    durationMs: isNumber,
    cpuMs: isNumber,
    peakMemory: isNumber,
    origin: (origin) => origin === undefined || isOrigin(origin),
  })
}

function isOrigin(value: unknown): value is Origin {
  return (
    hasShape<RemoteOrigin>(value, { remote: isText, worker: isText }) ||
    hasShape<CacheOrigin>(value, {
      cache: isText,
      signers: (signers) => Array.isArray(signers) && signers.every(isText),
      builder: isText,
      engine: isText,
    })
  )
}

function isDigestText(value: unknown): boolean {
  return typeof value === 'string' && isDigest(value)
}

/** The text of an entry's file. It states its own name, so a file in another's place is found. */
function formatEntry(name: Digest, entry: IndexEntry): string {
  const named = { ...entry, name }
  return JSON.stringify({ ...named, check: digestOfValue(named) })
}

function parseEntry(name: Digest, text: string): IndexEntry | undefined {
  try {
    const { check, ...named } = JSON.parse(text) as Record<string, unknown>
    // A flipped digit of the artifact would otherwise look like a build that gave another result.
    if (check !== digestOfValue(named)) return undefined
    if (!isNamedEntry(named)) return undefined
    const { name: own, ...entry } = named
    return own === name ? entry : undefined
  } catch {
    return undefined
  }
}
