import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { visible } from '../base/visible.ts'

/** Get a program's output, with what a terminal would act on made visible. */
export interface OutputStreams {
  readonly out: Writable
  readonly err: Writable
}

/** How {@link runOnPipe} runs a program. */
export interface PipedOptions extends Omit<SpawnOptions, 'stdio' | 'signal'> {
  /** Where its output goes. Unless to streams, standard error is that of this process. */
  readonly output: 'inherit' | 'ignore' | OutputStreams
}

/**
 * Runs a program that must exit when its standard input closes. We close it when `signal` aborts;
 * the kernel closes it if we die. Resolves with the exit status once the program has ended and its
 * output is printed.
 */
export async function runOnPipe(
  file: string,
  args: readonly string[],
  { output, ...options }: PipedOptions,
  signal: AbortSignal,
): Promise<number | null> {
  signal.throwIfAborted()
  const streams = typeof output === 'string' ? undefined : output
  const stdio =
    typeof output === 'string' ? ([output, 'inherit'] as const) : (['pipe', 'pipe'] as const)
  const child = spawn(file, args, { ...options, stdio: ['pipe', ...stdio] })
  const stop = (): void => {
    child.stdin?.end()
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const [[status]] = await Promise.all([
      once(child, 'exit') as Promise<[number | null]>,
      print(child.stdout, streams?.out, signal),
      print(child.stderr, streams?.err, signal),
    ])
    return status
  } finally {
    signal.removeEventListener('abort', stop)
    child.stdin?.destroy()
  }
}

/** Never waits for `to` once `signal` aborts: nobody may read on there. */
async function print(
  from: Readable | null,
  to: Writable | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (from === null || to === undefined) return
  from.setEncoding('utf8')
  for await (const text of from as AsyncIterable<string>) {
    if (!to.writable || to.write(visible(text, { lines: true }))) continue
    await once(to, 'drain', { signal }).catch(() => undefined)
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
