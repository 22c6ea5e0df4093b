import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a program that hangs on the life of this process by its standard input, which it is to take
 * for its end when that closes: it does when `signal` aborts, and when this process dies in
 * whatever way. Resolves, in any case when the program has ended, with its exit status.
 */
export async function runTied(
  file: string,
  args: readonly string[],
  {
    stdout,
    ...options
  }: Omit<SpawnOptions, 'stdio' | 'signal'> & { readonly stdout: 'inherit' | 'ignore' },
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
