import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { beforeEach, describe, expect, it } from 'vitest'
import { commandLine, jsonLines, type Toy } from '../../support/cli.ts'
import { loopDisk, mountNew, withoutLoops, type Loop } from '../../support/loops.ts'
import { diskOf } from '../../support/disk.ts'
import { recordOf, toyImage } from '../../support/written-image.ts'

const MIB = 1 << 20
const toy = commandLine()

beforeEach(({ skip }) => {
  const reason = withoutLoops()
  skip(reason !== undefined, reason)
})

interface Rig extends Loop, Pick<Toy, 'run' | 'start' | 'startOnTerminal'> {
  readonly image: string
  readonly bytes: Buffer
  readonly sha256: string
  /** What is on the disk, if it is one of the two that it may be. */
  readonly holds: () => Promise<'the image' | 'what it held' | 'something else'>
}

/** An image of 5 MiB, a disk of 9, and the command line. */
async function rig(): Promise<Rig> {
  const { run, start, startOnTerminal } = await toy()
  const image = await toyImage(5)
  const disk = await loopDisk(9 * MIB)
  const before = await readFile(disk.file)
  return {
    ...{ ...disk, run, start, startOnTerminal },
    ...{ image: image.path, bytes: image.bytes, sha256: image.sha256 },
    holds: async () => {
      const found = await readFile(disk.file)
      if (found.equals(before)) return 'what it held'
      return found.subarray(0, 5 * MIB).equals(image.bytes) ? 'the image' : 'something else'
    },
  }
}

describe('fixpoint write', () => {
  it('shows, writes and reads back', async () => {
    const { run, image, device, file, sha256, holds } = await rig()
    await recordOf({ path: image, sha256: sha256 as never })
    const { code, stdout, stderr } = await run('write', '--yes', image, device)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `read ${image}\nwrite ${device}\nread back ${device}\n`,
    })
    expect(stdout.split('\n')).toEqual([
      `image: ${image}, 5.2 MB, SHA-256 as in "${image.replace('.img', '.json')}"`,
      `disk:  ${device}, the file "${file}", 9.4 MB, not removable`,
      'It holds something unknown, which is lost.',
      `${device}: written and read back, ${String(5 * MIB)} bytes`,
      `sha256 ${sha256}`,
      '',
    ])
    expect(await holds()).toBe('the image')
    const again = await run('write', '--dry-run', image, device)
    expect(again.stdout).toContain('All of this is lost, GPT:\n  partition 1: 5.2 MB, "root"\n')
  })

  it('writes nothing with --dry-run, and says the same to a program', async () => {
    const { run, image, device, sha256, holds } = await rig()
    const { code, stdout } = await run('--json', 'write', '--dry-run', '--yes', image, device)
    expect(code).toBe(0)
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      ...{ type: 'write-plan', image, device, sha256, size: 5 * MIB, bytes: 9 * MIB },
      ...{ sector: 512, partitions: [], isBlank: false },
    })
    expect(await holds()).toBe('what it held')
  })

  it('tells a program how far it is', async () => {
    const { run, image, device, sha256 } = await rig()
    const lines = jsonLines((await run('--json', 'write', '--yes', image, device)).stdout)
    expect(lines.at(-1)).toMatchObject({ type: 'written', sha256 })
    const told = lines
      .filter(({ type }) => type === 'progress')
      .map(({ what, bytes }) => [what, bytes])
    expect(told).toContainEqual([`write ${device}`, 5 * MIB])
    expect(told.at(-1)).toEqual([`read back ${device}`, 5 * MIB])
  })

  it('writes nothing where nobody can be asked', async () => {
    const { run, image, device, holds } = await rig()
    const { code, stderr } = await run('write', image, device)
    expect(code).toBe(2)
    expect(stderr).toMatch(/nobody is at a terminal to say yes\nhint: .*--yes/)
    expect(await holds()).toBe('what it held')
  })

  it('writes nothing to a disk that is in use, also with --yes', async () => {
    const { run, image, device } = await rig()
    const folder = await mountNew(device)
    const { code, stdout, stderr } = await run('write', '--yes', image, device)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`"${device}" is mounted on "${folder}"`)
    expect(stderr).toContain('lsblk')
  })

  /** Types an answer on a terminal once the command asks. */
  async function answer(
    { startOnTerminal, image, device }: Rig,
    typed: (name: string) => string,
  ): Promise<{ code: unknown; shown: string }> {
    const child = startOnTerminal('write', image, device)
    const name = device.replace('/dev/', '')
    const asked = `To overwrite ${device}, type ${name}: `
    let shown = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      const was = shown.includes(asked)
      shown += chunk.toString()
      if (!was && shown.includes(asked)) child.stdin!.write(typed(name))
    })
    const [code] = (await once(child, 'close')) as [number]
    return { code, shown }
  }

  it.each([
    ['the name', (name: string) => `${name}\n`, 0, 'the image'],
    ['the path', (name: string) => `/dev/${name}\n`, 0, 'the image'],
    ['another name', (name: string) => `${name}1\n`, 2, 'what it held'],
    ['yes', () => 'yes\n', 2, 'what it held'],
    ['nothing', () => '\n', 2, 'what it held'],
    ['the end of input', () => '\x04', 2, 'what it held'],
    ['Ctrl-C', () => '\x03', 130, 'what it held'],
  ])('asks on a terminal; typed is %s', async (_, typed, code, wanted) => {
    const here = await rig()
    const ended = await answer(here, typed)
    expect({ code: ended.code, holds: await here.holds() }, ended.shown).toEqual({
      code,
      holds: wanted,
    })
    if (code === 2) expect(ended.shown).toContain('its name was not typed')
    if (code === 0) expect(ended.shown).toContain('written and read back')
  })

  it('interrupted half-way says what the disk holds, and leaves nothing that starts', async () => {
    const { start, image, device } = await rig()
    const large = await loopDisk(256 * MIB)
    await writeFile(image, diskOf(512 * 1024 - 2048, [{ name: 'root', first: 40, last: 400_000 }]))
    expect(device).not.toBe(large.device)
    const child = start('--json', 'write', '--yes', image, large.device)
    const [stderr, exit] = [text(child.stderr!), once(child, 'exit')]
    child.stdout!.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('"progress"')) child.kill('SIGINT')
    })
    expect(await exit).toEqual([130, null])
    expect(await stderr).toMatch(
      /error: Stopped writing to "\S+": the disk holds a part of the image, and nothing starts/,
    )
    const bytes = await readFile(large.file)
    expect(bytes.subarray(0, MIB).equals(Buffer.alloc(MIB))).toBe(true)
    expect(bytes.subarray(-1)[0]).toBe(0xff)
  })

  it('killed at any moment leaves nothing that starts, or the whole image', async () => {
    const { start, run, image, device, file, bytes, holds } = await rig()
    for (const patience of [0, 1, 2, 3, 4, 5, 6]) {
      const child = start('--json', 'write', '--yes', image, device)
      let lines = 0
      child.stdout!.on('data', () => lines++ === patience && child.kill('SIGKILL'))
      await once(child, 'exit')
      const found = await readFile(file)
      const head = found.subarray(0, MIB)
      const isWhole = found.subarray(0, 5 * MIB).equals(bytes)
      const isDead = [0, 0xff].some((byte) => head.every((one) => one === byte))
      expect({ patience, isRight: isWhole || isDead }).toEqual({ patience, isRight: true })
    }
    expect((await run('write', '--yes', image, device)).code).toBe(0)
    expect(await holds()).toBe('the image')
  })
})
