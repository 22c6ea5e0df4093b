import { stat } from 'node:fs/promises'
import { openNamedFile } from '../../base/beneath.ts'
import { isDigest } from '../../base/digest.ts'
import { FixpointError } from '../../base/error.ts'
import { EXIT } from '../../base/exit.ts'
import { counted } from '../../base/format.ts'
import { compareListings } from '../../store/artifact/compare-listings.ts'
import type { UnpackedArtifact } from '../../store/rooms.ts'
import type { Store } from '../../store/store.ts'
import { differenceOfFiles, firstDifference } from '../../verify/first-difference.ts'
import type { CommandContext } from '../context.ts'

/**
 * `diff A B`: compares two artifacts of the store, named by digest, or two files; exit code 5 when
 * they differ.
 */
export async function diffCommand(command: CommandContext, a: string, b: string): Promise<void> {
  const store = await command.store()
  const [first, second] = [await find(store, a), await find(store, b)]
  if (first.kind !== second.kind)
    throw new FixpointError(
      'not-comparable',
      `Cannot compare "${a}" with "${b}": one is an artifact, the other a file`,
    )
  const difference =
    first.kind === 'artifact' && second.kind === 'artifact'
      ? await compareArtifacts(command, first.tree, second.tree)
      : await compareFiles(a, b)
  if (difference === undefined) {
    await command.result(['identical'], { type: 'identical' })
    return
  }
  await command.result([difference], { type: 'difference', difference })
  process.exitCode = EXIT.notReproducible
}

async function find(
  store: Store,
  word: string,
): Promise<{ kind: 'artifact'; tree: UnpackedArtifact } | { kind: 'file' }> {
  const found = await stat(word).catch(() => undefined)
  if (found !== undefined && !found.isFile())
    throw new FixpointError('not-comparable', `Cannot compare "${word}": it is no regular file`)
  if (found !== undefined) return { kind: 'file' }
  if (isDigest(word) && store.blobs.has(word))
    return { kind: 'artifact', tree: await store.trees.unpack(word) }
  throw new FixpointError(
    'nothing-to-compare',
    `Cannot find "${word}": it is neither a file nor the digest of a stored artifact`,
  )
}

async function compareArtifacts(
  command: CommandContext,
  a: UnpackedArtifact,
  b: UnpackedArtifact,
): Promise<string | undefined> {
  const first = await firstDifference(a, b)
  if (first === undefined) return undefined
  for (const { path, a: left, b: right } of compareListings(a.listing, b.listing)) {
    const mark = left === undefined ? '+' : right === undefined ? '-' : '~'
    await command.result([`${mark} ${path}`], { type: 'entry', mark, path })
  }
  return (
    `The artifacts differ in ${counted(first.count, 'entry', 'entries')}, first in ` +
    `"${first.path}": ${first.what}`
  )
}

async function compareFiles(a: string, b: string): Promise<string | undefined> {
  const difference = await differenceOfFiles(openNamedFile(a), openNamedFile(b))
  return difference === undefined ? undefined : `The files differ at ${difference}`
}
