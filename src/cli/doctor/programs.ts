import { findFirmware } from '../../../qemu/firmware.ts'
import { missing, ok, type Finding } from './finding.ts'
import type { Host } from './host.ts'
import { NEEDS, type Need } from './needs.ts'
import { installRemedy } from './remedies.ts'

/** Oldest Node that the engine runs on. */
const NODE = { major: 20, minor: 19 }

/** Is Node new enough? */
export function examineNode(host: Host): Finding {
  const [major = 0, minor = 0] = host.node.split('.').map(Number)
  const wanted = `${NODE.major}.${NODE.minor}`
  if (major > NODE.major || (major === NODE.major && minor >= NODE.minor))
    return ok('node', 'build', `Node ${host.node}`)
  return missing(
    'node',
    'build',
    `Node is ${host.node}, want ${wanted} or newer`,
    `install Node ${wanted} or newer by your system's package manager, or its makers' own package`,
  )
}

/**
 * Is each program there that a purpose calls for? What only a compiler can tell,
 * {@link examineCompilers} does.
 */
export async function examinePrograms(host: Host): Promise<Finding[]> {
  const needs = NEEDS.filter(
    ({ test, purpose }) =>
      !test.startsWith('library') && (purpose === 'build' || purpose === 'boot'),
  )
  return Promise.all(needs.map((need) => examineNeed(host, need)))
}

async function examineNeed(host: Host, need: Need): Promise<Finding> {
  const { code, purpose, why } = need
  const found = await locate(host, need)
  if (found !== undefined) return ok(code, purpose, found)
  const name =
    need.test === 'firmware' ? 'UEFI firmware for QEMU' : need.test.replace('program ', '')
  return missing(
    code,
    purpose,
    `${name} is not there; it ${why}`,
    await installRemedy(host, [need.package]),
  )
}

async function locate(host: Host, { test }: Need): Promise<string | undefined> {
  if (test !== 'firmware') return host.find(test.replace('program ', ''))
  return findFirmware((path) => host.readable(path)).then(
    ({ code }) => code,
    () => undefined,
  )
}
