import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTree } from '../../src/base/remove-tree.ts'
import { timed, type Timing } from './measure.ts'
import { FIXPOINT } from './paths.ts'
import { TOY_TARGET, usedByToy, writeToyLayers, writing } from './toy-layers.ts'

/** A way to build the same graph of toys. */
export interface Peer {
  readonly name: string
  /** Builds what is missing. */
  readonly command: readonly string[]
  /** Takes away what was built, but not what the toys are built with. */
  readonly forget: () => Promise<void>
}

/** What a peer took to build all toys, and then to find that nothing is missing. */
export interface PeerTimes {
  readonly name: string
  readonly cold: Timing
  readonly nothing: Timing
}

/**
 * Builds `count` toys, and one that uses them all, by every peer that this machine has: each once
 * to get ready, then from nothing, then with nothing to do. Works below `folder`.
 */
export async function timePeers(folder: string, count: number): Promise<PeerTimes[]> {
  const peers = [
    await fixpoint(folder, count),
    await nix(folder, count),
    await ninja(folder, count),
    await script(folder, count),
  ].filter((peer) => peer !== undefined)
  const times: PeerTimes[] = []
  for (const { name, command, forget } of peers) {
    timed(command)
    await forget()
    const cold = timed(command)
    times.push({ name, cold, nothing: timed(command) })
  }
  return times
}

async function fixpoint(folder: string, count: number): Promise<Peer> {
  const layers = await writeToyLayers(join(folder, 'fixpoint'), count)
  const store = join(folder, 'fixpoint', 'store')
  const engine = [...FIXPOINT, '--layers', layers, '--store', store]
  const command = [...engine, 'build', '--offline', TOY_TARGET]
  const forget = async (): Promise<void> => {
    await removeTree(store)
    timed([...engine, 'build', '--offline', 'bootstrap/tools'])
  }
  return { name: 'fixpoint', command, forget }
}

/** Nix with its sandbox, in a store of its own; steps see the host's tools. */
async function nix(folder: string, count: number): Promise<Peer | undefined> {
  if (!isThere('nix-build')) return undefined
  const file = join(folder, 'toys.nix')
  const store = join(folder, 'nix')
  await writeFile(file, nixText(count))
  const options = { sandbox: 'true', 'build-users-group': '', substitute: 'false' }
  const command = [
    ...['nix-build', file, '--no-out-link', '--store', store, '-j', 'auto'],
    ...Object.entries(options).flatMap(([name, value]) => ['--option', name, value]),
    ...['--option', 'sandbox-paths', '/bin /usr /lib /lib64'],
  ]
  const forget = async (): Promise<void> => {
    execFileSync('chmod', ['-R', 'u+w', store])
    await rm(store, { recursive: true })
  }
  return { name: 'nix, sandboxed', command, forget }
}

function nixText(count: number): string {
  const derivation = (name: string, inputs: readonly string[], words: string): string =>
    `derivation { name = "${name}"; inputs = [ ${inputs.join(' ')} ]; PATH = "/usr/bin:/bin";
  system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ''${words}'' ]; }`
  const names = Array.from({ length: count }, (_, index) => `part-${index}`)
  const toys = names.map((name, index) => {
    const used = usedByToy(index).map((at) => names[at] ?? '')
    return `  ${name} = ${derivation(name, used, nixWords(name))};`
  })
  return `let\n${toys.join('\n')}\nin ${derivation('all', names, nixWords('all'))}\n`
}

function nixWords(name: string): string {
  return writing(name).replaceAll('$OUT', '$out')
}

/** ninja, which neither isolates nor packs nor hashes. */
async function ninja(folder: string, count: number): Promise<Peer | undefined> {
  if (!isThere('ninja')) return undefined
  const work = join(folder, 'ninja')
  await mkdir(work)
  const names = Array.from({ length: count }, (_, index) => `part-${index}`)
  const rule = (name: string, used: readonly string[]): string =>
    `rule ${name}\n  command = OUT=out/${name}; ${writing(name).replaceAll('$OUT', '$$OUT')}; ` +
    `touch $out\nbuild ${name}: ${name} ${used.join(' ')}\n`
  const toys = names.map((name, index) =>
    rule(
      name,
      usedByToy(index).map((at) => names[at] ?? ''),
    ),
  )
  await writeFile(join(work, 'build.ninja'), toys.join('') + rule('all', names))
  const forget = (): Promise<void> => {
    execFileSync('ninja', ['-C', work, '-t', 'clean'], { stdio: 'ignore' })
    return removeTree(join(work, 'out'))
  }
  return { name: 'ninja', command: ['ninja', '-C', work, 'all'], forget }
}

/** A shell that does all steps one after the other, and knows of nothing that is there. */
async function script(folder: string, count: number): Promise<Peer> {
  const work = join(folder, 'script')
  const file = join(folder, 'script.sh')
  const names = [...Array.from({ length: count }, (_, index) => `part-${index}`), 'all']
  const lines = names.map((name) => `OUT=${work}/${name} sh -euc '${writing(name)}'`)
  await writeFile(file, `${lines.join('\n')}\n`)
  return { name: 'shell script', command: ['sh', file], forget: () => removeTree(work) }
}

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
