import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { digestOfValue } from '../base/canonical.ts'
import { isDigest, type Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/events.ts'
import { commitFile, errorCode } from '../base/files.ts'
import { unreadable } from './layout.ts'

/** What is known of a finished action. */
export interface IndexEntry {
  readonly recipe: RecipeId
  readonly key: Digest
  readonly artifact: Digest
  /** The action document, as it was hashed. */
  readonly document: unknown
  /** Bytes of the artifact's tar. */
  readonly size: number
  readonly durationMs: number
  readonly cpuMs: number
  /** Bytes; the largest sum over the action's processes that was seen. */
  readonly peakMemory: number
}

/** A recipe's past actions, oldest first; `name` finds the entry. Only advises: the queue's order, `why` and `log` read it. */
export interface HistoryEntry {
  readonly name: Digest
  readonly durationMs: number
  readonly peakMemory: number
}

const historySchema: z.ZodType<HistoryEntry[]> = z.array(
  z.object({
    name: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
    durationMs: z.number(),
    peakMemory: z.number(),
  }),
)

/** How many past actions of a recipe are remembered. */
const REMEMBERED = 5

/** The index: key -> artifact, one small file each, so that two engines never write the same one with different contents. */
export class Index {
  readonly #folder: string
  readonly #onDamage: (file: string, reason: string) => void
  readonly #temporaryPath: (label: string) => Promise<string>
  readonly #damaged = new Set<Digest>()

  /** `onDamage` is told of each damaged entry once; `temporaryPath` gives fresh paths on the index's file system that do not outlive a crash. */
  constructor(
    folder: string,
    onDamage: (file: string, reason: string) => void,
    temporaryPath: (label: string) => Promise<string>,
  ) {
    this.#folder = folder
    this.#onDamage = onDamage
    this.#temporaryPath = temporaryPath
  }

  /** The entry named `name` (the key; for actions that see the host, key and host fingerprint hashed together). Reads no blob. */
  find(name: Digest): IndexEntry | undefined {
    const path = join(this.#folder, name)
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw unreadable(path, error)
    }
    const entry = parseEntry(text)
    if (entry === undefined && !this.#damaged.has(name)) {
      this.#damaged.add(name)
      this.#onDamage(path, 'not an index entry; taken for missing')
    }
    return entry
  }

  /** Records a finished action. */
  async record(name: Digest, entry: IndexEntry): Promise<void> {
    await this.#write(name, JSON.stringify({ ...entry, check: digestOfValue(entry) }))
    this.#damaged.delete(name)
    const history = (await this.history(entry.recipe)).filter((past) => past.name !== name)
    history.push({ name, durationMs: entry.durationMs, peakMemory: entry.peakMemory })
    await this.#write(historyFile(entry.recipe), JSON.stringify(history.slice(-REMEMBERED)))
  }

  /** Past actions of a recipe, oldest first. */
  async history(recipe: RecipeId): Promise<HistoryEntry[]> {
    try {
      return historySchema.parse(JSON.parse(await readFile(join(this.#folder, historyFile(recipe)), 'utf8')))
    } catch {
      return []
    }
  }

  async #write(name: string, text: string): Promise<void> {
    const temporary = await this.#temporaryPath('index')
    await writeFile(temporary, text)
    await commitFile(temporary, join(this.#folder, name))
  }
}

function historyFile(recipe: RecipeId): string {
  return `${recipe.replace('/', '@')}.history`
}

function parseEntry(text: string): IndexEntry | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { check, ...entry } = value as Partial<IndexEntry> & { readonly check?: unknown }
    // A flipped digit of the artifact would otherwise look like a build that gave another result.
    if (check !== undefined && check !== digestOfValue(entry)) return undefined
    return typeof entry.key === 'string' && typeof entry.artifact === 'string' && isDigest(entry.artifact)
      ? (entry as IndexEntry)
      : undefined
  } catch {
    return undefined
  }
}
