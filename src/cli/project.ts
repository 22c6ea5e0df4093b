import { basename, dirname, join, resolve } from 'node:path'
import { FixpointError, type Position } from '../base/error.ts'
import { exists } from '../base/files.ts'
import { readConfigFile } from './config.ts'
import type { ProjectText } from './project-text.ts'
import { engineVersion } from './program/version.ts'

/** What a project sets up for all who build it. All paths are absolute. */
export interface Project {
  /** Folders and base addresses, asked after those of the user. */
  readonly mirrors: readonly string[]
  readonly jobs: number | undefined
  /** What `build` without a word builds. */
  readonly target: ProjectTarget | undefined
}

/** The target of a project, and where its file states it. */
export interface ProjectTarget {
  readonly word: string
  readonly position: Position | undefined
}

/** Name of a project's file, beside layers.yaml. */
const PROJECT_FILE = 'fixpoint.yaml'

/**
 * Reads the project's file beside a layers.yaml, if there is one. Fails with `project-engine` where
 * the project is for another version of the engine, `project-field` where it states what is the
 * user's to decide, and else as the configuration does.
 */
export async function readProject(layersFile: string): Promise<Project> {
  const path = join(dirname(layersFile), PROJECT_FILE)
  const text = await readConfigFile(path)
  const file = text === undefined ? {} : await parse(text, path)
  if (file.engine !== undefined)
    await requireEngine(file.engine, path, file.engineAt ?? { file: path })
  return {
    mirrors: (file.mirrors ?? []).map((mirror) =>
      /^(https?|file):/.test(mirror) ? mirror : resolve(dirname(path), mirror),
    ),
    jobs: file.jobs,
    target: file.target === undefined ? undefined : { word: file.target, position: file.targetAt },
  }
}

/** A project's file above the folder of layers, where nothing reads it, if there is one. */
export async function misplacedProject(layersFile: string): Promise<string | undefined> {
  const above = dirname(dirname(layersFile))
  const path = join(above, PROJECT_FILE)
  const isOthers = await exists(join(above, basename(layersFile)))
  return !isOthers && (await exists(path)) ? path : undefined
}

/** Most projects have no such file, so what reads it is loaded when there is one. */
async function parse(text: string, path: string): Promise<ProjectText> {
  const { parseProject } = await import('./project-text.ts')
  return parseProject(text, path)
}

async function requireEngine(wanted: string, path: string, position: Position): Promise<void> {
  const { isInRange } = await import('../fetch/versions/version-range.ts')
  const own = engineVersion()
  if (isInRange(own, wanted)) return
  throw new FixpointError(
    'project-engine',
    `Cannot use "${path}": the project is for version ${wanted} of Fixpoint, and this is ${own}`,
    { position },
  )
}
