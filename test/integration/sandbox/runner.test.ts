import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { sandboxCommand } from '../../../src/sandbox/bwrap.ts'
import { runnerScript } from '../../../src/sandbox/runner.ts'

/** A runner in a sandbox. It finds no folder of an action there, so each step fails. */
function runner() {
  const spec = { root: '/', mounts: [], env: { PATH: '/usr/bin:/bin' }, folder: '/' }
  const command = ['/bin/sh', '-c', runnerScript('')]
  const [program = '', ...args] = sandboxCommand({ ...spec, command })
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
