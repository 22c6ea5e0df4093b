import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readText } from '../base/beneath.ts'
import { digestOfValue } from '../base/canonical.ts'
import { isDigest, type Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'
import { commitToStore, unreadableFile } from './layout.ts'

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

/**
 * A recipe's past actions, oldest first; `name` finds the entry. Only advises: the queue's order,
 * `why` and `log` read it.
 */
export interface HistoryEntry {
  readonly name: Digest
  readonly durationMs: number
  readonly peakMemory: number
}

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value))

const historySchema: z.ZodType<HistoryEntry[]> = z.array(
  z.object({
    name: digest,
    durationMs: z.number(),
    peakMemory: z.number(),
  }),
)

/** How many past actions of a recipe are remembered. */
const REMEMBERED = 5

/**
 * The index: key -> artifact, one small file each, so that two engines never write the same one
 * with different contents.
 */
export class Index {
  readonly #folder: string
  readonly #onDamage: (file: string, reason: string) => void
  readonly #temporaryPath: (label: string) => Promise<string>
  readonly #damaged = new Set<Digest>()

  /**
   * `onDamage` is told of each damaged entry once; `temporaryPath` gives fresh paths on the index's
   * file system that do not outlive a crash.
   */
  constructor(
    folder: string,
    onDamage: (file: string, reason: string) => void,
    temporaryPath: (label: string) => Promise<string>,
  ) {
    this.#folder = folder
    this.#onDamage = onDamage
    this.#temporaryPath = temporaryPath
  }

  /**
   * The entry named `name` (the key; for actions that see the host, key and host fingerprint hashed
   * together). Reads no blob.
   */
  find(name: Digest): IndexEntry | undefined {
    const path = join(this.#folder, name)
    const text = this.#read(path)
    if (text === undefined) return undefined
    const entry = parseEntry(name, text)
    if (entry === undefined && !this.#damaged.has(name)) {
      this.#damaged.add(name)
      this.#onDamage(path, 'not the index entry of that name; taken for missing')
    }
    return entry
  }

  /** The text of a file; none when it is no file, undefined when nothing is there. */
  #read(path: string): string | undefined {
    try {
      return readText(path)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      if (error instanceof FixpointError) return ''
      throw unreadableFile(path, error)
    }
  }

  /** Records a finished action. */
  async record(name: Digest, entry: IndexEntry): Promise<void> {
    await this.#write(name, formatEntry(name, entry))
    this.#damaged.delete(name)
    const history = this.history(entry.recipe).filter((past) => past.name !== name)
    history.push({ name, durationMs: entry.durationMs, peakMemory: entry.peakMemory })
    await this.#write(historyFile(entry.recipe), JSON.stringify(history.slice(-REMEMBERED)))
  }

  /** Past actions of a recipe, oldest first. */
  history(recipe: RecipeId): HistoryEntry[] {
    try {
      return historySchema.parse(JSON.parse(readText(join(this.#folder, historyFile(recipe)))))
    } catch {
      return []
    }
  }

  async #write(name: string, text: string): Promise<void> {
    const temporary = await this.#temporaryPath('index')
    await writeFile(temporary, text)
    await commitToStore(temporary, join(this.#folder, name))
  }
}

function historyFile(recipe: RecipeId): string {
  return `${recipe.replace('/', '@')}.history`
}

const entrySchema = z.object({
  name: digest,
  recipe: z.custom<RecipeId>((value) => typeof value === 'string' && /^[^/]+\/[^/]+$/.test(value)),
  key: digest,
  artifact: digest,
  document: z.unknown(),
  size: z.number(),
  durationMs: z.number(),
  cpuMs: z.number(),
  peakMemory: z.number(),
})

/**
 * The text of a file of the index. It says its own name, so that a file in another's place is
 * noticed.
 */
function formatEntry(name: Digest, entry: IndexEntry): string {
  const named = { ...entry, name }
  return JSON.stringify({ ...named, check: digestOfValue(named) })
}

function parseEntry(name: Digest, text: string): IndexEntry | undefined {
  try {
    const { check, ...named } = JSON.parse(text) as Record<string, unknown>
    // A flipped digit of the artifact would otherwise look like a build that gave another result.
    if (check !== digestOfValue(named)) return undefined
    const { name: own, ...entry } = entrySchema.parse(named)
    return own === name ? entry : undefined
  } catch {
    return undefined
  }
}
