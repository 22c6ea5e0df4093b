import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FixpointErrors, type FixpointError } from '../../src/base/error.ts'
import { EXIT } from '../../src/base/exit.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import { loadMetadata } from '../../src/metadata/load.ts'
import type { Metadata, Recipe } from '../../src/metadata/model.ts'
import { temporaryFolder } from './temporary.ts'

/** Texts (or bytes) of files by path; undefined leaves a file of the base tree out. */
export type Texts = Readonly<Record<string, string | Uint8Array | undefined>>

/** 64 digits that stand for a source. */
export const SHA = 'ab'.repeat(32)

/** The recipe of {@link VALID} that tests of faults replace. */
export const APP = 'layers/high/app/recipe.yaml'

/** A small valid tree: two layers, a style that extends another, a recipe in each layer. */
export const VALID: Texts = {
  'layers/layers.yaml': 'machine: toy\nhost-layers: [low]\nlayers: [low, high]\n',
  'layers/machines/toy.yaml': 'arch: x86_64\ntriple: x86_64-toy\n',
  'layers/styles/plain.yaml':
    `name: plain\nsummary: Own commands\nenv:\n  CC: '{{machine.triple}}-gcc'\nsteps:\n` +
    `  prepare: ':'\n  build: make {{make}}\n`,
  'layers/styles/auto.yaml':
    `name: auto\nsummary: With configure\nextends: plain\nsteps:\n` +
    `  build: ./configure {{configure}} && make {{make}}\n  install: make {{install}}\n`,
  'layers/styles/disk.yaml': 'name: disk\nsummary: A disk\nimage: true\nsteps:\n  image: mkimage\n',
  'layers/low/tool/recipe.yaml': recipe('tool', 'style: plain'),
  [APP]: recipe('app', 'inputs: [low/tool]\nstyle: auto'),
}

/** The text of a recipe with the fields that every recipe has. */
export function recipe(name: string, rest: string, head = 'license: MIT'): string {
  return `name: ${name}\nversion: '1.0'\nsummary: A package\n${head}\n${rest}\n`
}

/** The text of a patch; `note` is its first line. */
export function patchText(note = 'Why'): string {
  return `${note}\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n`
}

/** Writes a tree of files to a new temporary folder and returns the folder. */
export async function writeTree(texts: Texts): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, text] of Object.entries(texts)) {
    if (text === undefined) continue
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** Loads the valid tree with other files in place of its own. */
export async function loadTexts(texts: Texts = {}): Promise<Metadata> {
  return loadMetadata(join(await writeTree({ ...VALID, ...texts }), 'layers/layers.yaml'))
}

/** One recipe of the valid tree with other files in place of its own. */
export async function loadRecipe(id: string, texts: Texts = {}): Promise<Recipe> {
  const found = (await loadTexts(texts)).recipes.get(id as RecipeId)
  if (found === undefined) throw new Error(`${id} is not there`)
  return found
}

/** A fault as tests compare it: `CODE FILE:LINE:COLUMN`, the file relative to the tree. */
export function describeFault({ code, position }: FixpointError, folder: string): string {
  const at = position?.line === undefined ? '' : `:${position.line}:${position.column}`
  return `${code} ${position?.file.slice(folder.length + 1) ?? ''}${at}`
}

/** Faults of a tree that must not load. */
export async function faultsIn(
  folder: string,
  layersFile = 'layers/layers.yaml',
): Promise<readonly FixpointError[]> {
  try {
    await loadMetadata(join(folder, layersFile))
  } catch (error) {
    // Whatever a tree holds, it is never the host's fault, or a bug.
    if (error instanceof FixpointErrors && error.errors.every(({ kind }) => EXIT[kind] === 3))
      return error.errors
    throw error
  }
  return []
}

/**
 * Faults of the valid tree with other files in place of its own, as {@link describeFault} shows
 * them.
 */
export async function faultsOf(texts: Texts): Promise<string[]> {
  const folder = await writeTree({ ...VALID, ...texts })
  return (await faultsIn(folder)).map((fault) => describeFault(fault, folder))
}
