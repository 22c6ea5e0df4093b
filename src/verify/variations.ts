import { spawnSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'

/** A condition of a build that must leave no mark in what it makes. */
export interface Condition {
  readonly what: string
  /** Why it is the same in both builds; undefined: it differs. */
  readonly same?: string
}

/** Conditions of the second build, and how they are brought about. */
export interface Variations {
  readonly conditions: readonly Condition[]
  /** Lines of shell in front of the engine: its limits. */
  readonly limits: string
  /** Words in front of the engine's command: its processors. */
  readonly prefix: readonly string[]
}

/** What of the two builds decides how they can differ. */
export interface Builds {
  readonly cores: readonly [first: number, second: number]
  readonly stores: readonly [first: string, second: string]
  /** Why the second build is done by the same user; undefined: another one does it. */
  readonly sameUser: string | undefined
}

/**
 * Finds out which conditions of a second build can differ on this machine. A default ACL is put on
 * its store here.
 */
export async function varyConditions({ cores, stores, sameUser }: Builds): Promise<Variations> {
  const limits = otherLimits(await readFile('/proc/self/limits', 'utf8'))
  const processors = fewerProcessors(await readFile('/proc/self/status', 'utf8'), cores[1])
  const [first, second] = await Promise.all(stores.map(async (store) => (await stat(store)).dev))
  const hasTaskset =
    processors !== undefined && runs('taskset', '-c', processors, 'true') === undefined
  const conditions: Condition[] = [
    { what: 'user', ...(sameUser !== undefined && { same: sameUser }) },
    ...['folder', 'home', 'environment', 'umask', 'order of making files'].map((what) => ({
      what,
    })),
    { what: 'cores', ...(cores[0] === cores[1] && { same: 'both builds got the same number' }) },
    {
      what: 'processors',
      ...(!hasTaskset && { same: processors === undefined ? 'there is one' : 'no taskset' }),
    },
    ...limits.map(({ what, same }) => ({ what, ...(same !== undefined && { same }) })),
    { what: 'default ACL', ...optional(addDefaultAcl(stores[1])) },
    {
      what: 'file system',
      ...(first === second && { same: 'both stores are on it' }),
    },
    { what: 'kernel and machine', same: 'there is one' },
  ]
  return {
    conditions,
    limits: limits.map(({ command }) => command ?? '').join(''),
    prefix: hasTaskset ? ['taskset', '-c', processors] : [],
  }
}

/** Both kinds of conditions, each as a line for people. */
export function conditionLines(conditions: readonly Condition[]): string[] {
  const varied = conditions.flatMap(({ what, same }) => (same === undefined ? [what] : []))
  const equal = conditions.flatMap(({ what, same }) =>
    same === undefined ? [] : [`${what} (${same})`],
  )
  return [
    `differs in the second build: ${varied.join(', ')}`,
    `the same in both: ${equal.join(', ')}`,
  ]
}

function optional(same: string | undefined): { same?: string } {
  return same === undefined ? {} : { same }
}

/** A limit of the second build, as /proc names it, and the line of shell that sets it. */
interface Limit extends Condition {
  readonly command?: string
}

/** The engine itself wants that many open files. */
const FILES = 4096

/** Bytes; the usual stack is half of it. */
const STACK = 16 << 20

function otherLimits(table: string): Limit[] {
  const of = (name: string): [soft: number, hard: number] => {
    const [, soft, hard] = new RegExp(`^${name} +(\\S+) +(\\S+)`, 'm').exec(table) ?? []
    return [numberOf(soft), numberOf(hard)]
  }
  const [, files] = of('Max open files')
  const [stack, mostStack] = of('Max stack size')
  const [core, mostCore] = of('Max core file size')
  const otherStack = stack === STACK ? STACK / 2 : STACK
  return [
    // Node raises its own to the highest there may be: that one has to go down.
    limit('limit of open files', `ulimit -n ${String(FILES)}`, files > FILES),
    limit('limit of stack', `ulimit -S -s ${String(otherStack >> 10)}`, mostStack >= otherStack),
    limit(
      'limit of core files',
      core === 0 ? 'ulimit -S -c "$(ulimit -H -c)"' : 'ulimit -S -c 0',
      mostCore > 0,
    ),
  ]
}

function limit(what: string, command: string, isAllowed: boolean): Limit {
  return isAllowed
    ? { what, command: `${command}\n` }
    : { what, same: "the caller's is the lowest or highest" }
}

function numberOf(text: string | undefined): number {
  return text === 'unlimited' ? Infinity : Number(text ?? 0)
}

/**
 * As many of the processors that this process may use as there are cores, but not all; undefined:
 * there is only one.
 */
function fewerProcessors(status: string, cores: number): string | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0'
  const all = list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
  return all.length < 2 ? undefined : all.slice(0, Math.min(cores, all.length - 1)).join(',')
}

/**
 * Makes files in a folder begin with all permissions, whatever mask they are made under; tells why
 * it could not.
 */
function addDefaultAcl(folder: string): string | undefined {
  return runs('setfacl', '-d', '-m', 'u::rwx,g::rwx,o::rwx', folder)
}

/** Runs a program of the host; undefined when it ended well, otherwise why not. */
function runs(program: string, ...args: readonly string[]): string | undefined {
  const { status, error } = spawnSync(program, args, { stdio: 'ignore' })
  return error !== undefined
    ? `no ${program}`
    : status === 0
      ? undefined
      : 'the file system has none'
}
