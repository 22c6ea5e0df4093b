import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Session } from '../../qemu/session.ts'
import { sectionsOf } from '../support/examples.ts'
import { atPrompt, blankDisk, dataDisk, type } from '../support/guest.ts'
import { mirroredSource, storedImage } from '../support/image.ts'
import { temporaryFolder } from '../support/temporary.ts'

const image = (await storedImage('appliance')) ?? ''

const MINUTES = 60_000

/** Where e2fsprogs are, which every Debian has. */
const SBIN = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }

it(
  "a maker's first hour: the tutorial's commands, as they are written",
  async () => {
    const exchange = await exchangeDisk()
    const disks = [await dataDisk(), await dataDisk(exchange)]
    await atPrompt({ image, memory: '4G', disks }, async (machine) => {
      const { place, layer, program, product, released, patch, changes, source, out } =
        await tutorial()
      await enter(machine, place)
      await enter(machine, layer)
      await enter(machine, program)
      // The appliance holds the kernel of tiny, but not its busybox and skeleton.
      expect(builtIn(await enter(machine, product))).toEqual([
        'product/device',
        'product/hello',
        'system/busybox',
        'system/skeleton',
      ])
      await enter(machine, released)
      const patched = await enter(machine, patch)
      expect(patched).toMatch(
        /\nsystem\/busybox: will run\n[\s\S]*\nproduct\/device: may run, waits for system\/busybox\n/,
      )
      expect(patched.match(/: will run\n/g)).toHaveLength(1)
      expect(builtIn(patched)).toEqual(['product/device', 'system/busybox'])
      const told = await enter(machine, changes)
      expect(told).toMatch(/system\/busybox[\s\S]*listed-names\.patch/)
      expect(told).not.toMatch(/product\/hello|system\/linux|toolchain\//)
      const replaced = await enter(machine, source)
      expect(builtIn(replaced)).toEqual(['product/device', 'system/busybox'])
      expect(replaced).toMatch(/system\/busybox.*1\.37\.0.*1\.37\.1/)
      await enter(machine, out)
      machine.type('poweroff\n')
      await machine.off()
    })
    const carried = await carriedOut(exchange)
    execFileSync('sha256sum', ['-c', 'device.img.sha256'], { cwd: carried })
    await atPrompt({ image: join(carried, 'device.img') }, async (machine) => {
      expect((await type(machine, 'hello')).text).toContain('\nHello from a program of our own\n')
      expect((await type(machine, 'busybox | head -n 1')).text).toContain('BusyBox v1.37.1 ')
    })
  },
  120 * MINUTES,
)

/** The tutorial's blocks of commands that make up the hour in the appliance. */
async function tutorial() {
  const sections = await sectionsOf('tutorial.md')
  const under = (title: string): string[] =>
    sections
      .filter((section) => section.title === title)
      .flatMap(({ examples }) => examples.map(({ commands }) => commands))
  const [product, released] = under('An image with it')
  return {
    place: under('A place for data')[0],
    layer: under("A layer on top of the appliance's")[0],
    program: under('A program of your own')[0],
    ...{ product, released },
    patch: under('A patch by hand')[0],
    changes: under('What changed, and why')[0],
    source: under('A new version by hand')[0],
    out: under('Onto the other disk')[0],
  }
}

/** Types a block of commands and resolves to what was printed. */
async function enter(machine: Session, block: string | undefined): Promise<string> {
  const { good, text } = await type(machine, block!.trimEnd(), { timeoutMs: 40 * MINUTES })
  expect(good, text).toBe(true)
  expect(text).not.toMatch(/^(sh|cp|mount|umount|sha256sum): |\berror: /m)
  return text
}

function builtIn(text: string): string[] {
  return [...text.matchAll(/^built (\S+) in/gm)].map(([, recipe]) => recipe!).sort()
}

/**
 * A disk as a maker brings it along, with upstream's next tarball: this one's, but for the number.
 */
async function exchangeDisk(): Promise<string> {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'disk'))
  await writeFile(join(folder, 'upstream'), (await mirroredSource(image, 'busybox_')).bytes)
  const make = `
    tar -xf upstream
    mv busybox-1.37.0 busybox-1.37.1
    sed -i 's/^SUBLEVEL = 0$/SUBLEVEL = 1/' busybox-1.37.1/Makefile
    tar -czf disk/busybox-1.37.1.tar.gz busybox-1.37.1`
  execFileSync('sh', ['-euc', make], { cwd: folder })
  const file = await blankDisk(1 << 30)
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', join(folder, 'disk'), file], {
    env: SBIN,
  })
  return file
}

/** What is on the disk at the end, as a folder. */
async function carriedOut(disk: string): Promise<string> {
  const folder = await temporaryFolder()
  execFileSync('debugfs', ['-R', `rdump / ${folder}`, disk], { stdio: 'ignore', env: SBIN })
  return folder
}
