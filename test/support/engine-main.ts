import { rm } from 'node:fs/promises'
import type { BuildOptions } from '../../src/build/build-context.ts'
import type { Recipe } from '../../src/metadata/model.ts'
import { verifyStore } from '../../src/store/verify-store.ts'
import { toyBuild, toyMetadata, toyStore } from './toy.ts'

/** What the process is asked to do, as JSON in its only argument. */
export interface EngineTask {
  readonly store: string
  readonly recipes: readonly Recipe[]
  readonly targets: readonly string[]
  readonly options?: Partial<BuildOptions>
  /** Folder to pack into the store, again and again, instead of a build. */
  readonly pack?: string
  /** File to remove after the build; then it is done again, as by the next run of an engine. */
  readonly again?: string
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/**
 * An engine in a process of its own, for tests that kill it: builds toy recipes and prints a line
 * of JSON for each event.
 */
async function main({ store, recipes, targets, options, pack, again }: EngineTask): Promise<void> {
  const toy = await toyStore(store, print)
  while (pack !== undefined)
    print({ type: 'packed', ...(await toy.store.trees.pack(pack)), listing: [] })
  const { failures, ran, plan } = await toyBuild(toy, toyMetadata(...recipes), targets, options)
  const codes = [...failures.values()].map((error) =>
    error instanceof Error && 'code' in error ? error.code : String(error),
  )
  const artifacts = Object.fromEntries([...plan].map(([id, { artifact }]) => [id, artifact]))
  await toy.store.session.close()
  print({ type: 'result', ran, codes, artifacts, faults: await verifyStore(toy.store) })
  if (again === undefined) return
  await rm(again)
  await main({ store, recipes, targets, ...(options && { options }) })
}

await main(JSON.parse(process.argv[2] ?? '') as EngineTask)
