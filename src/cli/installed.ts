import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FixpointError } from '../base/error.ts'
import { MANIFEST_PATH, parseManifest } from '../image/manifest.ts'
import { Installed } from '../store/installed.ts'

/** What is installed below `root`, by the manifest there. Fails with `no-manifest` or `manifest-damaged`. */
export async function readInstalled(root: string): Promise<Installed> {
  const path = join(root, MANIFEST_PATH)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FixpointError('usage', 'no-manifest', `Cannot read the manifest "${path}" of what is installed`, {
      hint: '`installed:` in the configuration names the root folder of an image',
      cause,
    })
  })
  const contents = parseManifest(text)
  if (contents === undefined) {
    throw new FixpointError(
      'fetch',
      'manifest-damaged',
      `Cannot use "${path}": it is not the manifest of an image, or damaged`,
    )
  }
  return new Installed(root, contents)
}
