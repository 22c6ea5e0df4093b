import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { BootOptions } from '../../qemu/boot.ts'
import type { Session } from '../../qemu/session.ts'
import { digestOf } from '../../src/base/digest.ts'
import { FixpointError } from '../../src/base/error.ts'
import { readImageRecord } from '../../src/image/read-record.ts'
import { atPrompt, dataDisk, type } from '../support/guest.ts'

/**
 * power-cuts IMAGE [CUTS] [SEED]: boots the appliance with a disk for its data, rebuilds some small
 * recipes in it, and pulls the plug at moments that seeds choose. After each cut it checks the
 * disk's file system and goes on with the rebuild, after every other one by way of `store verify`:
 * both must remove what the cut left. After the last cut the rebuild runs to its end. Every
 * artifact must be that of the record beside the image.
 */
const [image = '', cuts = '20', firstSeed = '1'] = process.argv.slice(2)

/** Each builds in less than a third of {@link LONGEST_RUN_MS} under emulation. */
const RECIPES = [
  'base/bzip2',
  'base/dosfstools',
  'base/zlib',
  'runtime/bubblewrap',
  'runtime/libcap',
  'runtime/nghttp2',
  'appliance/skeleton',
  'appliance/checkout',
]

/** From the command's start to the power cut, at most. Laying out takes a minute of it. */
const LONGEST_RUN_MS = 240_000

const MINUTES = 60_000
const STORE = '/data/store-rebuild-only/store'

/** What a recipe's artifact was each time that a rebuild ended. */
let compared = 0
let rebuilds = 0

async function main(): Promise<void> {
  const record = await readImageRecord(image.replace(/\.img$/, '.json'))
  const wanted = new Map(record.recipes.map(({ recipe, artifact }) => [recipe, artifact]))
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-cuts-'))
  const file = join(folder, 'data.img')
  await writeFile(file, '')
  await truncate(file, 8 * 2 ** 30)
  console.log(`the data are on ${file}, which is removed when all went well`)
  const options: BootOptions = { image, memory: '4G', disks: [await dataDisk(file)] }
  await atPrompt(options, (machine) => must(machine, 'data create vdb'))

  const began = performance.now()
  for (let cut = 1; cut <= Number(cuts); cut += 1) {
    const seed = Number(firstSeed) + cut - 1
    await atPrompt(options, async (machine) => {
      const found = await check(machine, cut % 2 === 0)
      const moment = momentOf(seed)
      const said = await rebuildUntil(machine, performance.now() + moment, wanted)
      await machine.kill()
      console.log(`${cut}: ${found}; seed ${seed}: cut after ${seconds(moment)}, ${said}`)
    })
  }
  await atPrompt(options, async (machine) => {
    console.log(`at last: ${await check(machine, true)}`)
    if (!(await rebuildOnce(machine, performance.now() + 60 * MINUTES, wanted)))
      throw new Error('the last rebuild does not end')
    await must(machine, 'test ! -e /data/store-rebuild-only')
  })
  const time = seconds(performance.now() - began)
  console.log(
    `${cuts} power cuts in ${rebuilds} rebuilds of ${RECIPES.length} recipes, in ${time}: ` +
      `the file system and the store sound each time, ${compared} artifacts as recorded`,
  )
  await rm(folder, { recursive: true })
}

/** The first moment of a seed, milliseconds. */
function momentOf(seed: number): number {
  const share = Number.parseInt(digestOf(String(seed)).slice(0, 8), 16) / 2 ** 32
  return Math.round(share * LONGEST_RUN_MS)
}

/**
 * Looks at the data as the last power cut left them, before an engine runs; says what it found.
 * With `verify` an engine checks the store then.
 */
async function check(machine: Session, verify: boolean): Promise<string> {
  const issue = await must(machine, 'cat /run/issue')
  if (!/data {2,}disk \/dev\/vdb/.test(issue)) throw new Error(`the data are not back:\n${issue}`)
  // Read-only, so that it stands still; the shell on the screen is in it, so it cannot be
  // unmounted.
  const remount = (how: string): string => `mount -o remount,${how} /data`
  await must(machine, `${remount('ro')} && e2fsck -fn /dev/vdb && ${remount('rw')}`, 5)
  const { good } = await type(machine, `test -e ${STORE}/LAYOUT`)
  if (!good) return 'file system sound, no store yet'
  const left = await listStore(machine)
  if (verify) {
    await must(machine, `fixpoint --store ${STORE} store verify`, 10)
    const after = await listStore(machine)
    const wrong = after.filter((path) => path.startsWith('work/session-'))
    if (wrong.length > 0) throw new Error(`store verify left this:\n${wrong.join('\n')}`)
  }
  return `file system and store sound, cut amid ${describeLeft(left)}`
}

/** What is in the store; fails when something is there that no power cut may leave. */
async function listStore(machine: Session): Promise<string[]> {
  const listing = await must(
    machine,
    `(cd ${STORE} && find blobs damaged kept partial work -mindepth 1 -maxdepth 3)`,
  )
  const paths = listing
    .split('\n')
    .filter((line) => /^(blobs|damaged|kept|partial|work)\//.test(line))
  const blobs = new Set(
    paths.filter((path) => path.startsWith('blobs/')).map((path) => basename(path)),
  )
  // A copy of a source stays until the source is stored, and no longer.
  const wrong = paths.filter(
    (path) =>
      /^(damaged|kept)\//.test(path) ||
      (path.startsWith('partial/') && blobs.has(basename(path).slice(0, 64))),
  )
  if (wrong.length > 0) throw new Error(`this is in the store:\n${wrong.join('\n')}`)
  return paths
}

/** Kinds of what an engine had under way: temporary files, copies of sources, actions' folders. */
function describeLeft(paths: readonly string[]): string {
  const kinds = paths.flatMap((path) => {
    const [top, , own = '', name = ''] = path.split('/')
    if (top === 'partial') return ['source']
    if (top !== 'work' || ['', 'lock'].includes(own)) return []
    if (own !== 'tmp') return name === '' && own.includes('@') ? [own.replace(/\.tokens$/, '')] : []
    return name === '' ? [] : [name.replace(/\.\d+$/, '')]
  })
  return [...new Set(kinds)].sort().join(', ') || 'nothing'
}

/** Rebuilds until `deadline`, again and again should one end before; says how far it came. */
async function rebuildUntil(
  machine: Session,
  deadline: number,
  wanted: ReadonlyMap<string, string | undefined>,
): Promise<string> {
  while (performance.now() < deadline) await rebuildOnce(machine, deadline, wanted)
  // Of the last rebuild only, should one have ended before.
  const text = machine.transcript.split('fixpoint rebuild').at(-1) ?? ''
  const names = (pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map(([, name]) => String(name))
  const built = names(/^built (\S+) in/gm)
  const current = names(/^build (\S+)$/gm).filter((name) => !built.includes(name))
  return `${built.length} built, under way: ${current.join(', ') || 'none'}`
}

/** Starts the rebuild, or goes on with it. False when the deadline comes before its end. */
async function rebuildOnce(
  machine: Session,
  deadline: number,
  wanted: ReadonlyMap<string, string | undefined>,
): Promise<boolean> {
  const { text: before } = await type(machine, `ls ${STORE}/work`)
  const from = machine.transcript.length
  // Through a pipe, so that lines come one by one; in the background, so that the shell is free.
  const command = `fixpoint rebuild --only ${RECIPES.join(',')} 2>&1 < /dev/null; echo "status: "$?`
  machine.type(`{ ${command}; } | cat &\n`)
  if (!(await sees(machine, /\n(build \S+|status: \d+)\n/, deadline))) return false
  for (const [session] of before.matchAll(/^session-\S+$/gm))
    await must(machine, `test ! -e ${STORE}/work/${session}`)
  // The shell's answers may have swallowed it.
  const ended = (): RegExpExecArray | null =>
    /\nstatus: (\d+)\n/.exec(machine.transcript.slice(from))
  if (ended() === null && !(await sees(machine, /\nstatus: \d+\n/, deadline))) return false
  const said = machine.transcript.slice(from)
  if (ended()?.[1] !== '0') throw new Error(`the rebuild failed:\n${said}`)
  for (const recipe of RECIPES) {
    const digest = new RegExp(`^${recipe} ([0-9a-f]{64}): identical$`, 'm').exec(said)?.[1]
    if (digest === undefined || digest !== wanted.get(recipe))
      throw new Error(
        `${recipe} is ${String(digest)}, recorded ${String(wanted.get(recipe))}:\n${said}`,
      )
    compared += 1
  }
  rebuilds += 1
  return true
}

/** False when the deadline comes first. */
async function sees(machine: Session, pattern: RegExp, deadline: number): Promise<boolean> {
  try {
    await machine.expect(pattern, { timeoutMs: Math.max(1, deadline - performance.now()) })
    return true
  } catch (error) {
    if (error instanceof FixpointError && error.code === 'boot-timeout') return false
    throw error
  }
}

/** Types a command that must succeed; what it printed. */
async function must(machine: Session, command: string, minutes = 2): Promise<string> {
  const { good, text } = await type(machine, command, { timeoutMs: minutes * MINUTES })
  if (!good) throw new Error(`a command failed in the guest:\n${text}`)
  return text
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`
}

await main()
