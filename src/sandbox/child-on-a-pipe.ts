import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'

/** How {@link runOnPipe} runs a program. */
export interface PipedOptions extends Omit<SpawnOptions, 'stdio' | 'signal'> {
  readonly stdout: 'inherit' | 'ignore'
}

/**
 * Runs a program that must exit when its standard input closes. We close it when `signal` aborts;
 * the kernel closes it if we die. Resolves with the exit status once the program has ended.
 */
export async function runOnPipe(
  file: string,
  args: readonly string[],
  { stdout, ...options }: PipedOptions,
  signal: AbortSignal,
): Promise<number | null> {
  signal.throwIfAborted()
  const child = spawn(file, args, { ...options, stdio: ['pipe', stdout, 'inherit'] })
  const stop = (): void => {
    child.stdin.end()
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const [status] = (await once(child, 'exit')) as [number | null]
    return status
  } finally {
    signal.removeEventListener('abort', stop)
    child.stdin.destroy()
  }
}

/**
 * Lines of shell that run the command "$@" with an empty standard input. The shell's own is the
 * pipe of {@link runOnPipe}: when it closes, the command gets `signal`.
 */
export function runUntilPipeCloses(signal: 'TERM' | 'KILL'): string {
  return `exec 3<&0 </dev/null
"$@" &
engine=$!
{ cat <&3 >/dev/null; kill -${signal} $engine; } 2>/dev/null &
wait $engine
`
}
