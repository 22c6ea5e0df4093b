import { z } from 'zod'
import type { ErrorCode, MetadataCode } from '../base/codes.ts'
import { MOST_CORES } from '../build/jobserver.ts'
import { Faults } from '../metadata/yaml/faults.ts'
import { parseYaml } from '../metadata/yaml/parse.ts'
import { validate } from '../metadata/yaml/validate.ts'
import { CacheText } from './config-cache.ts'
import { NamedPath } from './config-paths.ts'
import { RemoteText } from './config-remote.ts'

const Address = z
  .string()
  .regex(/^https?:\/\/[^\s/]+/, 'must be an http:// or https:// address')
  .refine((text) => URL.canParse(text), 'must be a valid address')
const Archive = z
  .string()
  .regex(/^(https?:\/\/[^\s/]+|file:(\/\/)?\/)/, 'must be an http://, https:// or file:/ address')
  .refine((text) => URL.canParse(text), 'must be a valid address')

/** A number of cores. */
export const Cores = z
  .number()
  .int('must be a whole number')
  .positive('must be at least 1')
  .max(MOST_CORES, `must be at most ${MOST_CORES}`)

const ConfigFile = z
  .strictObject({
    store: NamedPath.describe('Folder of the store'),
    mirrors: z
      .array(NamedPath)
      .describe('Mirrors, folders or base addresses, in the order they are asked'),
    debian: z
      .array(Archive)
      .describe('Base addresses of Debian archives, instead of those that apt is set up for'),
    npm: Address.describe('Address of the npm registry, instead of the one that npm is set up for'),
    installed: NamedPath.describe(
      'Root folder of an image this machine runs from: its artifacts count as stored',
    ),
    cache: CacheText.describe('Caches of results that other machines made'),
    remote: RemoteText.describe('A server that runs actions on other machines'),
    jobs: Cores.describe('Cores to use'),
  })
  .partial()

/** A configuration file's values, as written. */
export type ConfigText = z.infer<typeof ConfigFile>

/**
 * Parses a configuration file; `path` is what messages call it. Throws all faults at once, as
 * {@link readConfig} rejects.
 */
export function parseConfig(text: string, path: string): ConfigText {
  const faults = new Faults(configCode)
  const yaml = parseYaml(text, faults, { file: path })
  const config =
    yaml === undefined ? undefined : validate(yaml, ConfigFile, 'the configuration', faults)
  faults.throwIfAny()
  return config ?? {}
}

/** Names of the fields of a configuration. */
export const CONFIG_FIELDS: readonly string[] = Object.keys(ConfigFile.shape)

/** The codes of configuration, for those that reading YAML has. */
export function configCode(code: MetadataCode): ErrorCode {
  if (code === 'unknown-field') return 'config-unknown-key'
  return code === 'wrong-type' || code === 'bad-value' ? 'config-value' : 'config-syntax'
}
