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

/** Makes a kit in a process of its own: CHECKOUT MAKER CONTENTS.json STORE TARGET. */
const MAKE = `
const { readFile } = await import('node:fs/promises')
const [checkout, maker, contents, folder, target] = process.argv.slice(1)
const at = (path) => import(checkout + '/dist/src/' + path)
const { [maker]: make } = await at('archive/kit/create.js')
const { readTexts } = await at('archive/kit/texts.js')
const { Store } = await at('store/store.js')
const store = await Store.open(folder, { emit: () => {}, now: () => performance.now() })
const texts = await readTexts(checkout)
const signal = new AbortController().signal
try {
  const list = JSON.parse(await readFile(contents))
  await make(list, { target, texts, store, parity: 10, signal })
} catch (error) {
  console.log(error.code)
} finally {
  await store.session.close()
}
`

/** Arguments of node for a process that makes a small kit at `target`, and what is in that. */
export async function kitProcess(
  maker: 'createKit' | 'createKitTar',
  target: string,
): Promise<{ contents: Contents; args: string[] }> {
  const contents = await toyContents()
  const list = join(await temporaryFolder(), 'contents.json')
  await writeFile(list, JSON.stringify(contents))
  const words = [CHECKOUT, maker, list, await temporaryFolder(), target]
  return { contents, args: ['--input-type=module', '-e', MAKE, ...words] }
}
