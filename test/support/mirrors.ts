import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../../src/base/digest.ts'
import { temporaryFolder } from './temporary.ts'

/** Text of a list of these files, in the form of sha256sum(1). */
export function sumsOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  return Object.entries(files)
    .map(([name, content]) => `${digestOf(content)}  ${name}\n`)
    .join('')
}

/** Makes a mirror of these files, by default in a new folder that goes away with the test. */
export async function makeMirror(
  files: Readonly<Record<string, string | Uint8Array>>,
  folder?: string,
): Promise<string> {
  const mirror = folder ?? (await temporaryFolder())
  for (const [name, content] of Object.entries(files)) await writeFile(join(mirror, name), content)
  await writeFile(join(mirror, 'SHA256SUMS'), sumsOf(files))
  return mirror
}

/** Digests of what is in a mirror, by name, its list included. */
export async function digestsIn(mirror: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const name of (await readdir(mirror)).sort())
    digests[name] = digestOf(await readFile(join(mirror, name)))
  return digests
}
