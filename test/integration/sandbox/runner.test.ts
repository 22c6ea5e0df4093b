import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { sandboxCommand, type SandboxSpec } from '../../../src/sandbox/bwrap.ts'
import { RunningSandbox } from '../../../src/sandbox/run.ts'
import { runnerScript } from '../../../src/sandbox/runner.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'

/** A sandbox around nothing, in which a shell runs `script`. */
function sandboxed(script: string): SandboxSpec {
  const env = { PATH: '/usr/bin:/bin' }
  return { root: '/', mounts: [], env, folder: '/', command: ['/bin/sh', '-c', script] }
}

/** A runner in a sandbox. It finds no folder of an action there, so each step fails. */
function runner() {
  const [program = '', ...args] = sandboxCommand(sandboxed(runnerScript('')))
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] })
  const line = child.stdio[3]
  if (!(line instanceof Duplex)) throw new TypeError('no line to the runner')
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return {
    line,
    end: once(child, 'close').then(([status]) => ({ status: status as number | null, said })),
  }
}

it('begins a step at the word of the engine, and ends when there are no more', async () => {
  const { line, end } = runner()
  line.once('data', () => {
    line.write('first\n')
    line.once('data', () => line.end('second\n'))
  })
  expect(await end).toEqual({ status: 0, said: '==> first\n==> second\n' })
})

it('does not begin without an engine, which may have been killed before or after the runner was heard', async () => {
  const deaf = runner()
  deaf.line.destroy()
  const heard = runner()
  heard.line.once('data', () => heard.line.destroy())
  expect((await deaf.end).said).toBe('')
  expect((await heard.end).said).toBe('')
})

// What a step can do that has taken over the runner.
it('may answer what it likes: an answer without an end ends the sandbox', async () => {
  const folder = await temporaryFolder()
  const [log, pipe] = [join(folder, 'log'), join(folder, 'pipe')]
  makeFifo(pipe)
  const sandbox = new RunningSandbox(sandboxed("yes | tr -d '\\n' >&3"), { log, pipe })
  const end = await sandbox.run('step', 20)
  expect(end).toEqual({ status: undefined, timedOut: false, logFull: false })
  await sandbox.end()
})

it('that does not end by itself is ended', async () => {
  const folder = await temporaryFolder()
  const [log, pipe] = [join(folder, 'log'), join(folder, 'pipe')]
  makeFifo(pipe)
  const script =
    "trap '' TERM; printf '\\n0\\n0m1s 0m0s\\n0m0s 0m0s\\n' >&3; while :; do sleep 1; done"
  const sandbox = new RunningSandbox(sandboxed(script), { log, pipe })
  expect(await sandbox.run('step', 60)).toMatchObject({ status: 0, timedOut: false })
  expect((await sandbox.end()).times).toBe('0m1s 0m0s\n0m0s 0m0s')
})

it('ends at once whenever it is told to, also while it is set up', async () => {
  const folder = await temporaryFolder()
  for (let delay = 0; delay < 80; delay += 2) {
    const [log, pipe] = [join(folder, 'log'), makeFifo(join(folder, `pipe${String(delay)}`))]
    const stop = new AbortController()
    const options = { log, pipe, signal: stop.signal }
    const sandbox = new RunningSandbox(sandboxed('sleep 60'), options)
    const started = performance.now()
    setTimeout(() => {
      stop.abort()
    }, delay)
    expect((await sandbox.run('step', 50)).timedOut).toBe(false)
    await sandbox.end()
    expect(performance.now() - started).toBeLessThan(20_000)
  }
})
