import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { sandboxCommand, type SandboxSpec } from '../sandbox/bwrap.ts'
import type { CommandContext } from './context.ts'

/**
 * Runs a sandbox that has the user's terminal. Resolves to its exit status; a signal's is 1. Ends
 * it when the command is told to end, as when its terminal is gone: a menu would not notice.
 */
export async function runOnTerminal(command: CommandContext, spec: SandboxSpec): Promise<number> {
  const [program = '', ...args] = sandboxCommand(spec, { terminal: true })
  command.yieldTerminal()
  const child = spawn(program, args, {
    ...{ stdio: 'inherit', env: { PATH: '/usr/bin:/bin' } },
    ...{ signal: command.signal, killSignal: 'SIGKILL' },
  })
  const [status] = (await once(child, 'exit')) as [number | null]
  return status ?? 1
}
