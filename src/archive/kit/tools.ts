import { join } from 'node:path'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Store } from '../../store/store.ts'
import type { KitFile } from './bag.ts'
import { KIT } from './layout.ts'

/** The program that starts the engine of a kit, by sh. */
export const FRONT = `${KIT.tools}/fixpoint`

/** Programs of the image that a kit holds as files. They are static, so any Linux runs them. */
const PROGRAMS: readonly { readonly recipe: string; readonly path: string }[] = [
  { recipe: 'toolchain/busybox', path: 'usr/bin/busybox' },
  { recipe: 'runtime/bubblewrap', path: 'usr/bin/bwrap' },
  { recipe: 'runtime/node', path: 'usr/bin/node' },
  { recipe: 'base/squashfs-tools', path: 'usr/bin/unsquashfs' },
]

/** Artifacts of the image that a kit holds as they are: tar files. */
const ARTIFACTS: readonly { readonly recipe: string; readonly path: string }[] = [
  { recipe: 'runtime/fixpoint', path: `${KIT.tools}/engine.tar` },
  { recipe: 'appliance/checkout', path: KIT.checkout },
]

/**
 * What lets a kit restore itself on a machine without Node and network: static programs, the engine
 * and the recipes, all from the image. None where the image does not hold all of them.
 */
export async function toolFiles(
  plan: Plan,
  { store, signal }: { readonly store: Store; readonly signal: AbortSignal },
): Promise<KitFile[]> {
  const artifactOf = (recipe: string) => plan.get(recipe as RecipeId)?.artifact
  if ([...PROGRAMS, ...ARTIFACTS].some(({ recipe }) => artifactOf(recipe) === undefined)) return []
  const files: KitFile[] = [{ path: FRONT, text: START, executable: true }]
  for (const { recipe, path } of PROGRAMS) {
    const artifact = artifactOf(recipe)
    if (artifact === undefined) continue
    const { folder, listing } = await store.trees.unpack(artifact, signal)
    const entry = listing.find((one) => one.path === path)
    if (entry?.type !== 'file') throw new TypeError(`${recipe} has no "${path}"`)
    const name = path.slice(path.lastIndexOf('/') + 1)
    files.push({
      path: `${KIT.tools}/${name}`,
      from: join(folder, path),
      sha256: entry.sha256,
      executable: true,
    })
  }
  for (const { recipe, path } of ARTIFACTS) {
    const artifact = artifactOf(recipe)
    if (artifact === undefined) continue
    files.push({ path, from: await store.blobs.uncheckedFile(artifact, signal), sha256: artifact })
  }
  return files
}

/** Runs the engine of the kit that it lies in. The kit may be read-only, and its disk without modes. */
const START = `#!/bin/sh
# Runs the engine that is in this kit: sh data/tools/fixpoint COMMAND...
# Nothing is written to the kit; programs and engine are unpacked to a temporary folder.
set -eu
here=$(cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work/bin"
for name in busybox bwrap node unsquashfs; do
  cp "$here/$name" "$work/bin/$name"
  chmod 755 "$work/bin/$name"
done
"$work/bin/busybox" --install -s "$work/bin"
"$work/bin/busybox" tar -x -f "$here/engine.tar" -C "$work"
"$work/bin/busybox" tar -x -f "$here/../metadata/checkout.tar" -C "$work"
PATH=$work/bin:$PATH
export PATH
"$work/bin/node" "$work/usr/lib/fixpoint/dist/src/cli/main.js" "$@"
`
