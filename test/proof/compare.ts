import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A recipe as the manifest beside an image tells of it. */
interface Entry {
  readonly recipe: string
  readonly key: string
  readonly artifact?: string
}

/**
 * compare FIRST.json SECOND.json STORE CANARY: compares the recipes of two builds of an image above the bootstrap, and searches the second's artifacts in its
 * store for a string that its host holds. Exit 5 when anything differs, or the string is where it must not be, or nowhere at all.
 */
const [first = '', second = '', store = '', canary = ''] = process.argv.slice(2)
const read = (path: string): Map<string, Entry> => {
  const { recipes } = JSON.parse(readFileSync(path, 'utf8')) as { recipes: Entry[] }
  return new Map(recipes.map((entry) => [entry.recipe, entry]))
}
const holds = ({ artifact }: Entry): boolean =>
  artifact !== undefined && readFileSync(join(store, 'blobs', artifact.slice(0, 2), artifact)).includes(canary)

const [a, b] = [read(first), read(second)]
const faults: string[] = []
let same = 0
let infected = 0
for (const [recipe, entry] of b) {
  if (recipe.startsWith('bootstrap/')) {
    if (holds(entry)) infected += 1
    continue
  }
  const other = a.get(recipe)
  if (entry.key !== other?.key) faults.push(`${recipe}: key ${String(other?.key)} and ${entry.key}`)
  if (entry.artifact !== other?.artifact)
    faults.push(`${recipe}: ${String(other?.artifact)} and ${String(entry.artifact)}`)
  if (holds(entry)) faults.push(`${recipe}: holds the canary`)
  same += 1
}
if (a.size !== b.size) faults.push(`${String(a.size)} recipes and ${String(b.size)}`)
if (infected === 0) faults.push('no artifact of the bootstrap holds the canary: it was not planted well')
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.stdout.write(
  `${String(same)} artifacts above the bootstrap compared; the canary is in ${String(infected)} of the bootstrap\n`,
)
process.exitCode = faults.length === 0 ? 0 : 5
