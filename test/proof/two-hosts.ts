import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTree } from '../../src/base/remove-tree.ts'
import { readDisk } from '../../src/image/disk.ts'
import { readImageRecord } from '../../src/image/read-record.ts'
import { recordPathOf } from '../../src/image/record.ts'
import { unpackPartition } from '../../src/image/unpack-partition.ts'
import { receiptPaths } from '../../src/report/receipts/read.ts'
import { atPrompt, dataDisk, type } from '../support/guest.ts'
import { administer } from '../support/loops.ts'
import { checkFrauds, type Signer } from './planted-receipts.ts'
import { makeKey, readReceipts, run, signFile, type Place } from './receipt-place.ts'

/**
 * two-hosts IMAGE [PUBLIC-KEY RECEIPTS…]: two unlike hosts confirm one image. The image is booted
 * in QEMU and rebuilds some recipes; its receipts are carried out on its data disk and signed here.
 * This host rebuilds others with its own Node and the engine of this checkout. `receipts` must name
 * exactly what nobody has confirmed, and find each planted fraud. With a further builder's receipts
 * of all of the image, it must be confirmed as a whole.
 */
const [image = '', furtherKey, ...further] = process.argv.slice(2)

/** What the booted image rebuilds, and what this host does. */
const GUEST = ['base/bzip2', 'base/zlib']
const HOST = ['base/bzip2', 'base/m4']

const MINUTES = 60_000

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-two-hosts-'))
  console.log(`everything is in ${folder}, which is removed when all went well`)
  const signerOf = (name: string): Signer => {
    const file = join(folder, `${name}.key`)
    return { file, line: makeKey(file) }
  }
  const [guest, host, stranger] = [signerOf('guest'), signerOf('host'), signerOf('stranger')]
  const inGuest = await confirmInGuest(folder, guest)
  const onHost = await confirmOnHost(folder, host)
  const place: Place = { signers: join(folder, 'signers'), record: recordPathOf(image) }
  await writeFile(place.signers, `guest ${guest.line}\nhost ${host.line}\n`)
  const wanted = await aboveHostLayers()
  await checkCounts(place, [inGuest, onHost], wanted)
  const [file = ''] = await receiptPaths([inGuest])
  await checkFrauds(folder, place, { file, recipe: 'base/zlib', signer: guest, stranger })
  if (furtherKey !== undefined) await checkWhole(place, [inGuest, onHost, ...further], wanted)
  await removeTree(folder)
}

/** Boots the image, and lets it rebuild. The file of receipts is signed where the key is: here. */
async function confirmInGuest(folder: string, { file: key }: Signer): Promise<string> {
  const disk = await dataDisk(join(folder, 'data.img'))
  await writeFile(disk.file, '')
  administer('truncate', '--size', '8G', disk.file)
  await atPrompt({ image, memory: '2G', disks: [disk] }, async (machine) => {
    const must = async (command: string, minutes = 5): Promise<string> => {
      const { good, text } = await type(machine, command, { timeoutMs: minutes * MINUTES })
      if (!good) throw new Error(`a command failed in the guest:\n${text}`)
      return text
    }
    await must('data create vdb')
    // Both are installed: nothing runs, and nobody may vouch for it.
    const cached = await must('fixpoint build zlib bzip2 --receipts /data/cached', 30)
    if (!/receipts: none, since nothing ran/.test(cached)) throw new Error(cached)
    await must('test ! -e /data/cached')
    await must(`fixpoint rebuild --only ${GUEST.join(',')} --receipts /data/receipts`, 120)
    machine.type('poweroff\n')
    await machine.off()
  })
  const to = join(folder, 'guest')
  await mkdir(to)
  administer('debugfs', '-R', `rdump /receipts ${to}`, disk.file)
  const files = await receiptPaths([join(to, 'receipts')])
  for (const file of files) signFile(key, file)
  console.log(`guest: ${GUEST.join(' and ')} rebuilt in QEMU, ${files.length} file signed here`)
  return join(to, 'receipts')
}

/** This host's own engine rebuilds, from the root of the image. */
async function confirmOnHost(folder: string, { file: key }: Signer): Promise<string> {
  const { partitions } = await readDisk(image)
  const root = join(folder, 'root')
  const partition = partitions.find(({ name }) => name === 'root')
  if (partition === undefined) throw new Error(`${image} has no partition "root"`)
  await unpackPartition(image, partition, root, new AbortController().signal)
  await mkdir(join(folder, 'home/.config/fixpoint'), { recursive: true })
  await writeFile(join(folder, 'home/.config/fixpoint/config.yaml'), `installed: ${root}\n`)
  const to = join(folder, 'host')
  const only = ['rebuild', '--only', HOST.join(','), '--against', image, '--mirror', image]
  const { status, text } = await run([...only, '--receipts', to, '--sign', key], {
    HOME: join(folder, 'home'),
    XDG_CONFIG_HOME: '',
    FIXPOINT_STORE: join(folder, 'store'),
  })
  if (status !== 0) throw new Error(`this host's rebuild failed:\n${text}`)
  console.log(`host: ${HOST.join(' and ')} rebuilt on this system`)
  return to
}

/** With the receipts of both, `receipts` names what nobody confirmed, and counts the rest. */
async function checkCounts(
  place: Place,
  paths: readonly string[],
  wanted: readonly string[],
): Promise<void> {
  const both = GUEST.filter((recipe) => HOST.includes(recipe))
  for (const [count, confirmed] of [
    [1, [...GUEST, ...HOST]],
    [2, both],
  ] as const) {
    const { status, text } = await readReceipts(place, paths, '--require', String(count))
    const rest = wanted.filter((recipe) => !confirmed.includes(recipe))
    requireSame(missingIn(text), rest, text)
    if (status !== 1) throw new Error(`exit status ${String(status)}, not 1:\n${text}`)
    console.log(`--require ${count}: exit status 1, ${rest.length} of ${wanted.length} named`)
  }
  const { text } = await readReceipts(place, paths)
  for (const recipe of both)
    if (!new RegExp(`^${recipe} +2 builders {2}2 distributions`, 'm').test(text))
      throw new Error(`${recipe} has not two builders on two systems:\n${text}`)
}

/** With a further builder's receipts, all of the image is confirmed. */
async function checkWhole(
  place: Place,
  paths: readonly string[],
  wanted: readonly string[],
): Promise<void> {
  const line = (await readFile(furtherKey ?? '', 'utf8')).trim()
  await writeFile(place.signers, `further ${line}\n`, { flag: 'a' })
  const one = await readReceipts(place, paths, '--require', '1')
  if (one.status !== 0) throw new Error(`the image is not confirmed:\n${one.text}`)
  const two = await readReceipts(place, paths, '--require', '2')
  const rest = wanted.filter((recipe) => ![...GUEST, ...HOST].includes(recipe))
  requireSame(missingIn(two.text), rest, two.text)
  console.log(`with a further builder: exit status 0, all ${wanted.length} artifacts confirmed`)
}

/** The recipes whose artifacts are the same on every host. */
async function aboveHostLayers(): Promise<string[]> {
  const { recipes } = await readImageRecord(recordPathOf(image))
  return recipes.flatMap(({ recipe, host, artifact }) =>
    host === true || artifact === undefined ? [] : [recipe],
  )
}

function missingIn(text: string): string[] {
  return [...text.matchAll(/^ *(\S+\/\S+): \d+ of \d+$/gm)].map(([, recipe]) => String(recipe))
}

function requireSame(found: readonly string[], wanted: readonly string[], said: string): void {
  if ([...found].sort().join() === [...wanted].sort().join()) return
  throw new Error(`named: ${found.join(' ')}\nwanted: ${wanted.join(' ')}\n${said}`)
}

await main()
