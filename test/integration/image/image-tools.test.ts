import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readDisk } from '../../../src/image/disk.ts'
import { storedTree } from '../../support/image.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const TOOLS = fileURLToPath(
  new URL('../../../layers/base/image-tools/files/usr/bin', import.meta.url),
)

const MIB = 1 << 20

/** GPT types as `sfdisk` prints them. */
const TYPES = {
  bios: '21686148-6449-6E6F-744E-656564454649',
  boot: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  mirror: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
}

/**
 * Where programs are looked for. sfdisk knows other sectors than the disk's since version 2.40; the
 * one that images are made with comes from the store when the host's is older.
 */
const PATH = await (async () => {
  // Debian's users have no programs of root's in PATH.
  const host = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  const help = spawnSync('sfdisk', ['--help'], { env: { PATH: host }, encoding: 'utf8' })
  if (help.error === undefined && help.stdout.includes('--sector-size')) return host
  const stored = await storedTree('base/sfdisk')
  return stored === undefined ? undefined : `${join(stored, 'usr/bin')}:${host}`
})()

const ENV = { PATH: PATH ?? '', LC_ALL: 'C', MTOOLSRC: '/dev/null' }

/** Says which of the programs this host misses; nothing when all are there. */
function missing(...programs: string[]): string {
  const wanting = programs.filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`], { env: ENV }).status !== 0,
  )
  return [...(PATH === undefined ? ['sfdisk 2.40'] : []), ...wanting].join(', ')
}

/** Runs one of the tools in the folder `obj`. Returns its status and what it says. */
function run(obj: string, tool: string, ...words: string[]): { status: number; said: string } {
  const { status, stdout, stderr } = spawnSync(join(TOOLS, tool), words, {
    env: { ...ENV, OBJ: obj, SOURCE_DATE_EPOCH: '946684800' },
  })
  return { status: status ?? -1, said: `${stdout.toString()}${stderr.toString()}` }
}

function runWell(obj: string, tool: string, ...words: string[]): void {
  const { status, said } = run(obj, tool, ...words)
  if (status !== 0) throw new Error(`${tool} fails with ${status}:\n${said}`)
}

/** Bytes that differ from place to place, and with the seed. */
function bytes(size: number, seed: number): Buffer {
  const made = Buffer.alloc(size)
  for (let at = 0; at < size; at++) made[at] = (at * 31 + (at >> 8) + seed) & 255
  return made
}

/** What write-disk joins, when nothing has to be right inside a partition. */
const FILES = {
  'mbr.img': bytes(512, 1),
  'core.img': bytes(5001, 2),
  'boot.img': bytes(2 * MIB + 1, 3),
  'root.img': bytes(MIB, 4),
  'mirror.img': bytes(777, 5),
}

/** A work folder with such files; `partitions` names those that are there. */
async function workFolder(partitions: readonly (keyof typeof TYPES)[]): Promise<string> {
  const obj = await temporaryFolder()
  for (const name of ['mbr.img', 'core.img'] as const) writeFileSync(join(obj, name), FILES[name])
  for (const name of partitions) {
    writeFileSync(join(obj, `${name}.img`), FILES[`${name}.img` as keyof typeof FILES])
    writeFileSync(join(obj, `${name}.type`), `${TYPES[name]}\n`)
  }
  return obj
}

interface Entry {
  readonly start: number
  readonly size: number
  readonly type: string
  readonly uuid: string
  readonly name: string
}

/** The partition table that a disk with sectors of this size has. */
function tableOf(image: string, sector: number): { id: string; partitions: readonly Entry[] } {
  const words = ['--sector-size', String(sector), '--json', image]
  return (
    JSON.parse(execFileSync('sfdisk', words, { env: ENV }).toString()) as {
      partitiontable: ReturnType<typeof tableOf>
    }
  ).partitiontable
}

const toWrite = missing()

describe.skipIf(toWrite !== '')(`write-disk (missing here: ${toWrite || 'nothing'})`, () => {
  it('makes a disk of its parts, with a table for each size of sectors', async () => {
    const obj = await workFolder(['boot', 'root', 'mirror'])
    const image = join(obj, 'disk')
    runWell(obj, 'write-disk', image)

    const partitions = [
      { name: 'bios', start: 34 * 512, size: 2014 * 512 },
      { name: 'boot', start: MIB, size: 3 * MIB },
      { name: 'root', start: 4 * MIB, size: MIB },
      { name: 'mirror', start: 5 * MIB, size: MIB },
    ]
    expect(await readDisk(image)).toEqual({ size: 7 * MIB, partitions })
    const table = tableOf(image, 512)
    const table4k = tableOf(image, 4096)
    const inBytes = (entries: readonly Entry[], sector: number) =>
      entries.map(({ name, type, start, size }) => {
        return { name, type, start: start * sector, size: size * sector }
      })
    const wanted = partitions.map((each) => ({ ...each, type: TYPES[each.name as 'boot'] }))
    expect(inBytes(table.partitions, 512)).toEqual(wanted)
    expect(inBytes(table4k.partitions, 4096)).toEqual(wanted.slice(1))
    expect(table4k.id).toBe(table.id)
    const uuids = (entries: readonly Entry[]) => entries.map(({ uuid }) => uuid)
    expect(uuids(table4k.partitions)).toEqual(uuids(table.partitions).slice(1))
    expect(new Set([table.id, ...uuids(table.partitions)]).size).toBe(5)

    const disk = readFileSync(image)
    expect(disk.subarray(0, 440).equals(FILES['mbr.img'].subarray(0, 440))).toBe(true)
    expect(disk.subarray(510, 512).toString('hex')).toBe('55aa')
    const parts = ['core.img', 'boot.img', 'root.img', 'mirror.img'] as const
    for (const [index, part] of parts.entries()) {
      const { start, size } = partitions[index]!
      const rest = Buffer.alloc(size - FILES[part].length)
      const wanted = Buffer.concat([FILES[part], rest])
      expect([part, disk.subarray(start, start + size).equals(wanted)]).toEqual([part, true])
    }
  })

  it.each([512, 4096])('has a second copy of the table, sectors of %i', async (sector) => {
    const obj = await workFolder(['boot', 'root'])
    const image = join(obj, 'disk')
    runWell(obj, 'write-disk', image)
    const before = tableOf(image, sector)
    const disk = readFileSync(image)
    disk.fill(0, sector, sector + 512)
    writeFileSync(image, disk)
    expect(tableOf(image, sector)).toEqual(before)
  })

  it('makes the same bytes of the same parts, and other identifiers of others', async () => {
    const images = await Promise.all(
      [0, 0, 1].map(async (change) => {
        const obj = await workFolder(['boot', 'root'])
        const part = Buffer.from(FILES['root.img'])
        part[99]! ^= change
        writeFileSync(join(obj, 'root.img'), part)
        const image = join(obj, 'disk')
        runWell(obj, 'write-disk', image)
        return { disk: readFileSync(image), table: tableOf(image, 512) }
      }),
    )
    const [one, same, other] = images
    expect(one!.disk.equals(same!.disk)).toBe(true)
    const changed = other!.table.partitions.map(
      ({ uuid }, index) => uuid !== one!.table.partitions[index]!.uuid,
    )
    expect(changed).toEqual([false, false, true])
    expect(other!.table.id).not.toBe(one!.table.id)
  })

  it('fails when the boot loader does not fit in front of the first partition', async () => {
    const obj = await workFolder(['boot', 'root'])
    writeFileSync(join(obj, 'core.img'), Buffer.alloc(2014 * 512 + 1))
    expect(run(obj, 'write-disk', join(obj, 'disk')).status).toBe(1)
  })
})

const toCheck = missing(
  ...['mksquashfs', 'unsquashfs', 'mkfs.fat', 'fsck.fat', 'mmd', 'mcopy', 'mtype'],
)

/** What check-image compares an image with; paths. */
interface Inputs {
  readonly contents: string
  readonly manifest: string
  readonly mirror: string
}

/** An image with all that check-image reads, as the tools make it, but without GRUB. */
async function wholeImage(): Promise<{ obj: string; image: string; inputs: Inputs }> {
  const top = await temporaryFolder()
  const [obj, image, inputs] = [join(top, 'obj'), join(top, 'disk'), join(top, 'inputs')]
  const contents = join(inputs, 'contents')
  const manifest = join(inputs, 'manifest')
  const mirror = join(inputs, 'mirror')
  for (const folder of [join(obj, 'boot'), mirror, join(contents, 'usr/lib/linux')])
    mkdirSync(folder, { recursive: true })
  const kernel = join(contents, 'usr/lib/linux/vmlinuz')
  writeFileSync(kernel, bytes(9999, 6))
  writeFileSync(join(contents, 'hello'), 'hello\n')
  writeFileSync(manifest, '{}\n')
  writeFileSync(join(mirror, 'source.tar'), bytes(5000, 7))
  writeFileSync(join(obj, 'mbr.img'), FILES['mbr.img'])
  writeFileSync(join(obj, 'core.img'), FILES['core.img'])
  runWell(obj, 'write-root', contents, manifest)
  runWell(obj, 'write-mirror', mirror)

  const boot = join(obj, 'boot.img')
  writeFileSync(join(obj, 'boot.type'), `${TYPES.boot}\n`)
  writeFileSync(join(obj, 'boot/bootx64.efi'), bytes(3000, 8))
  const uuid = execFileSync(
    'sh',
    ['-c', '. "$0/../lib/image-tools/lib.sh"; as_uuid < root.img', `${TOOLS}/.`],
    { env: { ...ENV, OBJ: obj } },
  )
  writeFileSync(join(obj, 'grub.cfg'), `linux root=PARTUUID=${uuid.toString().trim()} ro\n`)
  const mtools = (program: string, ...words: string[]) =>
    execFileSync(program, ['-i', boot, ...words], { env: ENV })
  execFileSync('mkfs.fat', ['-C', '-F', '16', '-s', '4', boot, '16384'], { env: ENV })
  mtools('mmd', '::EFI', '::EFI/BOOT', '::grub')
  mtools('mcopy', join(obj, 'boot/bootx64.efi'), '::EFI/BOOT/BOOTX64.EFI')
  mtools('mcopy', join(obj, 'grub.cfg'), '::grub/grub.cfg')
  mtools('mcopy', kernel, '::vmlinuz')

  runWell(obj, 'write-disk', image)
  return { obj, image, inputs: { contents, manifest, mirror } }
}

/** What check-image says is wrong; undefined when it finds the image good. */
function faultOf(obj: string, image: string, inputs: Inputs): string | undefined {
  for (const name of ['seen', 'sources']) rmSync(join(obj, name), { recursive: true, force: true })
  const { contents, manifest, mirror } = inputs
  const { status, said } = run(obj, 'check-image', image, contents, manifest, mirror)
  if (status === 0) return undefined
  const fault = /^Bad image: (.*)$/m.exec(said)?.[1]
  if (status !== 1 || fault === undefined)
    throw new Error(`check-image fails with ${status}:\n${said}`)
  return fault
}

describe.skipIf(toCheck !== '')(`check-image (missing here: ${toCheck || 'nothing'})`, () => {
  it('finds a byte that is not what was written, wherever it is', async () => {
    const { obj, image, inputs } = await wholeImage()
    expect(faultOf(obj, image, inputs)).toBeUndefined()
    const disk = readFileSync(image)
    const { size, partitions } = await readDisk(image)
    const start = (name: string) => partitions.find((each) => each.name === name)!.start
    const places: readonly (readonly [place: string, at: number, fault: RegExp])[] = [
      ['boot code', 17, /^boot code/],
      ['boot signature', 510, /512|signature/],
      ['table, sectors of 512', 512 + 56, /512/],
      ['its name of a partition', 1024 + 128 + 56, /512/],
      ['its second copy', size - 512 + 56, /512/],
      ['table, sectors of 4096', 4096 + 56, /4096/],
      ['a place in it', 8192 + 32, /4096/],
      ['its second copy, sectors of 4096', size - 4096 + 56, /4096/],
      ['boot loader for the BIOS', start('bios') + 640, /^content of bios/],
      ['boot partition', start('boot') + 640, /^content of boot/],
      ['root', start('root') + 640, /^content of root/],
      ['mirror', start('mirror') + 640, /^content of mirror/],
    ]
    for (const [place, at, fault] of places) {
      const damaged = Buffer.from(disk)
      damaged[at]! ^= 1
      writeFileSync(image, damaged)
      expect(faultOf(obj, image, inputs), place).toMatch(fault)
    }
  })

  it('finds what is not as it was given', async () => {
    const { obj, image, inputs } = await wholeImage()
    const changes: readonly (readonly [change: (inputs: Inputs) => void, fault: RegExp])[] = [
      [({ manifest }) => writeFileSync(manifest, '{ }\n'), /^manifest/],
      [({ contents }) => writeFileSync(join(contents, 'hello'), 'hullo\n'), /^content of the root/],
      [({ contents }) => chmodSync(join(contents, 'hello'), 0o600), /^names, modes or links/],
      [({ contents }) => writeFileSync(join(contents, 'more'), ''), /^names, modes or links/],
      [({ contents }) => writeFileSync(join(contents, 'usr/lib/linux/vmlinuz'), 'x'), /^kernel/],
      [({ mirror }) => writeFileSync(join(mirror, 'more'), ''), /^names in the mirror/],
    ]
    expect(faultOf(obj, image, inputs)).toBeUndefined()
    for (const [change, fault] of changes) {
      const folder = await temporaryFolder()
      cpSync(dirname(inputs.manifest), folder, { recursive: true })
      const changed = {
        contents: join(folder, 'contents'),
        manifest: join(folder, 'manifest'),
        mirror: join(folder, 'mirror'),
      }
      change(changed)
      expect(faultOf(obj, image, changed), change.toString()).toMatch(fault)
    }
  })
})
