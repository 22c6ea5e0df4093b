import { execFileSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { removeTree } from '../../src/base/remove-tree.ts'
import { readDisk } from '../../src/image/disk.ts'
import { unpackPartition } from '../../src/image/unpack-partition.ts'
import { runInImageRoot } from '../../src/sandbox/image-root.ts'
import { atPrompt, blankDisk, dataDisk, type } from '../support/guest.ts'
import { administer } from '../support/loops.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { CHECKOUT } from '../support/tree.ts'

const MINUTES = 60_000

/** Longest time of CPU of a command, in seconds, where nothing is emulated. */
const MOST_CPU = 3

/** Commands that write papers of the image that runs, from its record; names of what they write. */
const PAPERS = {
  'bill.cdx.json': 'sbom appliance.json -o',
  'bill.spdx.json': 'sbom appliance.json --format spdx -o',
  'page.html': 'report appliance.json --receipts receipts -o',
  legal: 'legal appliance.json',
}

let folder: string

const at = (...names: string[]): string => join(folder, ...names)

/** The same papers as this host writes them, and receipts to count. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-'))
  const main = join(CHECKOUT, 'dist/src/cli/main.js')
  const fixpoint = (...words: string[]) =>
    execa(process.execPath, [main, ...words], { cwd: CHECKOUT })
  await fixpoint('build', 'appliance', '-o', at('image'))
  await mkdir(at('data'))
  await copyFile(at('image/appliance.json'), at('data/appliance.json'))
  const own = ['--only', 'zlib', '--receipts', at('data/receipts')]
  await fixpoint('rebuild', '--image', at('image/appliance.img'), ...own)
  await mkdir(at('host'))
  for (const [name, words] of Object.entries(PAPERS))
    await execa(process.execPath, [
      ...[main, '--layers', join(CHECKOUT, 'layers/layers.yaml')],
      ...words
        .split(' ')
        .map((word) => (/^(appliance|receipts)/.test(word) ? at('data', word) : word)),
      at('host', name),
    ])
}, 60 * MINUTES)

afterAll(() => removeTree(folder))

it(
  'the booted appliance writes the papers of itself, offline, with the bytes of another host',
  async () => {
    const disk = await blankDisk(4 * 2 ** 30)
    administer('mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'fixpoint-data', '-d', at('data'), disk)
    const options = {
      image: at('image/appliance.img'),
      memory: '2G',
      disks: [await dataDisk(disk)],
    }
    await atPrompt(options, async (machine) => {
      const patience = { timeoutMs: 60 * MINUTES }
      for (const place of ['one', 'two'])
        for (const [name, words] of Object.entries(PAPERS)) {
          const said = await type(machine, `fixpoint ${words} /data/${place}-${name}`, patience)
          expect(said.good, said.text).toBe(true)
        }
      const counted = await type(machine, 'fixpoint receipts appliance.json receipts', patience)
      expect(counted.text).toMatch(/base\/zlib +0 builders .*\(1 not counted\)/)
      machine.type('poweroff\n')
      await machine.off()
    })
    const out = await temporaryFolder()
    administer('debugfs', '-R', `rdump / ${out}`, disk)
    for (const name of Object.keys(PAPERS))
      for (const place of ['one', 'two'])
        execFileSync('diff', ['-r', at('host', name), join(out, `${place}-${name}`)])
  },
  120 * MINUTES,
)

it(
  'the same under its own Node without an emulator, each in at most 3 s of CPU',
  async () => {
    const image = at('image/appliance.img')
    const place = { image, root: at('root'), mirror: at('mirror'), data: at('inside') }
    const { signal } = new AbortController()
    for (const partition of (await readDisk(image)).partitions)
      if (partition.name === 'root' || partition.name === 'mirror')
        await unpackPartition(image, partition, place[partition.name], signal)
    execFileSync('cp', ['-r', at('data'), place.data])
    // Reads the texts of all sources once; from then on the store has them.
    const script = [
      'cd /data',
      'fixpoint legal appliance.json first 2> /dev/null',
      ...Object.entries(PAPERS).map(
        ([name, words]) => `{ time fixpoint ${words} ${name}; } 2> ${name}.time`,
      ),
      '{ time fixpoint receipts appliance.json receipts; } 2> receipts.time',
    ].join(' && ')
    const terminal = { out: process.stdout, err: process.stderr, terminal: 'dumb' }
    expect(await runInImageRoot(place, ['sh', '-c', script], terminal, signal)).toBe(0)
    for (const name of Object.keys(PAPERS))
      execFileSync('diff', ['-r', at('host', name), join(place.data, name)])
    const times = (await readdir(place.data)).filter((name) => name.endsWith('.time'))
    expect(times).toHaveLength(Object.keys(PAPERS).length + 1)
    for (const name of times)
      expect(cpuOf(await readFile(join(place.data, name), 'utf8')), name).toBeLessThan(MOST_CPU)
  },
  20 * MINUTES,
)

/** Seconds of CPU that busybox's time tells of, as `user 0m 1.25s`. */
function cpuOf(text: string): number {
  const parts = [...text.matchAll(/^(?:user|sys)\s+(\d+)m ([\d.]+)s$/gm)]
  expect(parts, text).toHaveLength(2)
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
}
