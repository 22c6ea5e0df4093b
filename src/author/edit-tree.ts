import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { FixpointError } from '../base/error.ts'
import { ifThere } from '../base/files.ts'
import { makeWholeFolder } from '../base/whole-folder.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Action } from '../build/executor.ts'
import { layOutTree, type LayOutContext } from '../build/laid-out-tree.ts'
import type { LocalFile, Source } from '../metadata/model.ts'
import { Git, gitSaid } from './git.ts'

/**
 * Settings of a tree's repository: its recipe, its sources, its patches, the commit after the last
 * one, and the commit and patches that were to be written last.
 */
export const RECIPE = 'fixpoint.recipe'
export const SOURCES = 'fixpoint.sources'
export const PATCHES = 'fixpoint.patches'
export const BASE = 'fixpoint.base'
export const WRITING = 'fixpoint.writing'

/**
 * Makes `target`, which is not there yet, a git repository of a recipe's sources as its steps find
 * them: a first commit with what was unpacked, and one for each patch of the recipe. Fails with
 * `edit-there`, `edit-empty`, `edit-git`, `edit-patch`, `git-failed`, `no-git`, or as unpacking
 * does.
 */
export async function makeEditTree(
  action: Action,
  target: string,
  context: LayOutContext,
): Promise<void> {
  if ((await ifThere(lstat(target))) !== undefined)
    throw new FixpointError('edit-there', `Cannot make "${target}": something is there`)
  const unpacked = await unpackSources(action, context)
  await refuseRepositories(unpacked, action.recipe)
  await makeWholeFolder(target, async (part) => {
    await copyInto(part, unpacked, context.signal)
    await commitAll(new Git(part, context.signal), part, action)
  })
}

/** Resolves to the folder of what the engine's own step unpacks. It goes with the session. */
async function unpackSources(action: Action, context: LayOutContext): Promise<string> {
  if (action.sources.every(({ to }) => to === undefined))
    throw new FixpointError('edit-empty', `Cannot edit ${action.recipe}: it unpacks no sources`)
  return (await layOutTree(action, ['unpack'], context)).source
}

/** Copies what is in a folder. By a program: Node copies no files whose names are not UTF-8. */
async function copyInto(target: string, folder: string, signal: AbortSignal): Promise<void> {
  const words = ['-R', '-P', '-p', `${folder}/.`, target]
  const { failed, stderr } = await execa('cp', words, { reject: false, cancelSignal: signal })
  signal.throwIfAborted()
  if (failed) throw new FixpointError('edit-copy', `Cannot make "${target}": ${stderr.trim()}`)
}

/** Git would take the settings, and with them the programs, of a repository in a tarball. */
async function refuseRepositories(folder: string, recipe: string): Promise<void> {
  const names = await readdir(folder, { recursive: true })
  const found = names.find((name) => basename(name).toLowerCase() === '.git')
  if (found !== undefined)
    throw new FixpointError(
      'edit-git',
      `Cannot edit ${recipe}: its sources hold "${found}", which git would take for its own`,
    )
}

async function commitAll(git: Git, folder: string, action: Action): Promise<void> {
  await git.run(['init', '--quiet', '--template=', '--initial-branch=fixpoint'])
  // Files that attributes of the sources would convert must stay as they are.
  await mkdir(join(folder, '.git', 'info'), { recursive: true })
  await writeFile(
    join(folder, '.git', 'info', 'attributes'),
    '* -text -filter -ident -eol -working-tree-encoding !diff\n',
  )
  await git.run(['add', '--all', '--force'])
  await commit(git, `The sources of ${action.recipe}\n`)
  for (const patch of action.patches) {
    await apply(git, patch, action.recipe)
    await commit(git, await messageOf(patch))
  }
  const head = (await git.run(['rev-parse', 'HEAD'])).trim()
  await git.run(['config', RECIPE, action.recipe])
  await git.run(['config', SOURCES, digestsOfSources(action.sources)])
  await noteBase(git, head, action.patches)
}

async function apply(git: Git, { name, path }: LocalFile, recipe: RecipeId): Promise<void> {
  try {
    await git.run(['apply', '--index', '--whitespace=nowarn', path])
  } catch (error) {
    if (!(error instanceof FixpointError) || error.code !== 'git-failed') throw error
    const reason = gitSaid(error.cause)
      .map((line) => line.replace(/^error: /, ''))
      .join('; ')
    throw new FixpointError(
      'edit-patch',
      `Cannot edit ${recipe}: its patch "${name}" does not apply: ${reason}`,
      { position: { file: path } },
    )
  }
}

/** Notes that a commit stands for the sources with all of the recipe's patches. */
export async function noteBase(
  git: Git,
  commitId: string,
  patches: readonly LocalFile[],
): Promise<void> {
  await git.run(['config', BASE, commitId])
  await git.run(['config', PATCHES, digestsOf(patches)])
}

/** A recipe's patches, as a setting names them. */
export function digestsOf(patches: readonly Pick<LocalFile, 'digest'>[]): string {
  return patches.map(({ digest }) => digest).join(' ')
}

/** What a recipe's sources hold, as a setting names it. */
export function digestsOfSources(sources: readonly Source[]): string {
  return sources.map((one) => (one.kind === 'file' ? one.sha256 : one.digest)).join(' ')
}

async function commit(git: Git, message: string): Promise<void> {
  // A message may have lines that begin with "#".
  await git.run(['commit', '--quiet', '--allow-empty', '--cleanup=verbatim', '--file=-'], message)
}

/** The description of a patch, or its name. */
async function messageOf({ name, path }: LocalFile): Promise<string> {
  const text = await readFile(path, 'utf8')
  const start = text.search(/^(?:diff --git |--- |Index: )/m)
  const description = text.slice(0, Math.max(0, start)).trim()
  return `${asMessage(description === '' ? name : description)}\n`
}

/** Columns of a commit's subject. */
const WIDTH = 72

/**
 * A description as a commit's message: its first line is the subject, and the rest is the body. Of
 * a longer first line, the subject is the beginning, and the body is the whole description.
 */
export function asMessage(description: string): string {
  const [first = '', ...more] = description.split('\n')
  const rest = more.join('\n').replace(/^(?:[ \t]*\n)+/, '')
  if (first.length <= WIDTH) return rest === '' ? first : `${first}\n\n${rest}`
  const words = first.slice(0, WIDTH).replace(/\s+\S*$/, '')
  return `${words}\n\n${description}`
}
