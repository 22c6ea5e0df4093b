import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { takeLock } from '../../../src/store/local/lock.ts'
import {
  commandLine,
  jsonLines,
  makes,
  processesHolding,
  ranIn,
  recipe,
  step,
  TOOLS_RECIPE,
  type Toy,
} from '../../support/cli.ts'
import { talkingSector } from '../../support/boot-sector.ts'
import { diskOf, SECTOR } from '../../support/disk.ts'
import { waitUntil } from '../../support/rig.ts'

const toy = commandLine()

/** A number of seconds that no other process sleeps: tells the toy's process from all others. */
const LONG = '86123.75'

/** Its step waits until someone ends the `sleep` in it from outside. */
const WAITS = {
  'layers/bootstrap/waits/recipe.yaml': recipe(
    'waits',
    'inputs: [bootstrap/alpha]',
    'style: plain',
    'env: {MARKER: fixpoint-interrupt-test}',
    // More files than the engine removes without rm.
    step(`touch $(seq 300); sleep ${LONG} || :`, 'echo done > "$OUT/done"'),
  ),
}

/** Ids of the step's `sleep` itself. */
function sleepers(): number[] {
  return processesHolding(`sleep\0${LONG}`)
}

/** Of the toy's engine, its locks, its sandboxes and what runs in those. */
function left({ folder }: Toy): number[] {
  return [
    ...processesHolding(folder),
    ...processesHolding('fixpoint-interrupt-test'),
    ...sleepers(),
  ]
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in mid-build: 130, no process left, the next run finishes',
  async (signal) => {
    const here = await toy(WAITS)
    const child = here.start('--json', 'build', 'waits')
    const [stdout, stderr, exit] = [text(child.stdout!), text(child.stderr!), once(child, 'exit')]
    await waitUntil(() => sleepers().length > 0)
    // To the whole group, as a terminal does.
    process.kill(-child.pid!, signal)
    expect(await exit).toEqual([130, null])
    expect(left(here)).toEqual([])
    expect(ranIn(jsonLines(await stdout))).toEqual(['bootstrap/alpha'])
    expect(await stderr).not.toContain('error:')
    expect(await stderr).toMatch(
      /^interrupted: stopping what runs; again to leave at once\ninterrupted;/m,
    )
    expect(await readdir(join(here.store, 'work'))).toEqual([])

    const next = here.start('--json', 'build', 'waits')
    const [output, end] = [text(next.stdout!), once(next, 'exit')]
    await waitUntil(() => sleepers().length > 0)
    for (const pid of sleepers()) process.kill(pid)
    expect(await end).toEqual([0, null])
    expect(ranIn(jsonLines(await output))).toEqual(['bootstrap/waits'])
    expect((await here.run('store', 'verify')).code).toBe(0)
  },
)

test('a second signal ends it at once; what is half-made goes without it', async () => {
  const here = await toy(WAITS)
  await mkdir(join(here.folder, 'bin'))
  // Removing takes as long as the test wants.
  const held = join(here.folder, 'held')
  await writeFile(held, '')
  await writeFile(join(here.folder, 'bin/rm'), `#!/bin/sh\nexec flock '${held}' /bin/rm "$@"\n`, {
    mode: 0o755,
  })
  const path = `PATH=${join(here.folder, 'bin')}:${process.env['PATH'] ?? ''}`
  const child = here.startWith(['env', path], 'build', 'waits')
  const [stderr, exit] = [text(child.stderr!), once(child, 'exit')]
  await waitUntil(() => sleepers().length > 0)
  const lock = await takeLock(held)
  child.kill('SIGTERM')
  // Repeated, since one that follows at once is taken for the first.
  const again = setInterval(() => child.kill('SIGTERM'), 50)
  onTestFinished(() => {
    clearInterval(again)
  })
  expect(await exit).toEqual([130, null])
  clearInterval(again)
  expect(await stderr).toMatch(/^interrupted: .*\ninterrupted; /m)
  expect(await readdir(join(here.store, 'work'))).not.toEqual([])
  await lock?.release()
  await waitUntil(() => left(here).length === 0)
  expect(await readdir(join(here.store, 'work'))).toEqual([])
})

test('an error that nobody waits for is reported once; nothing is left', async () => {
  const here = await toy(WAITS)
  const throws = "data:text/javascript,process.on('SIGUSR2',()=>{throw(Error('late'))})"
  const child = here.startWith(['env', `NODE_OPTIONS=--import=${throws}`], 'build', 'waits')
  const [stderr, exit] = [text(child.stderr!), once(child, 'exit')]
  await waitUntil(() => sleepers().length > 0)
  child.kill('SIGUSR2')
  expect(await exit).toEqual([70, null])
  expect((await stderr).match(/^.*error: /gm)).toHaveLength(1)
  await waitUntil(() => left(here).length === 0)
  expect(await readdir(join(here.store, 'work'))).toEqual([])
})

test('a build under nohup goes on when its terminal is closed', async () => {
  const here = await toy(WAITS)
  const terminal = here.startUnderNohup('build', 'waits')
  const closed = once(terminal, 'exit')
  await waitUntil(() => sleepers().length > 0)
  terminal.kill('SIGKILL')
  await closed
  for (const pid of sleepers()) process.kill(pid)
  await waitUntil(() => left(here).length === 0)
  const { stdout } = await here.run('--json', 'build', 'waits')
  expect(ranIn(jsonLines(stdout))).toEqual([])
})

/** A disk that greets on the console, as a file of the toy's. */
async function talkingImage({ folder }: Toy): Promise<string> {
  // Firmware does not start from a much smaller disk.
  const disk = diskOf(2048, [{ name: 'boot', first: 40, last: 49 }])
  const image = join(folder, 'talking.img')
  await writeFile(image, Buffer.concat([talkingSector(), disk.subarray(SECTOR)]))
  return image
}

test('`boot` ends as by its signal when the terminal goes', { timeout: 120_000 }, async () => {
  const here = await toy()
  const image = await talkingImage(here)
  // The shell stays, and notes how the engine ended.
  const noting = join(here.folder, 'noting.sh')
  await writeFile(noting, `trap '' HUP; "$@"; echo $? > '${here.folder}/status'\n`)
  const terminal = `exec script -qec "$(printf "'%s' " "$@")" /dev/null`
  const wrap = ['sh', '-c', terminal, 'sh', 'sh', noting]
  const child = here.startWith(wrap, 'boot', image, '--memory', '64M')
  let said = ''
  child.stdout!.on('data', (chunk: Buffer) => void (said += chunk.toString()))
  await waitUntil(() => said.includes('hello from sector 0'))
  child.kill('SIGKILL')
  await waitUntil(() => existsSync(join(here.folder, 'status')))
  expect(await readFile(join(here.folder, 'status'), 'utf8')).toBe('129\n')
  await waitUntil(() => processesHolding(image).length === 0)
})

test('`boot` refuses what it could not show: a cut image, a port in use', async () => {
  const here = await toy()
  const image = await talkingImage(here)
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const taken = await here.run('boot', image, '--port', `${String(port)}:22`)
  expect(taken.code).toBe(2)
  expect(taken.stderr).toContain(`Cannot forward port ${String(port)} of this host: another`)
  expect(taken.stderr).toContain('hint: Name another one: --port HOST:GUEST')
  const twice = await here.run('boot', image, '--port', '2222:22', '--port', '2222:23')
  expect(twice.code).toBe(2)
  expect(twice.stderr).toContain('Port 2222 of this host is forwarded already')
  await truncate(image, 100_000)
  const cut = await here.run('boot', image)
  expect(cut.code).toBe(2)
  expect(cut.stderr).toMatch(/it ends after 100.000 bytes, and its partition table says 1.048.576/)
})

test('SIGTERM ends `boot` and its machine', { timeout: 120_000 }, async () => {
  const here = await toy()
  const image = await talkingImage(here)
  const child = here.start('boot', image, '--memory', '64M')
  const exit = once(child, 'exit')
  let said = ''
  child.stdout!.on('data', (chunk: Buffer) => void (said += chunk.toString()))
  await waitUntil(() => said.includes('hello from sector 0'))
  child.kill('SIGTERM')
  expect(await exit).toEqual([130, null])
  expect(left(here)).toEqual([])
})

test.each(['SIGINT', 'SIGKILL'] as const)(
  '%s in the second build of verify ends that too',
  async (signal) => {
    const here = await toy({
      ...WAITS,
      'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
      'layers/product/above/recipe.yaml': makes(
        'above',
        'above',
        'inputs: [bootstrap/tools, bootstrap/waits]',
      ),
    })
    // Where another user gets to, if the tests run as root.
    const place = await mkdtemp(join(tmpdir(), 'fixpoint-test-interrupt-'))
    onTestFinished(() => removeTree(place))
    await Promise.all([here.folder, place].map((folder) => chmod(folder, 0o755)))
    const child = here.start('verify', 'above', '--second', join(place, 'second'))
    const [stderr, exit] = [text(child.stderr!), once(child, 'exit')]
    await waitUntil(() => sleepers().length > 0)
    const [first] = sleepers()
    process.kill(first!)
    await waitUntil(() => sleepers().some((pid) => pid !== first))
    // To the whole group, as a terminal does.
    process.kill(-child.pid!, signal)
    expect(await exit).toEqual(signal === 'SIGINT' ? [130, null] : [null, signal])
    // When the first engine had the time to wait, nothing is left at once.
    if (signal === 'SIGKILL')
      await waitUntil(() => [...left(here), ...processesHolding(place)].length === 0)
    expect([...left(here), ...processesHolding(place)]).toEqual([])
    expect(await stderr).not.toContain('error:')
  },
)

test('a program of the host that is interrupted too does not make the host unfit', async () => {
  const { folder, runWith } = await toy()
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'bin/flock'), '#!/bin/sh\nkill -INT $PPID\nexit 1\n', {
    mode: 0o755,
  })
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` }
  const { code, stderr } = await runWith({ env }, 'build', 'alpha')
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: expect.not.stringContaining('error:') as string,
  })
})

test('what the host’s programs fail of as they are interrupted too is the interruption', async () => {
  const packed = Buffer.from('\x1f\x8b and so on', 'latin1')
  const { folder, runWith } = await toy({
    'layers/bootstrap/sourced/recipe.yaml': makes(
      'sourced',
      'x',
      'sources:',
      `  - sha256: ${digestOf(packed)}`,
      "    from: ['file:../../../place.tar.gz']",
    ),
    'place.tar.gz': packed,
  })
  await mkdir(join(folder, 'bin'))
  // As a terminal does, to the whole group.
  await writeFile(join(folder, 'bin/gzip'), '#!/bin/sh\nkill -INT 0\nexit 1\n', { mode: 0o755 })
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` }
  const { code, stderr } = await runWith({ wrap: ['setsid', '--wait'], env }, 'seeds', 'sourced')
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: expect.not.stringContaining('error:') as string,
  })
})
