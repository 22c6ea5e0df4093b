import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { readRegular } from '../base/regular.ts'
import { MANIFEST_PATH, parseManifest } from './manifest.ts'
import { Installed } from '../store/local/installed.ts'

/** Bytes; a manifest lists every file of an image, in some hundred bytes each. */
const LARGEST_MANIFEST = 256 << 20

/**
 * What is installed below `root`, by the manifest there. Fails with `no-manifest` or
 * `manifest-damaged`.
 */
export async function readInstalled(root: string): Promise<Installed> {
  const path = join(root, MANIFEST_PATH)
  const text = await readRegular(path, LARGEST_MANIFEST, 'refuse').catch((cause: unknown) => {
    throw new FixpointError(
      'no-manifest',
      `Cannot read the manifest "${path}" of what is installed`,
      { cause },
    )
  })
  const contents = text === undefined ? undefined : parseManifest(text)
  if (contents === undefined) {
    throw new FixpointError(
      'manifest-damaged',
      `Cannot use "${path}": it is not the manifest of an image, or damaged`,
    )
  }
  return new Installed(root, contents)
}

/**
 * Makes sure that an image's root holds what its manifest lists, byte for byte, and nothing else.
 * Fails with `installed-damaged` or `not-listed`.
 */
export async function checkInstalled(root: string, installed: Installed): Promise<void> {
  for (const { artifact } of installed.artifacts) await installed.pack(artifact, undefined)
  const listed = new Set([MANIFEST_PATH, 'usr/share', 'usr/share/fixpoint'])
  for (const { listing } of installed.artifacts) for (const { path } of listing) listed.add(path)
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (!listed.has(path)) {
        throw new FixpointError(
          'not-listed',
          `Cannot use the root "${root}" of an image: "${path}" is not in its manifest`,
        )
      }
      if (entry.isDirectory()) await visit(path)
    }
  }
  await visit('')
}
