import { readRegular } from '../base/regular.ts'
import { PlaceFailure } from './failure.ts'

/** Bytes; the certificates of a whole system take less than one MiB. */
const LARGEST = 16 << 20

/**
 * Address of the npm registry as npm itself sees it: `npm_config_registry`, then the .npmrc files
 * of user and machine, then npm's default. Rejects with PlaceFailure when npm is missing or has
 * none.
 */
export async function readNpmRegistry(): Promise<string> {
  const result = await npmConfig('get', 'registry')
  const address = result.stdout.trim()
  if (result.failed || !/^https?:\/\//.test(address)) {
    throw new PlaceFailure('npm names no registry; set `npm: ADDRESS` in the configuration', {
      cause: result.failed ? result : undefined,
    })
  }
  return address
}

/**
 * Certificates (PEM) that npm trusts beside the usual ones: its `cafile` and `ca`. None where npm
 * is missing or names none; a file that cannot be read is left out, as npm leaves it out.
 */
export async function readNpmCertificates(): Promise<readonly string[]> {
  const { stdout } = await npmConfig('list', '--json')
  const { ca, cafile } = parseObject(stdout)
  const listed = [ca].flat().filter((text) => typeof text === 'string' && text !== '')
  const file = typeof cafile === 'string' ? await readCertificates(cafile) : ''
  // In an .npmrc, the lines of a certificate are told apart by a backslash and an n.
  return [
    ...listed.map((text) => String(text).replaceAll('\\n', '\n')),
    ...(file === '' ? [] : [file]),
  ]
}

/**
 * Runs `npm config`, not in the working folder: an .npmrc there is of the layers' author. It could
 * put the user's variables into the registry's address, and name folders that npm writes to.
 */
async function npmConfig(...args: readonly string[]) {
  // Loaded only when it is used: it takes a noticeable part of the time that a build with nothing
  // to do may take.
  const { execa } = await import('execa')
  return execa('npm', ['config', ...args], {
    reject: false,
    timeout: 30_000,
    stdin: 'ignore',
    cwd: '/',
  })
}

/** Empty for what cannot be read, and for what is no regular file, which might never end. */
async function readCertificates(path: string): Promise<string> {
  return (await readRegular(path, LARGEST, 'follow').catch(() => undefined)) ?? ''
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
