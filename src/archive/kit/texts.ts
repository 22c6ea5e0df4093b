import mustache from 'mustache'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../base/digest.ts'

/** What the README of a kit says of this kit. */
export interface ReadmeFacts {
  /** Names of the image files, and their digests. */
  readonly images: readonly { readonly name: string; readonly sha256: Digest }[]
  readonly sources: number
  /** Whether the kit holds an engine that runs by itself. */
  readonly tools: boolean
}

/** Texts that go into every kit. */
export interface KitTexts {
  /** Template of README.txt. */
  readonly readme: string
  /** The program verify.sh. */
  readonly verifier: string
}

/** Reads the texts from the checkout that the engine runs from. */
export async function readTexts(checkout: string): Promise<KitTexts> {
  const folder = join(checkout, 'src', 'archive', 'kit')
  return {
    readme: await readFile(join(folder, 'README.txt.mustache'), 'utf8'),
    verifier: await readFile(join(folder, 'verify.sh'), 'utf8'),
  }
}

/**
 * The kit's README.txt: ASCII, at most 72 columns, for someone who has nothing but the kit, perhaps
 * decades from now. It names every format that the kit uses.
 */
export function readme({ readme: template }: KitTexts, facts: ReadmeFacts): string {
  const images = facts.images.map(({ name, sha256 }) => ({
    name,
    upper: sha256.slice(0, 32),
    lower: sha256.slice(32),
  }))
  const view = { ...facts, images, first: images[0]?.name ?? 'IMAGE' }
  return mustache.render(template, view, {}, { escape: String })
}
