import { basename, dirname, join } from 'node:path'
import { isScalar, isSeq, parseDocument } from 'yaml'
import type { z } from 'zod'
import { layersSchema } from '../metadata/format/layers-schema.ts'
import { layerFolder } from '../metadata/format/texts.ts'
import { amendSchema, recipeSchema, styleSchema } from '../metadata/format/schema.ts'
import { list, type Entry } from '../metadata/tree/entries.ts'
import { located, realPath } from '../metadata/tree/layers.ts'
import { Faults } from '../metadata/yaml/faults.ts'
import { readYamlText } from '../metadata/yaml/parse.ts'
import { mend, type Mending } from './mend.ts'
import { putText } from './put-text.ts'

/** A file that was mended, or that has to be mended by hand. */
export type MendedFile =
  | { readonly file: string; readonly mendings: readonly Mending[] }
  | { readonly file: string; readonly refusal: string }

/**
 * Mends the files of the layers that `layersFile` lists, and of the styles beside it. It need not
 * be valid. Those that another layers.yaml brings are not the user's to change. Rejects as writing
 * does.
 */
export async function mendLayers(layersFile: string): Promise<MendedFile[]> {
  const results: MendedFile[] = []
  for (const [file, schema] of filesOf(layersFile)) {
    // What cannot be read at all, the linter reports.
    const text = readYamlText(file, new Faults())
    if (text === undefined) continue
    const mended = mend(text, schema)
    if ('refusal' in mended) results.push({ file, refusal: mended.refusal })
    else if (mended.text !== text) {
      await putText(file, mended.text)
      results.push({ file, mendings: mended.mendings })
    }
  }
  return results
}

type Named = readonly [file: string, schema: z.ZodType]

function filesOf(layersFile: string): Named[] {
  // The user may name it by a link, which does not change where its layers are.
  const [folder, file] = [dirname(located(layersFile)), realPath(layersFile)]
  const layers = listedIn(file).map((layer) => join(folder, layer))
  const recipes = layers
    .filter(isOwnFolder)
    .flatMap((layer) =>
      foldersIn(layer).flatMap(({ path }): Named[] => [
        ...named(path, 'recipe.yaml', recipeSchema),
        ...named(path, 'amend.yaml', amendSchema),
      ]),
    )
  const styles = foldersIn(folder)
    .filter(({ name }) => name === 'styles')
    .flatMap(({ path }) => list(path, new Faults()))
    .filter(({ kind, name }) => kind === 'file' && name.endsWith('.yaml'))
    .map(({ path }): Named => [path, styleSchema])
  return [[file, layersSchema], ...recipes, ...styles]
}

/** Folders that a layers.yaml lists, relative to its own, as far as it can be read. */
function listedIn(layersFile: string): string[] {
  const text = readYamlText(layersFile, new Faults()) ?? ''
  const listed: unknown = parseDocument(text).get('layers')
  const words = isSeq(listed)
    ? listed.items.flatMap((item) => (isScalar(item) ? (item.source ?? []) : []))
    : []
  return [...new Set(words)].filter((word) => layerFolder.safeParse(word).success)
}

/** Whether a folder, no link to one, is there. */
function isOwnFolder(path: string): boolean {
  return foldersIn(dirname(path)).some(({ name }) => name === basename(path))
}

function foldersIn(folder: string): Entry[] {
  return list(folder, new Faults()).filter(({ kind }) => kind === 'folder')
}

function named(folder: string, name: string, schema: z.ZodType): Named[] {
  const isThere = list(folder, new Faults()).some((one) => one.name === name && one.kind === 'file')
  return isThere ? [[join(folder, name), schema]] : []
}
