import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { WAIT_FOR_ENGINE } from '../../../src/sandbox/run.ts'

/** A shell that waits for the engine as one in the sandbox does, and then says that it runs. */
function waitingShell() {
  const child = spawn('/bin/sh', ['-c', `${WAIT_FOR_ENGINE}echo runs`], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  })
  const line = child.stdio[3]
  if (!(line instanceof Duplex)) throw new TypeError('no line to the shell')
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return {
    line,
    end: once(child, 'close').then(([status]) => ({ status: status as number | null, said })),
  }
}

it('begins at the word of the engine', async () => {
  const { line, end } = waitingShell()
  line.once('data', () => line.end('\n'))
  expect(await end).toEqual({ status: 0, said: 'runs\n' })
})

it('does not begin without an engine, which may have been killed before or after the shell was heard', async () => {
  const deaf = waitingShell()
  deaf.line.destroy()
  const heard = waitingShell()
  heard.line.once('data', () => heard.line.destroy())
  for (const { status, said } of [await deaf.end, await heard.end]) {
    expect(status).not.toBe(0)
    expect(said).toBe('')
  }
})
