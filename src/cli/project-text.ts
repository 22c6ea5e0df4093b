import { z } from 'zod'
import { FixpointError, withoutFrame, type Position } from '../base/error.ts'
import { isRange } from '../fetch/versions/version-range.ts'
import { hasCredentials } from '../metadata/format/source-places.ts'
import { Faults } from '../metadata/yaml/faults.ts'
import { parseYaml } from '../metadata/yaml/parse.ts'
import { isMap } from '../metadata/yaml/schema-path.ts'
import { validate } from '../metadata/yaml/validate.ts'
import { CONFIG_FIELDS, configCode, Cores } from './config-text.ts'

const ProjectFile = z
  .strictObject({
    engine: z
      .string()
      .refine(isRange, 'must be a version as 0.1.0, or comparisons as >=0.1.0 <0.3.0')
      .describe('Versions of Fixpoint that the project is for'),
    target: z.string().min(1, 'must not be empty').describe('What `build` without a word builds'),
    mirrors: z
      .array(z.string().min(1, 'must not be empty'))
      .describe('Mirrors, folders or base addresses, asked after those of the user'),
    jobs: Cores.describe('Cores to use, where the user states none'),
  })
  .partial()

/** A project file's values, as written, and where some of them are. */
export type ProjectText = z.infer<typeof ProjectFile> & {
  readonly targetAt?: Position
  readonly engineAt?: Position
}

/**
 * Parses a project's file; `path` is what messages call it. Fails with `project-field` for a field
 * of the user's configuration and for a password, else as the configuration does.
 */
export function parseProject(text: string, path: string): ProjectText {
  const faults = new Faults(configCode)
  const yaml = parseYaml(text, faults, { file: path })
  faults.throwIfAny()
  if (yaml === undefined) return {}
  const names = isMap(yaml.value) ? Object.keys(yaml.value) : []
  const foreign = names.find((name) => CONFIG_FIELDS.includes(name) && !isOwn(name))
  if (foreign !== undefined)
    throw new FixpointError(
      'project-field',
      `Cannot use "${foreign}" of a project: whoever writes a project that others clone must not ` +
        'choose their stores, servers, signers or secrets',
      { position: yaml.positionOfKey([foreign]) },
    )
  const project = yaml.value === null ? {} : validate(yaml, ProjectFile, 'the project', faults)
  faults.throwIfAny()
  const open = project?.mirrors?.findIndex(hasCredentials) ?? -1
  if (open >= 0)
    throw new FixpointError(
      'project-field',
      'Cannot use a mirror with a user name or password in a project: all who clone it see them',
      { position: withoutFrame(yaml.position(['mirrors', open])) },
    )
  return { ...project, targetAt: yaml.position(['target']), engineAt: yaml.position(['engine']) }
}

function isOwn(name: string): boolean {
  return Object.hasOwn(ProjectFile.shape, name)
}
