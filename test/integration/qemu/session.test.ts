import { execa } from 'execa'
import { existsSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bootSession, type BootOptions } from '../../../qemu/boot.ts'
import { BUSES } from '../../../qemu/machine.ts'
import type { Session } from '../../../qemu/session.ts'
import { talkingSector } from '../../support/boot-sector.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** This test needs the engine in a process of its own, which runs compiled code. */
const COMPILED = new URL('../../../dist/qemu/boot.js', import.meta.url)

const PATIENCE = { timeoutMs: 60_000 }

async function image(): Promise<string> {
  const file = join(await temporaryFolder(), 'sector, with a comma.img')
  // Some buses want more than one sector.
  await writeFile(file, Buffer.concat([talkingSector(), Buffer.alloc(1 << 20)]))
  return file
}

async function boot(options: Partial<BootOptions> = {}): Promise<Session> {
  const session = await bootSession({ image: await image(), memory: '64M', smp: 1, ...options })
  onTestFinished(() => session.kill())
  return session
}

describe('Session', { timeout: 120_000 }, () => {
  test.each(BUSES)('boots from %s', async (disk) => {
    const session = await boot({ disk })
    await session.expect('hello from sector 0\n>', PATIENCE)
  })

  test('types, reads the answer, sees the machine switch itself off', async () => {
    const session = await boot()
    await session.expect('> ', PATIENCE)
    session.type('x')
    expect((await session.expect(/heard (\w)\n/, PATIENCE))[1]).toBe('x')
    session.type('yz')
    await session.expect('heard y\nheard z\n', PATIENCE)
    session.type('q')
    await session.off(PATIENCE)
    expect(await session.ended).toEqual({ status: 0, signal: null })
    expect(session.transcript).toContain('heard x\nheard y\nheard z\n')
  })

  test('says what the console printed last when the time is up', async () => {
    const session = await boot()
    await session.expect('hello from', PATIENCE)
    await session.expect('>', PATIENCE)
    await expect(session.expect('login:', { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'boot-timeout',
      message: expect.stringMatching(/"login:".*\n.*\nhello from sector 0\n>/) as string,
    })
  })

  test('says so at once when the machine ends first', async () => {
    const session = await boot()
    await session.expect('>', PATIENCE)
    session.type('q')
    await expect(session.expect('login:', PATIENCE)).rejects.toMatchObject({ code: 'boot-ended' })
    await expect(session.expect('login:', PATIENCE)).rejects.toMatchObject({ code: 'boot-ended' })
    await expect(session.qmp('query-status')).rejects.toMatchObject({ code: 'qmp-closed' })
  })

  test('gives up when told so', async () => {
    const session = await boot()
    const controller = new AbortController()
    const waiting = session.expect('login:', { ...PATIENCE, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  test('does not outlive its quit', async () => {
    const session = await boot()
    await session.quit()
    expect(await session.ended).toEqual({ status: 0, signal: null })
  })

  test('leaves an image alone that it may not write', async () => {
    const file = await image()
    const before = await readFile(file)
    await chmod(file, 0o444)
    const session = await boot({ image: file })
    await session.expect('hello', PATIENCE)
    await session.quit()
    expect(await readFile(file)).toEqual(before)
  })

  test('has a screen', async () => {
    const session = await boot()
    await session.expect('hello', PATIENCE)
    const picture = join(await temporaryFolder(), 'screen.ppm')
    await session.qmp('screendump', { filename: picture })
    expect((await readFile(picture, 'latin1')).slice(0, 2)).toBe('P6')
  })

  test('says what QEMU has to say when it refuses to start', async () => {
    await expect(boot({ memory: '999999G' })).rejects.toMatchObject({
      code: 'qemu-failed',
      message: expect.stringMatching(/Cannot start QEMU: ./) as string,
    })
  })

  test('names an image that is not there', async () => {
    await expect(boot({ image: '/nowhere.img' })).rejects.toMatchObject({
      code: 'no-image',
      kind: 'usage',
    })
  })

  test('names a further disk that is not there', async () => {
    const disks = [{ file: '/nowhere.img', bus: 'virtio', writable: true }] as const
    await expect(boot({ disks })).rejects.toMatchObject({
      code: 'no-image',
      message: 'Cannot attach "/nowhere.img": it is not there or may not be written',
    })
  })

  test('takes QEMU along when the engine is killed', async ({ skip }) => {
    skip(!existsSync(COMPILED), 'the engine is not compiled: make setup')
    const program = `
      import { bootSession } from '${COMPILED.href}'
      const image = ${JSON.stringify(await image())}
      const { pid } = await bootSession({ image, memory: '64M', smp: 1 })
      process.stdout.write(String(pid))
      process.kill(process.pid, 'SIGKILL')`
    const engine = await execa(process.execPath, ['--input-type=module', '--eval', program], {
      reject: false,
    })
    expect(engine.signal).toBe('SIGKILL')
    expect(Number(engine.stdout)).toBeGreaterThan(1)
    // Returns when that process is gone.
    await execa('tail', ['-f', '/dev/null', `--pid=${engine.stdout}`], {
      timeout: PATIENCE.timeoutMs,
    })
  })
})
