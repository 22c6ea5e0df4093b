import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConsoleText } from '../../qemu/console.ts'

/**
 * kit-readme KIT [CLOCK [MEMORY]]: follows the README.txt of a kit as someone who has nothing else.
 * Each command is taken from its text and run in the folder of the kit, by sh, with the programs
 * of Debian. CLOCK, such as 2050-01-01, is what the machines' clocks say at their start. MEMORY
 * stands for the memory that README.txt asks for to rebuild, such as 2G.
 */
const [folder = '', clock = '', memory = ''] = process.argv.slice(2)
const kit = resolve(folder)

/** As a login has it, and no Node of the caller's. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TERM: 'xterm', LANG: 'C.UTF-8' }

const MINUTE = 60_000

async function main(): Promise<void> {
  const commands = commandsIn(await readFile(join(kit, 'README.txt'), 'utf8'))
  const command = (beginning: string): string => {
    const found = commands.find((each) => each.startsWith(beginning))
    if (found === undefined) throw new Error(`README.txt has no command "${beginning}"`)
    return found
  }
  sh(command('sh verify.sh'))
  await inMachine(command('qemu-system-x86_64 -m 1G'), async (console) => {
    await console.type('date -u +year%Y', `year${clock.slice(0, 4)}`)
  })
  await rebuild(commands.find((each) => each.includes('/tmp/disk.img,')) ?? '', command)
  await restore(command)
}

/** The image rebuilds a package in a machine. */
async function rebuild(machine: string, command: (text: string) => string): Promise<void> {
  sh(command('truncate '))
  await inMachine(
    memory === '' ? machine : machine.replace('-m 4G', `-m ${memory}`),
    async (it) => {
      await it.type(command('data create'), 'MiB free')
      await it.type(command('fixpoint rebuild'), /base\/zlib [0-9a-f]{64}: identical/)
    },
  )
  await rm('/tmp/disk.img')
}

/** The kit's engine does so on this host. */
async function restore(command: (text: string) => string): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'fixpoint-readme-'))
  const place = join(home, 'place')
  sh(command('sh data/tools/fixpoint archive restore').replace('FOLDER', place))
  const rebuilding = `${command('./fixpoint rebuild')} ${command('--only')}`.replace('KIT', kit)
  const said = sh(`cd ${place} && ${rebuilding}`)
  if (!/base\/zlib [0-9a-f]{64}: identical/.test(said)) throw new Error(said)
  execFileSync('chmod', ['-R', 'u+w', home])
  await rm(home, { recursive: true })
}

/** Indented lines are commands; a backslash at the end goes on. */
function commandsIn(text: string): string[] {
  return text
    .replaceAll(/ *\\\n */g, ' ')
    .split('\n')
    .filter((line) => /^ {2}\S/.test(line))
    .map((line) => line.trim())
}

function sh(command: string): string {
  const began = performance.now()
  const said = execFileSync('sh', ['-c', command], {
    cwd: kit,
    env: { ...ENVIRONMENT, HOME: tmpdir() },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  report(began, command)
  return said
}

/** A machine's console, which is on its standard input and output. */
interface Console {
  /** Types a line, and waits for what it is to print. */
  readonly type: (line: string, wanted: string | RegExp) => Promise<void>
}

const PROMPT = 'fixpoint:/data# '

/** Runs QEMU to the prompt, lets `use` work there, and leaves by Ctrl-A X. */
async function inMachine(command: string, use: (console: Console) => Promise<void>): Promise<void> {
  const began = performance.now()
  const words = clock === '' ? command : `${command} -rtc base=${clock}`
  const child = spawn('sh', ['-c', `exec ${words}`], {
    cwd: kit,
    env: ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const text = new ConsoleText()
  child.on('close', () => child.emit('text'))
  child.stdout.on('data', (bytes: Uint8Array) => {
    text.append(bytes)
    child.emit('text')
  })
  const expect = async (wanted: string | RegExp, minutes: number): Promise<void> => {
    const signal = AbortSignal.timeout(minutes * MINUTE)
    while (text.take(wanted) === undefined) {
      if (child.exitCode !== null) throw new Error(`QEMU ended:\n${text.tail(30)}`)
      await once(child, 'text', { signal }).catch(() => {
        throw new Error(`no ${String(wanted)} on the console:\n${text.tail(30)}`)
      })
    }
  }
  try {
    await expect(PROMPT, 15)
    report(began, words)
    await use({
      type: async (line, wanted) => {
        const typed = performance.now()
        child.stdin.write(`${line}\r`)
        await expect(wanted, 90)
        await expect(PROMPT, 15)
        report(typed, line)
      },
    })
    const closed = once(child, 'close')
    child.stdin.write('\u0001x')
    await closed
  } finally {
    child.kill('SIGKILL')
  }
}

function report(began: number, command: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`${seconds.padStart(5)} s  ${command}`)
}

await main()
