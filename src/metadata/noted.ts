import { createRequire } from 'node:module'
import { realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileStates, lastChange, stateOf } from '../base/file-states.ts'
import { beginNote, readNote } from '../base/notes.ts'
import type { Loaded } from './load.ts'
import type { Metadata, Recipe } from './model.ts'

/** Form of the note. */
const FORM = 'metadata 1'

/** What is noted of metadata. */
interface Note {
  readonly layersFile: string
  /** Files and folders that the metadata come from, and the engine that read them. */
  readonly tops: readonly string[]
  /** Their state. */
  readonly state: string
  readonly layers: readonly string[]
  readonly arch: string
  readonly recipes: readonly Recipe[]
}

/**
 * Like {@link loadMetadata}. But takes the metadata from the note in the file `notes`, if no file
 * that they come from has changed since: to read and check the layers of an image takes longer than
 * all else that a build with nothing to do does. The loss of a note costs that reading.
 */
export async function loadNoted(layersFile: string, notes?: string): Promise<Metadata> {
  const file = resolve(layersFile)
  const text = notes === undefined ? undefined : readNote(notes, FORM)
  const note = text === undefined ? undefined : (JSON.parse(text) as Note)
  if (note?.layersFile === file && note.state === stateOf(statesOf(note.tops)))
    return metadataOf(note)
  const write = notes === undefined ? undefined : beginNote(notes, FORM)
  const { loadAll } = await import('./load.ts')
  const loaded = await loadAll(file)
  if (write === undefined) return loaded.metadata
  const tops = topsOf(file, loaded)
  const states = statesOf(tops)
  const { layers, arch, recipes } = loaded.metadata
  const fresh: Note = {
    layersFile: file,
    tops,
    state: stateOf(states),
    layers,
    arch,
    recipes: [...recipes.values()],
  }
  write(JSON.stringify(fresh), lastChange(states))
  return loaded.metadata
}

function metadataOf({ layers, arch, recipes }: Note): Metadata {
  return { layers, arch, recipes: new Map(recipes.map((recipe) => [recipe.id, recipe])) }
}

function statesOf(tops: readonly string[]): ReturnType<typeof fileStates> {
  return fileStates(
    tops.map((top) => Buffer.from(top).toString('latin1').slice(1)),
    '',
  )
}

/** All files and folders that decide what the metadata are. */
function topsOf(file: string, { layout, trees }: Loaded): string[] {
  const own = fileURLToPath(new URL('.', import.meta.url))
  const { resolve: find } = createRequire(import.meta.url)
  const tops = new Set([
    ...['.', '../base'].map((folder) => resolve(own, folder)),
    ...['yaml', 'zod'].map((name) => find(name)),
    file,
    ...layout.trees.flatMap(({ yaml, folder }) => [
      realpathSync(yaml.file),
      join(folder, 'styles'),
      join(folder, 'machines'),
    ]),
    ...layout.layers.map(({ folder }) => folder),
    ...[...trees.values()].flatMap((read) => read.tops),
  ])
  return [...tops].filter((top) => ![...tops].some((other) => top.startsWith(`${other}/`)))
}
