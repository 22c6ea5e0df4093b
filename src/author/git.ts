import { execa } from 'execa'
import { FixpointError } from '../base/error.ts'
import { errorCode } from '../base/files.ts'

/** What git must not take from the user's set-up: it would change bytes, ask, or run programs. */
const SETTINGS = [
  'user.name=fixpoint',
  'user.email=fixpoint@localhost',
  'commit.gpgSign=false',
  'core.autocrlf=false',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.quotePath=false',
  'gc.auto=0',
]

/** Git in one folder, as its owner's set-up does not change it. */
export class Git {
  readonly folder: string
  readonly #signal: AbortSignal

  constructor(folder: string, signal: AbortSignal) {
    this.folder = folder
    this.#signal = signal
  }

  /** Runs git; resolves to its standard output, as text. Fails with `no-git` or `git-failed`. */
  async run(args: readonly string[], input = ''): Promise<string> {
    return (await this.bytes(args, input)).toString()
  }

  /** Like {@link run}, but resolves to the bytes: those of a file may be in any encoding. */
  async bytes(args: readonly string[], input = ''): Promise<Buffer> {
    const settings = SETTINGS.flatMap((setting) => ['-c', setting])
    try {
      const { stdout } = await execa('git', [...settings, '-C', this.folder, ...args], {
        input,
        encoding: 'buffer',
        stripFinalNewline: false,
        cancelSignal: this.#signal,
        env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' },
      })
      return Buffer.from(stdout)
    } catch (cause) {
      this.#signal.throwIfAborted()
      if (errorCode(cause) === 'ENOENT')
        throw new FixpointError('no-git', 'Cannot run git: it is not installed', { cause })
      throw new FixpointError(
        'git-failed',
        `Cannot use "${this.folder}": git ${args[0] ?? ''} says: ${gitSaid(cause).join('; ')}`,
        { cause },
      )
    }
  }

  /** A setting of the repository; undefined when it has none. */
  async setting(name: string): Promise<string | undefined> {
    const all = await this.run(['config', '--local', '--list', '--null'])
    const entries = all.split('\0').map((entry) => entry.split('\n'))
    return entries.find(([key]) => key === name)?.[1]
  }
}

/** The lines of what git said when it failed; what ended it, where it said nothing. */
export function gitSaid(failure: unknown): string[] {
  const { stderr, shortMessage } = failure as { stderr?: Uint8Array; shortMessage?: string }
  const said = Buffer.from(stderr ?? [])
    .toString()
    .trim()
  const text = said === '' ? (shortMessage ?? String(failure)) : said
  return text.split('\n')
}
