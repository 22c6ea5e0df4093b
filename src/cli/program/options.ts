import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Port } from '../../../qemu/machine.ts'
import { MOST_CORES } from '../../build/jobserver.ts'
import { parseTime } from '../../report/receipts/ssh/time.ts'

/** Options of every command. They are taken before its name and after it. */
export function globalOptions(): Option[] {
  return [
    new Option(
      '--layers <file>',
      "the layers.yaml to work on (default: that of the working folder, else the engine's own)",
    ),
    new Option(
      '--store <folder>',
      'the store (default: $FIXPOINT_STORE, configuration, $XDG_CACHE_HOME/fixpoint)',
    ),
    new Option(
      '--json',
      'events and results as NDJSON on standard output; logs and schemas stay what they are',
    ),
  ]
}

/** Adds the options of commands that build. */
export function withBuildOptions(command: Command): Command {
  return command
    .option('-j, --jobs <cores>', 'cores that all actions together use (default: all)', cores)
    .option(
      '--memory <bytes>',
      'memory that running actions may use together (default: 85 % of it)',
      positiveInteger,
    )
    .option('-k, --keep-going', 'after a failure go on with what does not depend on it')
    .option('-K, --keep-failed', 'keep the tree of a failed action for `shell` and `build --from`')
    .option('--offline', 'fetch from folders and the store only')
    .addOption(mirrorOption('--mirror'))
    .option('--receipts <folder>', 'write a receipt of each action that runs into this folder')
    .option('--sign <key>', 'sign the receipts with this key file of OpenSSH')
}

/** An option that names mirrors; it may be repeated. */
export function mirrorOption(name: '--mirror' | '--from'): Option {
  return new Option(
    `${name} <place>`,
    'a mirror folder, or an image, to fetch from first; may be repeated',
  ).argParser(oneMore)
}

/** Adds a value to those before: for options that may be repeated. */
export function oneMore(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** Parses a whole number above 0. */
export function positiveInteger(text: string): number {
  const value = Number(text)
  // Number() takes blanks, signs, exponents and other bases, too.
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number above 0.')
  return value
}

/** Parses a time as ssh-keygen takes it, to seconds since 1970. */
export function time(text: string): number {
  const value = parseTime(text)
  if (value === undefined) throw new InvalidArgumentError('It must be YYYYMMDD[HHMM[SS]][Z].')
  return value
}

/** Parses two ports as HOST:GUEST, and adds them to those before. */
export function forwarding(text: string, before: readonly Port[] | undefined): Port[] {
  const digits = /^(\d{1,5}):(\d{1,5})$/.exec(text)?.slice(1) ?? []
  const [host = 0, guest = 0] = digits.map(Number)
  if (![host, guest].every(isPort))
    throw new InvalidArgumentError('It must be two ports from 1 to 65535, as 2222:22.')
  if (before?.some((one) => one.host === host) === true)
    throw new InvalidArgumentError(`Port ${host} of this host is forwarded already.`)
  return [...(before ?? []), { host, guest }]
}

function isPort(value: number): boolean {
  return value >= 1 && value <= 65_535
}

/** Parses a share in percent, from 1 to 100. */
export function percent(text: string): number {
  const value = positiveInteger(text)
  if (value > 100) throw new InvalidArgumentError('It must be at most 100.')
  return value
}

/** Parses a port of TCP; 0 stands for a free one. */
export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
  return Number(text)
}

/** Suites of Debian that a command looks into. */
export function suites(): Option {
  return new Option(
    '--suite <name>',
    'a suite of Debian, such as testing; may be repeated (default: stable and unstable)',
  ).argParser(suite)
}

/** Parses the name of a suite of Debian, and adds it to those before. */
function suite(text: string, before: readonly string[] | undefined): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text))
    throw new InvalidArgumentError('It must be a name such as stable or bookworm-backports.')
  return [...new Set([...(before ?? []), text])]
}

function cores(text: string): number {
  const value = positiveInteger(text)
  if (value > MOST_CORES) throw new InvalidArgumentError(`It must be at most ${MOST_CORES}.`)
  return value
}
