import { readFileSync } from 'node:fs'
import type { Digest } from '../../src/base/digest.ts'
import { blobPath } from '../../src/store/local/layout.ts'
import { Store } from '../../src/store/store.ts'
import { firstDifference } from '../../src/verify/first-difference.ts'

/** A recipe as the manifest beside an image tells of it. */
interface Entry {
  readonly recipe: string
  readonly key: string
  readonly artifact?: Digest
}

/** The manifest beside an image, as far as it is looked at. */
interface Manifest {
  readonly recipes: readonly Entry[]
  readonly host: { readonly compilers: Readonly<Record<string, string>> }
}

/**
 * compare FIRST.json SECOND.json FIRST-STORE SECOND-STORE CANARY: compares the recipes of two
 * builds of an image above the bootstrap, and searches the second's artifacts in its store for two
 * strings of its host: the canary, and what its compiler calls itself. Exit 5 when anything
 * differs, when one of them is where it must not be, or nowhere at all, or when one compiler made
 * both: then nothing was shown.
 */
const [first = '', second = '', firstStore = '', secondStore = '', canary = ''] =
  process.argv.slice(2)
const [a, b] = [read(first), read(second)]
const open = (folder: string): Promise<Store> =>
  Store.open(folder, { emit: () => undefined, now: () => performance.now() })
const [storeA, storeB] = [await open(firstStore), await open(secondStore)]
const faults: string[] = []
const [ccA = '', ccB = ''] = [a, b].map(({ host }) => host.compilers['cc'])
/**
 * As in the section `.comment` of what it compiles; in front of it in the manifest are its path,
 * size and name.
 */
const version = /\(.*|\S+ clang version .*/.exec(ccB)?.[0] ?? ccB
const marks = new Map([canary, version].map((mark) => [mark, 0]))
let same = 0

const before = new Map(a.recipes.map((entry) => [entry.recipe, entry]))
for (const entry of b.recipes) {
  const { recipe, artifact } = entry
  const bytes = artifact === undefined ? Buffer.of() : readFileSync(blobPath(storeB.root, artifact))
  const found = [...marks.keys()].filter((mark) => bytes.includes(mark))
  if (recipe.startsWith('bootstrap/')) {
    for (const mark of found) marks.set(mark, (marks.get(mark) ?? 0) + 1)
    continue
  }
  const other = before.get(recipe)
  for (const mark of found) faults.push(`${recipe}: holds "${mark}"`)
  if (entry.key !== other?.key) faults.push(`${recipe}: key ${String(other?.key)} and ${entry.key}`)
  if (artifact !== other?.artifact)
    faults.push(`${recipe}: ${await describe(other?.artifact, artifact)}`)
  same += 1
}
if (a.recipes.length !== b.recipes.length) {
  faults.push(`${String(a.recipes.length)} recipes and ${String(b.recipes.length)}`)
}
for (const [mark, infected] of marks) {
  if (infected === 0)
    faults.push(`no artifact of the bootstrap holds "${mark}": to find none above it shows nothing`)
}
if (ccA === ccB) faults.push(`both were built with the compiler ${ccA}`)
await storeA.session.close()
await storeB.session.close()
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.stdout.write(
  `${String(same)} artifacts above the bootstrap compared\n` +
    `compilers of the bootstrap: ${ccA} and ${ccB}\n` +
    [...marks]
      .map(([mark, infected]) => `"${mark}" is in ${String(infected)} artifacts of the bootstrap\n`)
      .join(''),
)
process.exitCode = faults.length === 0 ? 0 : 5

function read(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

/** How two artifacts differ, in words. */
async function describe(one: Digest | undefined, two: Digest | undefined): Promise<string> {
  if (one === undefined || two === undefined) return `${String(one)} and ${String(two)}`
  const difference = await firstDifference(
    await storeA.trees.unpack(one),
    await storeB.trees.unpack(two),
  )
  if (difference === undefined) return `${one} and ${two}`
  return `"${difference.path}": ${difference.what} (${String(difference.count)} entries differ)`
}
