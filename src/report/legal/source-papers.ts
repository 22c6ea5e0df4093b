import { canonicalJson } from '../../base/canonical.ts'
import { digestOf } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { byCodeUnit } from '../../base/order.ts'
import { readRegularBytes } from '../../base/regular.ts'
import type { LocalFile, Recipe } from '../../metadata/model.ts'
import { sourceDigest } from '../../plan/action-document.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Held } from './held.ts'
import { PAPERS, type Paper } from './paper.ts'

/** Bytes; recipes are far smaller, and no patch or file of one is larger. */
const LARGEST = 256 << 20

/**
 * What goes with the source code of what is held under a copyleft license: a list of its sources,
 * its patches, its files, its recipe with the styles of that, and the action document, which says
 * what ran on what. Fails with `file-changed`.
 */
export async function sourcePapers(held: readonly Held[], plan: Plan): Promise<Paper[]> {
  const papers: Paper[] = []
  for (const { recipe } of held) {
    const { document } = plan.get(recipe.id) ?? {}
    const files = [
      { path: 'SOURCES', bytes: sourceList(recipe) },
      ...(document === undefined ? [] : [{ path: 'action.json', bytes: canonicalJson(document) }]),
      ...(await recipePapers(recipe)),
      ...(await localPapers('patches', recipe.patches)),
      ...(await localPapers('files', recipe.files)),
      ...(await treePapers(recipe)),
    ]
    for (const { path, ...file } of files)
      papers.push({ path: `${PAPERS.source}/${recipe.id}/${path}`, ...file })
  }
  return papers
}

/** The files that state a recipe and its style, in the order they count. */
export function recipeFiles({
  origins,
}: Recipe): { readonly path: string; readonly file: string }[] {
  const files = [...new Set(Object.values(origins).flatMap((all) => all.map(({ file }) => file)))]
  return files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => ({ path: shownPath(file), file }))
    .sort((a, b) => byCodeUnit(a.path, b.path))
}

/** Layer, name and file of a recipe, or folder and file of a style: the same in every checkout. */
function shownPath(file: string): string {
  const parts = file.split('/')
  return parts.slice(parts.at(-2) === 'styles' ? -2 : -3).join('/')
}

async function recipePapers(recipe: Recipe): Promise<Paper[]> {
  const papers: Paper[] = []
  for (const { path, file } of recipeFiles(recipe))
    papers.push({ path: `recipe/${path}`, bytes: await read(file) })
  return papers
}

async function localPapers(folder: string, files: readonly LocalFile[]): Promise<Paper[]> {
  const papers: Paper[] = []
  for (const { name, path, digest, executable } of files) {
    const bytes = await read(path)
    if (digestOf(bytes) !== digest) throw changed(path)
    papers.push({ path: `${folder}/${name}`, bytes, executable })
  }
  return papers
}

/** Sources that are files of the checkout are in no mirror. */
async function treePapers({ sources }: Recipe): Promise<Paper[]> {
  const papers: Paper[] = []
  for (const source of sources)
    if (source.kind === 'tree')
      papers.push(...(await localPapers(`tree/${source.name}`, source.files)))
  return papers
}

/** A line `DIGEST  NAME` for each source, as sha256sum prints it. */
function sourceList({ sources }: Recipe): string {
  return sources.map((source) => `${sourceDigest(source)}  ${source.name}\n`).join('')
}

async function read(path: string): Promise<Buffer> {
  const bytes = await readRegularBytes(path, LARGEST, 'refuse').catch((cause: unknown) => {
    throw changed(path, cause)
  })
  if (bytes === undefined) throw changed(path)
  return bytes
}

function changed(path: string, cause?: unknown): FixpointError {
  return new FixpointError(
    'file-changed',
    `Cannot use "${path}": it is not what it was when the recipes were read`,
    { cause },
  )
}
