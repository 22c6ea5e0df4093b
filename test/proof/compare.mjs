// compare.mjs FIRST.json SECOND.json STORE CANARY: compares the recipes of two builds of an image above the bootstrap, and searches the second's
// artifacts for a canary that its host holds. Exit 5 when anything differs or the canary is where it must not be.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const [first, second, store, canary] = process.argv.slice(2)
const read = (path) => new Map(JSON.parse(readFileSync(path, 'utf8')).recipes.map((entry) => [entry.recipe, entry]))
const [a, b] = [read(first), read(second)]
const holds = ({ artifact }) => readFileSync(join(store, 'blobs', artifact.slice(0, 2), artifact)).includes(canary)

const faults = []
let [same, infected] = [0, 0]
for (const [recipe, entry] of b) {
  if (recipe.startsWith('bootstrap/')) {
    if (entry.artifact !== undefined && holds(entry)) infected += 1
    continue
  }
  const other = a.get(recipe)
  for (const what of ['key', 'artifact']) if (entry[what] !== other?.[what]) faults.push(`${recipe}: ${what} ${other?.[what]} and ${entry[what]}`)
  if (holds(entry)) faults.push(`${recipe}: holds the canary`)
  same += 1
}
if (a.size !== b.size) faults.push(`${a.size} recipes and ${b.size}`)
if (infected === 0) faults.push('no artifact of the bootstrap holds the canary: it was not planted well')
for (const fault of faults) console.log(fault)
console.log(`${same} artifacts above the bootstrap compared; the canary is in ${infected} artifacts of the bootstrap`)
process.exit(faults.length === 0 ? 0 : 5)
