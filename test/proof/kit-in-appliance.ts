import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { BootOptions } from '../../qemu/boot.ts'
import type { Session } from '../../qemu/session.ts'
import { digestOfFile } from '../../src/base/digest.ts'
import { atPrompt, blankFile, dataDisk, must, type } from '../support/guest.ts'

/**
 * kit-in-appliance KIT [keep|use]: boots the image of a kit, without a network, and does there what
 * `archive`, `mirror` and `write` do, with the kit on a second disk (ext4) and a copy on a third
 * one (FAT).
 * The kit is only read: the machine gets copies on disks in files, which take three times its
 * room in TMPDIR and are removed when all went well. Ends with the first command that does other
 * than it should. The two parts, with 1 GiB and with 2 GiB of memory, can be run alone.
 */
const kit = resolve(process.argv[2] ?? '')
const part = process.argv[3]

const SBIN = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
const GIB = 2 ** 30

/** What the guest has mounted: the kit, its copy, and where it makes things. */
const [KIT, COPY] = ['/mnt/kit', '/tmp/usb/copy'] as const
/** In a kit. */
const IMAGE = 'data/images/appliance.img'

async function main(): Promise<void> {
  const id = await digestOfFile(join(kit, 'tagmanifest-sha256.txt'))
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-kit-'))
  console.log(`the disks are in ${folder}, which is removed when all went well`)
  const image = join(kit, 'data/images/appliance.img')
  const disks = [await dataDisk(await kitDisk(folder))]
  if (part !== 'use') {
    const usb = await blank(folder, 'usb', 4 * GIB)
    await atPrompt({ image, memory: '1G', disks: [...disks, usb] }, (machine) => keep(machine, id))
  }
  if (part !== 'keep') {
    const [data, target] = [
      await blank(folder, 'data', 16 * GIB),
      await blank(folder, 'target', GIB),
    ]
    const large: BootOptions = { image, memory: '2G', disks: [...disks, data, target] }
    await atPrompt(large, (machine) => use(machine, id))
    await atPrompt({ image: target.file }, async (machine) => {
      await must(machine, 'grep "sources *[/]mirror" /run/issue')
      console.log('started from the disk that it wrote')
    })
  }
  await rm(folder, { recursive: true })
}

/** With 1 GiB of memory: looks after a kit. */
async function keep(machine: Session, id: string): Promise<void> {
  const run = runnerOf(machine)
  await run('mount /dev/vdb /mnt')
  const source = await firstSource()
  // Each in another way: a source that the image holds, and a part of the image, which parity has.
  await run(`printf x | dd of=${KIT}/data/sources/${source} bs=1 seek=1000 conv=notrunc`)
  await run(`dd if=/dev/zero of=${KIT}/${IMAGE} bs=4096 seek=6000 count=1 conv=notrunc; sync`)
  await run(`fixpoint archive check ${KIT}`, {
    status: 8,
    says: [`data/sources/${source}`, 'appliance.img', '2 faults'],
  })
  await run(`fixpoint archive repair -n ${KIT}`, { says: [source, 'by parity'] })
  await run(`fixpoint archive repair ${KIT}`, { says: [`id ${id}`] })
  await run(`fixpoint archive check ${KIT}`, { says: [' 0 faults', id] })
  await run(`rm -r ${KIT}/damaged`)
  await run('mkfs.fat -F 32 /dev/vdc && mkdir /tmp/usb && mount /dev/vdc /tmp/usb')
  await run(`fixpoint archive add-copy ${KIT} ${COPY} --medium usb --place here`, {
    says: [id.slice(0, 8)],
  })
  await run(`fixpoint archive check ${COPY}`, { says: [' 0 faults', id] })
  await run(`sh ${COPY}/verify.sh`, { says: ['faults: 0', id] })
  // On FAT, which has neither modes nor links.
  await run(`printf x | dd of=${COPY}/data/sources/${source} bs=1 seek=1000 conv=notrunc`)
  await run(`dd if=/dev/zero of=${COPY}/${IMAGE} bs=4096 seek=6000 count=1 conv=notrunc`)
  await run(`rm ${COPY}/README.txt; sync`)
  await run(`fixpoint archive check ${COPY}`, { status: 8, says: ['README.txt', '3 faults'] })
  await run(`fixpoint archive repair ${COPY}`, { says: [`id ${id}`] })
  await run(`sh ${COPY}/verify.sh`, { says: ['faults: 0', id] })
  await run(`rm -r ${COPY}/damaged`)
  await run(`fixpoint archive status ${KIT}`, { status: 8, says: ['usb, here', '2 copies'] })
  await run(`fixpoint mirror check ${KIT}/data/sources`, { says: [' 0 faults'] })
  await run(`fixpoint mirror copy ${KIT}/data/sources /tmp/usb/sources`)
  await run('fixpoint mirror check /tmp/usb/sources', { says: [' 0 faults'] })
  await run('umount /mnt /tmp/usb')
}

/** With 2 GiB of memory: works from a kit. */
async function use(machine: Session, id: string): Promise<void> {
  const run = runnerOf(machine)
  // The kit is read-only from here on.
  await run('mount -o ro /dev/vdb /mnt && data create vdc')
  await run(`fixpoint archive restore ${KIT} --to /data/work`, { says: ['restored from'] })
  const plan = await run('cd /data/work && ./fixpoint build -n appliance')
  if (/base\/\S+: will run/.test(plan)) throw new Error(`not all is stored:\n${plan}`)
  await run(`./fixpoint rebuild --image ${KIT}/${IMAGE} --only base/zlib`, {
    says: [/base\/zlib [0-9a-f]{64}: identical/],
  })
  await run(`cd /data && fixpoint archive create /data/kit ${KIT}/${IMAGE} --parity 1`, {
    says: [id.slice(0, 32), id.slice(32)],
  })
  await run('fixpoint archive check /data/kit', { says: [' 0 faults', id] })
  await run('fixpoint write -n /dev/vda /dev/vdd', { says: ['disk:  /dev/vdd'] })
  await run('fixpoint write --yes /dev/vda /dev/vdd', { says: ['written and read back'] })
  machine.type('poweroff\n')
  await machine.off()
}

interface Expected {
  /** Exit status; default 0. */
  readonly status?: number
  readonly says?: readonly (string | RegExp)[]
}

/** Types commands, and fails when one ends or says other than expected. */
function runnerOf(machine: Session): (command: string, expected?: Expected) => Promise<string> {
  return async (command, { status = 0, says = [] } = {}) => {
    const began = performance.now()
    const words = status === 0 ? command : `${command}; [ $? = ${status} ]`
    const { good, text } = await type(machine, words, { timeoutMs: 60 * 60_000 })
    const seconds = ((performance.now() - began) / 1000).toFixed(0)
    const missing = says.filter((each) =>
      typeof each === 'string' ? !text.includes(each) : !each.test(text),
    )
    if (!good || missing.length > 0)
      throw new Error(`wanted status ${status} and ${missing.join(', ')}:\n${text}`)
    console.log(`${seconds.padStart(5)} s  ${command}`)
    return text
  }
}

/** An ext4 disk with a copy of the kit. */
async function kitDisk(folder: string): Promise<string> {
  const { file } = await blank(folder, 'kit', 4 * GIB)
  const tree = join(folder, 'tree')
  await mkdir(tree)
  execFileSync('cp', ['-a', '--reflink=auto', kit, join(tree, 'kit')])
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', tree, file], { env: SBIN })
  await rm(tree, { recursive: true })
  return file
}

async function blank(folder: string, name: string, bytes: number): ReturnType<typeof dataDisk> {
  const file = join(folder, `${name}.img`)
  await blankFile(file, bytes)
  return dataDisk(file)
}

async function firstSource(): Promise<string> {
  const names = (await readdir(join(kit, 'data/sources'))).sort()
  return names.find((name) => name.startsWith('zlib')) ?? ''
}

await main()
