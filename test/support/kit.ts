import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createParity } from '../../src/archive/par2/create.ts'
import { noise, writeFiles, type Content } from './parity.ts'

export const BLOCK = 1024
export const RECOVERY = 8
export const IMAGE = 'data/images/toy.img'

/** The payload of a toy kit: 40 + 20 + 1 + 1 blocks. */
export const PAYLOAD: readonly Content[] = [
  [IMAGE, noise(40 * BLOCK - 100, 1)],
  ['data/sources/one.tar', noise(20 * BLOCK, 2)],
  ['data/sources/two.tar', noise(700, 3)],
  ['data/sources/SHA256SUMS', Buffer.from('not read by repairs\n')],
]

function sha(bytes: Uint8Array, algorithm = 'sha256'): string {
  return createHash(algorithm).update(bytes).digest('hex')
}

function list(files: readonly Content[], algorithm = 'sha256'): Buffer {
  return Buffer.from(files.map(([path, bytes]) => `${sha(bytes, algorithm)}  ${path}\n`).join(''))
}

/** Makes a small kit: payload, lists, parity. Returns the paths that its parity protects. */
export async function makeToyKit(root: string, payload = PAYLOAD): Promise<string[]> {
  const tags: Content[] = [
    ['README.txt', Buffer.from('A toy.\n')],
    ['bagit.txt', Buffer.from('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n')],
    ['manifest-sha256.txt', list(payload)],
    ['manifest-sha512.txt', list(payload, 'sha512')],
  ]
  const all: Content[] = [...payload, ...tags, ['tagmanifest-sha256.txt', list(tags)]]
  await writeFiles(root, all)
  await mkdir(join(root, 'parity'))
  const files = all.map(([path]) => path)
  const made = await createParity({
    root,
    files,
    blockSize: BLOCK,
    recoveryBlocks: RECOVERY,
    output: { folder: join(root, 'parity'), name: 'kit' },
  })
  const sums = await Promise.all(
    made.files.toSorted().map(async (name): Promise<Content> => {
      return [name, await readFile(join(root, 'parity', name))]
    }),
  )
  await writeFile(join(root, 'parity/SHA256SUMS'), list(sums))
  return files
}
