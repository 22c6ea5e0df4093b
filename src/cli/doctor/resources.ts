import { missing, ok, warning, type Finding } from './finding.ts'
import type { Host } from './host.ts'

const GIB = 2 ** 30

/** What a full build takes at most; see "The appliance" in docs/benchmarks.md. */
const BUDGET = { disk: 20 * GIB, memory: 4 * GIB }

/** A machine sold with a memory of 4 GiB shows a little less of it. */
const SLACK = 0.9

/** Is there room, and can the store do what it must on this file system? */
export async function examineStore(host: Host, store: string): Promise<Finding[]> {
  const { freeBytes, problem, hardLinks, runs } = await host.tryFolder(store)
  const elsewhere = 'name a folder on another file system by --store or FIXPOINT_STORE'
  if (problem !== undefined)
    return [missing('store', 'build', `nothing can be made in "${store}": ${problem}`, elsewhere)]
  const space =
    freeBytes >= BUDGET.disk
      ? ok('disk', 'build', `${gib(freeBytes)} GiB are free for the store in "${store}"`)
      : warning(
          'disk',
          'build',
          `only ${gib(freeBytes)} GiB are free for the store in "${store}", a full build ` +
            `takes up to ${gib(BUDGET.disk)}`,
          elsewhere,
        )
  const traits = [
    ...(hardLinks
      ? []
      : [
          missing(
            'hard-links',
            'build',
            `the file system of "${store}" has no hard links`,
            elsewhere,
          ),
        ]),
    ...(runs
      ? []
      : [
          missing(
            'noexec',
            'build',
            `programs in "${store}" cannot be started: it is mounted noexec`,
            elsewhere,
          ),
        ]),
  ]
  return [
    space,
    ...(traits.length > 0
      ? traits
      : [ok('store', 'build', 'the file system of the store has hard links and runs programs')]),
  ]
}

/** Is there memory for the largest actions? */
export function examineMemory(host: Host): Finding {
  if (host.memory >= BUDGET.memory * SLACK)
    return ok('memory', 'build', `${gib(host.memory)} GiB of memory`)
  const message =
    `the machine has ${gib(host.memory)} GiB of memory, a full build takes up ` +
    `to ${gib(BUDGET.memory)}`
  return warning('memory', 'build', message, 'add memory or swap, or build with -j1')
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1).replace(/\.0$/, '')
}
