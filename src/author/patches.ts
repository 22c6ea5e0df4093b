import { combineFailures, FixpointError } from '../base/error.ts'
import { counted } from '../base/format.ts'
import { byCodeUnit } from '../base/order.ts'
import { checkPatch } from '../metadata/format/patch-file.ts'
import { PATCH_REASONS, type PatchCode } from '../metadata/format/patch-reasons.ts'
import { Faults } from '../metadata/yaml/faults.ts'
import type { Git } from './git.ts'

/** A patch that is not written yet. */
export interface NewPatch {
  readonly name: string
  /** As git has them, in whatever encoding the files are. */
  readonly bytes: Buffer
}

/** Digits of a number where no patch has one yet. */
const WIDTH = 4

/** How the names of new patches begin, from the first one on. */
export type Numbering = (index: number) => string

/** Numbers that come after patches with `names`, as names are sorted. */
export function numberingAfter(names: readonly string[]): Numbering {
  const last = [...names].sort(byCodeUnit).at(-1)
  const number = last === undefined ? '' : (/^\d+/.exec(last)?.[0] ?? '')
  const letter = last !== undefined && number === '' ? 'z' : ''
  const width = number === '' ? WIDTH : number.length
  return (index) => `${letter}${String(Number(number) + 1 + index).padStart(width, '0')}`
}

/** Characters of a patch's name that come from the first line of its description. */
const LONGEST_SUBJECT = 50

/**
 * The commits of a tree since `base`, each as a patch with its description.
 * Fails with `edit-uncommitted`, `edit-rewritten`, `edit-merge` or `edit-empty-commit`, and with
 * the faults of patches that a build could not apply.
 */
export async function newPatches(
  git: Git,
  base: string,
  numbering: Numbering,
): Promise<NewPatch[]> {
  await requireCommitted(git)
  await requireStraight(git, base)
  const ids = linesOf(await git.run(['rev-list', '--reverse', `${base}..HEAD`]))
  const patches: NewPatch[] = []
  const failures: FixpointError[] = []
  for (const [index, id] of ids.entries()) {
    const commit = await commitOf(git, id)
    const patch = patchOf(commit, numbering(index))
    failures.push(
      ...(commit.changes.length === 0 ? [emptyCommit(commit)] : faultsOf(commit, patch)),
    )
    patches.push(patch)
  }
  if (failures.length > 0) throw combineFailures(failures)
  return patches
}

/** Files that git does not know yet, and that no commit has. */
export async function untracked(git: Git): Promise<string[]> {
  return linesOf(await git.run(['ls-files', '--others', '--exclude-standard']))
}

async function requireCommitted(git: Git): Promise<void> {
  const changed = linesOf(await git.run(['status', '--porcelain', '--untracked-files=no']))
  if (changed.length === 0) return
  throw new FixpointError(
    'edit-uncommitted',
    `Cannot make patches of "${git.folder}": ${counted(changed.length, 'file')} with changes ` +
      `that no commit has, such as "${changed[0]?.slice(3) ?? ''}"`,
  )
}

async function requireStraight(git: Git, base: string): Promise<void> {
  const common = await git.run(['merge-base', base, 'HEAD']).catch(() => '')
  if (common.trim() !== base)
    throw new FixpointError(
      'edit-rewritten',
      `Cannot make patches of "${git.folder}": the commits that it began with were changed`,
    )
  const merges = linesOf(await git.run(['rev-list', '--merges', `${base}..HEAD`]))
  if (merges.length > 0)
    throw new FixpointError(
      'edit-merge',
      `Cannot make patches of "${git.folder}": commit ${merges[0] ?? ''} is a merge`,
    )
}

interface Commit {
  readonly id: string
  readonly message: string
  readonly subject: string
  /** A patch without a description; empty where the commit changes nothing. */
  readonly changes: Buffer
}

async function commitOf(git: Git, id: string): Promise<Commit> {
  const message = (await git.run(['log', '-1', '--format=%B', id])).trim()
  const changes = await git.bytes([
    'diff-tree',
    ...['-p', '--no-commit-id', '--no-renames', '--full-index', '--no-ext-diff', '--no-textconv'],
    ...['--src-prefix=a/', '--dst-prefix=b/', '--unified=3', '--diff-algorithm=myers'],
    id,
  ])
  const [subject = ''] = message.split('\n')
  return { id, message, subject, changes }
}

function patchOf({ message, subject, changes }: Commit, number: string): NewPatch {
  return {
    name: nameOf(subject, number),
    bytes: Buffer.concat([Buffer.from(`${message}\n\n`), changes]),
  }
}

function emptyCommit(commit: Commit): FixpointError {
  return new FixpointError('edit-empty-commit', `${cannotUse(commit)}: it is empty`)
}

/** What a build could not apply. The patch is in no file yet, so the errors name its commit. */
function faultsOf(commit: Commit, { name, bytes }: NewPatch): FixpointError[] {
  const faults = new Faults()
  checkPatch(name, bytes.toString(), faults)
  const linesOfMessage = commit.message.split('\n').length
  return faults.sorted().map(({ code, position, hint }) => {
    const [reason] = PATCH_REASONS[code as PatchCode]
    const [line = ''] = position?.frame?.split('\n') ?? []
    const isOfMessage = position?.line !== undefined && position.line <= linesOfMessage
    return new FixpointError(code, `${cannotUse(commit)}: ${reason}\n  ${line}`, {
      hint: isOfMessage ? 'Reword the message of the commit' : hint,
    })
  })
}

function cannotUse({ id, subject }: Commit): string {
  return `Cannot make a patch of commit ${id.slice(0, 12)} "${subject}"`
}

function nameOf(subject: string, number: string): string {
  const words = subject
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_SUBJECT)
    .replace(/^-|-$/g, '')
  return `${number}-${words === '' ? 'change' : words}.patch`
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
