import { PlaceFailure } from './failure.ts'

/**
 * Address of the npm registry as npm itself sees it: `npm_config_registry`, then the .npmrc files, then npm's default.
 * Rejects with PlaceFailure when npm is missing or has none.
 */
export async function readNpmRegistry(): Promise<string> {
  // Loaded only when it is used: it takes a noticeable part of the time that a build with nothing to do may take.
  const { execa } = await import('execa')
  const result = await execa('npm', ['config', 'get', 'registry'], { reject: false, timeout: 30_000, stdin: 'ignore' })
  const address = result.stdout.trim()
  if (result.failed || !/^https?:\/\//.test(address)) {
    throw new PlaceFailure('npm names no registry; set `npm: ADDRESS` in the configuration', {
      cause: result.failed ? result : undefined,
    })
  }
  return address
}
