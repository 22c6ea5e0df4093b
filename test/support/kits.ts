import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KitFile } from '../../src/archive/kit/bag.ts'
import type { Contents } from '../../src/archive/kit/contents.ts'
import { createKit, type CreatedKit } from '../../src/archive/kit/create.ts'
import { readTexts } from '../../src/archive/kit/texts.ts'
import { digestOf } from '../../src/base/digest.ts'
import { noise } from './parity.ts'
import { freshStore } from './rig.ts'
import { temporaryFolder } from './temporary.ts'

/** This checkout. */
export const CHECKOUT = join(import.meta.dirname, '../..')

/** Files of a small kit: an image, two sources and a document. */
export const IMAGE = 'data/images/toy.img'
export const SOURCE = 'data/sources/tool_1.0.orig.tar.gz'

/** A kit in a folder of its own. */
export interface ToyKit extends CreatedKit {
  readonly folder: string
}

/** Contents of a small kit. Files that are copied lie in a folder that goes with the test. */
export async function toyContents(): Promise<Contents> {
  const image = noise(60_000, 1)
  const path = join(await temporaryFolder(), 'toy.img')
  await writeFile(path, image)
  const files: KitFile[] = [
    { path: IMAGE, from: path, sha256: digestOf(image) },
    { path: SOURCE, text: noise(9_000, 2).toString('base64') },
    { path: 'data/sources/tool_1.0', text: 'its name is the beginning of the other one\n' },
    { path: 'data/metadata/actions/empty.json', text: '' },
    { path: 'data/tools/fixpoint', text: '#!/bin/sh\n', executable: true },
  ]
  const images = [{ name: 'toy.img', sha256: digestOf(image) }]
  return { files, images, sources: 2, tools: false }
}

/** Makes a small kit at `folder`. */
export async function makeToyKit(
  folder: string,
  contents?: Contents,
  signal = new AbortController().signal,
): Promise<ToyKit> {
  const { store } = await freshStore()
  const options = { target: folder, texts: await readTexts(CHECKOUT), parity: 10, store, signal }
  return { folder, ...(await createKit(contents ?? (await toyContents()), options)) }
}

/** A small kit that goes away with the test. */
export async function toyKit(): Promise<ToyKit> {
  return makeToyKit(join(await temporaryFolder(), 'kit'))
}
