import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Damages a kit by seed, in each of the ways below, and lets it be checked and repaired:
 *
 *     node dist/test/proof/kit-damages.js KIT [FIRST [LAST]]
 *
 * The kit is changed: give it a copy. Each trial must name what was hit, by both checkers, and end
 * with the ID that it began with and no fault.
 */
const [kit = '', first = '1', last = '30'] = process.argv.slice(2)
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const MIB = 1 << 20

let state = 0
/** A number below `limit`, by the seed. */
function draw(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * limit)
}

function files(folder: string): string[] {
  return readdirSync(join(kit, folder))
    .sort()
    .map((name) => `${folder}/${name}`)
}

function aSource(): string {
  const all = files('data/sources').filter((path) => !path.endsWith('SUMS'))
  return all[draw(all.length)] ?? ''
}

/** Changes `length` bytes at a position drawn, in `times` places. */
function spoil(path: string, length: number, times = 1, zero = false): void {
  const fd = openSync(join(kit, path), 'r+')
  const { size } = statSync(join(kit, path))
  for (let done = 0; done < times; done++) {
    const at = draw(Math.max(1, size - length))
    const bytes = Buffer.alloc(Math.min(length, size))
    readSync(fd, bytes, 0, bytes.length, at)
    for (let index = 0; index < bytes.length; index++)
      bytes[index] = zero ? 0 : (bytes[index] ?? 0) ^ 0x55
    writeSync(fd, bytes, 0, bytes.length, at)
  }
  fsyncSync(fd)
  closeSync(fd)
}

const IMAGE = files('data/images').find((path) => path.endsWith('.img')) ?? ''

const DAMAGES: readonly (readonly [string, () => string[]])[] = [
  ['one byte of the image', () => (spoil(IMAGE, 1), [IMAGE])],
  ['a sector of zeros', () => (spoil(IMAGE, 4096, 1, true), [])],
  ['1 MiB in one piece', () => (spoil(IMAGE, MIB), [IMAGE])],
  ['40 places of the image', () => (spoil(IMAGE, 512, 40), [IMAGE])],
  ['a source cut short', () => hit((path) => truncateSync(join(kit, path), 100))],
  ['a byte more in front', () => hit((path) => prepend(path))],
  ['a source deleted', () => hit((path) => rmSync(join(kit, path)))],
  ['a source renamed', () => hit((path) => renameSync(join(kit, path), join(kit, `${path}~`)))],
  ['the list emptied', () => empty('manifest-sha256.txt')],
  ['the list of lists emptied', () => empty('tagmanifest-sha256.txt')],
  ['the index of parity gone', () => (rmSync(join(kit, 'parity/kit.par2')), ['parity/kit.par2'])],
  ['a parity file spoiled', () => parity()],
  ['a file more', () => (writeFileSync(join(kit, 'data/more'), 'x'), ['data/more'])],
  ['a link in place of a source', () => hit((path) => replace(path, 'link'))],
  ['a folder in place of a source', () => hit((path) => replace(path, 'folder'))],
]

function hit(damage: (path: string) => void): string[] {
  const path = aSource()
  damage(path)
  return [path]
}

function prepend(path: string): void {
  writeFileSync(join(kit, path), Buffer.concat([Buffer.from('x'), readFileSync(join(kit, path))]))
}

function empty(path: string): string[] {
  truncateSync(join(kit, path), 0)
  return [path]
}

function parity(): string[] {
  const all = files('parity').filter((path) => path.endsWith('.par2'))
  const path = all[draw(all.length)] ?? ''
  spoil(path, 100, 3)
  return [path]
}

function replace(path: string, by: 'link' | 'folder'): void {
  rmSync(join(kit, path))
  if (by === 'link') symlinkSync('/etc/passwd', join(kit, path))
  else mkdirSync(join(kit, path))
}

interface Run {
  readonly status: number | null
  readonly said: string
}

function fixpoint(...words: string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'archive', ...words, kit], {
    encoding: 'utf8',
  })
  return { status, said: stdout + stderr }
}

function verify(): Run {
  const { status, stdout } = spawnSync('sh', [join(kit, 'verify.sh'), kit], { encoding: 'utf8' })
  return { status, said: stdout }
}

function idOf(): string {
  return execFileSync('sha256sum', [join(kit, 'tagmanifest-sha256.txt')], {
    encoding: 'utf8',
  }).slice(0, 64)
}

const id = idOf()
let failed = 0
for (let seed = Number(first); seed <= Number(last); seed++) {
  state = seed * 2654435761
  draw(1)
  const [title, damage] = DAMAGES[(seed - 1) % DAMAGES.length] ?? ['', () => []]
  const paths = damage()
  const checks = [fixpoint('check'), verify()]
  const named = checks.every(({ said }) => paths.every((path) => said.includes(path)))
  const repaired = fixpoint('repair')
  const [check, shell] = [fixpoint('check'), verify()]
  rmSync(join(kit, 'damaged'), { recursive: true, force: true })
  const isRight =
    named &&
    checks.every(({ status }) => status !== 0 || paths.length === 0) &&
    [repaired, check, shell].every(({ status }) => status === 0) &&
    idOf() === id
  const means = repaired.said.split('\n')[0] ?? ''
  process.stdout.write(`${isRight ? 'right' : 'WRONG'} ${seed} ${title}: ${means}\n`)
  if (isRight) continue
  failed += 1
  for (const { said } of [...checks, repaired, check, shell]) process.stdout.write(`${said}\n`)
}
process.stdout.write(`${failed} trials failed, ID ${id}\n`)
process.exitCode = failed === 0 ? 0 : 1
