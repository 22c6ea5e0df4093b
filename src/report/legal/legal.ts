import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { FixpointError } from '../../base/error.ts'
import { flushFileSystem } from '../../base/files.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { SourceFinder } from '../../fetch/find-source.ts'
import { fillWhole } from '../../fetch/mirror/fill.ts'
import { fetchedSources, type FileSource } from '../../metadata/model.ts'
import type { Graph } from '../../plan/graph.ts'
import type { Plan } from '../../plan/plan.ts'
import { isNothing, makeNewFolder } from '../../store/new-folder.ts'
import type { Store } from '../../store/store.ts'
import { wantsSource } from './copyleft.ts'
import { heldBy, joinedLicense } from './held.ts'
import { licensePapers } from './license-papers.ts'
import { manifest, relinkingList } from './manifest.ts'
import { PAPERS, type Paper } from './paper.ts'
import { readme } from './readme.ts'
import { sourcePapers } from './source-papers.ts'

/** What papers are made of. */
export interface LegalContext {
  readonly graph: Graph
  readonly plan: Plan
  readonly store: Store
  readonly find: SourceFinder
  readonly signal: AbortSignal
}

/** What is asked for. */
export interface LegalOptions {
  readonly image: RecipeId
  /** The folder to make. */
  readonly target: string
  /** Whether the source files of copyleft parts are copied, too. */
  readonly sources: boolean
}

/** Papers that were written. */
export interface WrittenPapers {
  /** SPDX expression of the image. */
  readonly license: string
  /** Recipes that the image holds something of; of those, the ones of which it holds all files. */
  readonly recipes: number
  readonly installed: number
  /** Recipes whose source goes with the image. */
  readonly copyleft: number
  /** Texts of licenses. */
  readonly texts: number
  /** Source files of copyleft parts; of those, the ones that were copied. */
  readonly sourceFiles: number
  readonly copied: number
  /** Whether the image holds the sources itself. */
  readonly hasMirror: boolean
}

/**
 * Writes the papers that go with an image: a manifest, the texts of licenses, and for copyleft
 * parts what belongs to their source code. The folder comes whole or not at all, and has the same
 * bytes each time. Fails with `papers-there`, `license-changed`, `lint-license`, `file-changed`,
 * and as finding sources does.
 */
export async function writePapers(
  { image, target: path, sources }: LegalOptions,
  { graph, plan, store, find, signal }: LegalContext,
): Promise<WrittenPapers> {
  const target = resolve(path)
  const held = heldBy(graph, image)
  const license = joinedLicense(held)
  const copyleft = held.filter(wantsSource)
  const hasMirror = graph.nodes.get(image)?.mirror !== undefined
  const check = (): Promise<void> => requireNothing(target)
  await check()
  return makeNewFolder(target, { store, signal, check }, async (part) => {
    const texts = await licensePapers(held, { store, find, signal })
    const facts = { image, license, held, copyleft, hasMirror, hasFiles: sources }
    write(part, [
      { path: PAPERS.readme, bytes: readme(facts) },
      { path: PAPERS.manifest, bytes: manifest(held) },
      ...relinkingList(held),
      ...texts,
      ...(await sourcePapers(copyleft, plan)),
    ])
    const files = copyleft.flatMap(({ recipe }) => fetchedSources(recipe.sources))
    const copied = sources ? await copySources(part, files, { find, signal }) : 0
    await flushFileSystem(part)
    return {
      license,
      recipes: held.length,
      installed: held.filter(({ isWhole }) => isWhole).length,
      copyleft: copyleft.length,
      texts: texts.length,
      sourceFiles: new Set(files.map(({ sha256 }) => sha256)).size,
      copied,
      hasMirror,
    }
  })
}

async function copySources(
  part: string,
  sources: readonly FileSource[],
  { find, signal }: Pick<LegalContext, 'find' | 'signal'>,
): Promise<number> {
  const folder = join(part, PAPERS.files)
  const before = 'mirror-or-empty'
  return (await fillWhole({ folder, sources, find, before, signal })).copied
}

function write(folder: string, papers: readonly Paper[]): void {
  for (const { path, bytes, executable = false } of papers) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes, { flag: 'wx', mode: executable ? 0o777 : 0o666 })
  }
}

async function requireNothing(target: string): Promise<void> {
  if (await isNothing(target)) return
  throw new FixpointError(
    'papers-there',
    `Cannot write papers to "${target}": something is there already`,
  )
}
