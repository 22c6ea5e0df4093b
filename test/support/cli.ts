import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { removeTree } from '../../src/base/remove-tree.ts'
import { shellWords } from '../../src/base/shell-words.ts'
import { hostFingerprint } from '../../src/build/fingerprint.ts'
import { layOutStore } from '../../src/store/local/layout.ts'
import { screenAfter } from './screen.ts'
import { TOOLS } from './toy.ts'
import { CHECKOUT } from './tree.ts'
import { writeTreeAt, type Tree } from './trees.ts'

const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')

/** How a command ended. */
export interface Ended {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** A line that `--json` prints. */
export type JsonLine = Readonly<Record<string, unknown>> & { readonly type: string }

/**
 * A toy tree of layers with a store and a home of its own, and the real command line on it. All
 * goes away with the test.
 */
export interface Toy {
  readonly folder: string
  readonly store: string
  /** Writes files below the folder that holds `layers/`. */
  readonly write: (files: Tree) => Promise<void>
  /** Runs `fixpoint` to its end; standard error is no terminal. */
  readonly run: (...words: readonly string[]) => Promise<Ended>
  readonly runWith: (how: How, ...words: readonly string[]) => Promise<Ended>
  /** Starts `fixpoint` in a process group of its own, as a shell does. */
  readonly start: (...words: readonly string[]) => ChildProcess
  /** Like `start`, with words in front of the command. */
  readonly startWith: (wrap: readonly string[], ...words: readonly string[]) => ChildProcess
  /** Like `start`, on a pseudo terminal: what is written to standard input is typed there. */
  readonly startOnTerminal: (...words: readonly string[]) => ChildProcess
  /** Like `startOnTerminal`, on one of another size. */
  readonly startOnScreen: (size: ScreenSize, ...words: readonly string[]) => ChildProcess
  /** Like `startOnTerminal`, under nohup: it is to go on when the terminal is closed. */
  readonly startUnderNohup: (...words: readonly string[]) => ChildProcess
  /** Runs `fixpoint` on a pseudo terminal; what was written to that, byte for byte. */
  readonly runOnTerminal: (...words: readonly string[]) => Promise<Ended>
  /** What a terminal of 80 columns and 24 rows shows in the end, on which `fixpoint` ran. */
  readonly watch: (
    ...words: readonly string[]
  ) => Promise<{ code: number | undefined } & ReturnType<typeof screenAfter>>
}

/** Size of a terminal, in characters. */
export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** How a command is run. */
export interface How {
  /** Words in front of the command. */
  readonly wrap?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Options in front of the command, instead of those that name the toy's layers and store. */
  readonly globals?: readonly string[]
}

/**
 * Words in front of a command for which `folder`, which must be there, is an empty disk of that
 * many MiB.
 */
export function onSmallDisk(folder: string, mebibytes: number): string[] {
  const script = `mount -t tmpfs -o size=${String(mebibytes)}m none "$0" && exec "$@"`
  return ['unshare', '-Urm', 'sh', '-c', script, folder]
}

/** Words in front of a command that nobody lets make namespaces. */
export const WITHOUT_NAMESPACES = [
  'unshare',
  '-Ur',
  'sh',
  '-c',
  'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
  'sh',
]

/** Text of a recipe with the fields that every one has; `rest` are its further lines. */
export function recipe(name: string, ...rest: readonly string[]): string {
  return [
    `name: ${name}`,
    "version: '1.0'",
    'summary: A package',
    'license: MIT',
    ...rest,
    '',
  ].join('\n')
}

/** A recipe's step `build`, the only one that the style has; `lines` are its script. */
export function step(...lines: readonly string[]): string {
  return ['steps:', '  build: |', ...lines.map((line) => `    ${line}`)].join('\n')
}

/** A recipe that installs one file named after it. */
export function makes(name: string, text: string, ...fields: readonly string[]): string {
  return recipe(
    name,
    ...fields,
    'style: plain',
    step(`mkdir -p "$OUT/usr/share"`, `echo ${text} > "$OUT/usr/share/${name}"`),
  )
}

/** `bootstrap` sees the host, so its recipes have a shell; `product` is for recipes that do not. */
const BASE: Tree = {
  'layers/layers.yaml': 'machine: toy\nhost-layers: [bootstrap]\nlayers: [bootstrap, product]\n',
  'layers/machines/toy.yaml': 'arch: x86_64\n',
  'layers/styles/plain.yaml': "name: plain\nsummary: One step\nsteps:\n  build: ':'\n",
  'layers/bootstrap/alpha/recipe.yaml': makes('alpha', 'first'),
  'layers/bootstrap/beta/recipe.yaml': makes('beta', 'second', 'inputs: [bootstrap/alpha]'),
  'layers/product': undefined,
}

/** A style of images whose only step is `script`; it makes `$OUT/{{name}}.img`. */
export function diskStyle(script: string): string {
  return `name: disk\nsummary: A disk\nimage: true\nsteps:\n  disk: ${script}\n`
}

/** Recipe of a shell and what else the toy recipes above `bootstrap` need. */
export const TOOLS_RECIPE = recipe(
  'tools',
  'style: plain',
  step(...TOOLS.steps[0]!.script.split('\n')),
)

/** A product's recipe `one` on tools from the host. */
export const ONE_TREE: Tree = {
  'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
  'layers/product/one/recipe.yaml': makes('one', '1', 'inputs: [bootstrap/tools]'),
}

/** The engine as `make setup` compiles it; toy trees are made by the function returned. */
export function commandLine(): (files?: Tree) => Promise<Toy> {
  beforeAll(() => {
    if (!existsSync(MAIN))
      throw new Error(
        `"${MAIN}" is missing: these tests run the compiled engine, run \`make setup\``,
      )
  })
  return async (files = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-cli-'))
    onTestFinished(() => removeTree(folder))
    await noteHost(join(folder, 'store'))
    const toy = toyIn(folder)
    await toy.write({ ...BASE, ...files })
    return toy
  }
}

/**
 * Like {@link commandLine}, one tree for all tests of a file; `prepare` is done once, before them.
 */
export function sharedToy(files: Tree, prepare: (toy: Toy) => Promise<void>): () => Toy {
  let toy: Toy | undefined
  beforeAll(async () => {
    toy = toyIn(await mkdtemp(join(tmpdir(), 'fixpoint-test-cli-')))
    await noteHost(toy.store)
    await toy.write({ ...BASE, ...files })
    await prepare(toy)
  })
  afterAll(async () => {
    if (toy !== undefined) await removeTree(toy.folder)
  })
  return () => toy!
}

/**
 * Makes a store that knows the host already: reading all of it for each test would take longer than
 * the tests.
 */
async function noteHost(store: string): Promise<void> {
  if (!isNoted) hostFingerprint(HOST_NOTES)
  isNoted = true
  await layOutStore(store)
  if (existsSync(HOST_NOTES)) await copyFile(HOST_NOTES, join(store, 'host'))
}

const HOST_NOTES = join(tmpdir(), `fixpoint-test-host-${process.getuid!()}`)
let isNoted = false

function toyIn(folder: string): Toy {
  const store = join(folder, 'store')
  const own = ['--layers', join(folder, 'layers/layers.yaml'), '--store', store]
  // Nothing of the caller's: CI or a mirror set up for its user would change what is seen here.
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    TERM: 'xterm',
    SHELL: '/bin/sh',
  }
  const start = ([program, ...args]: readonly string[], stdin: 'ignore' | 'pipe'): ChildProcess => {
    const child = spawn(program!, args, {
      cwd: folder,
      env: environment,
      stdio: [stdin, 'pipe', 'pipe'],
      detached: true,
    })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    return child
  }
  const onTerminal = (
    words: readonly string[],
    before: readonly string[] = [],
    { columns, rows }: ScreenSize = { columns: 80, rows: 24 },
  ): string[] => {
    const command = shellWords([...before, process.execPath, MAIN, ...own, ...words])
    const size = `rows ${String(rows)} cols ${String(columns)}`
    return ['script', '-qec', `stty ${size}; exec ${command}`, '/dev/null']
  }
  const runToEnd = async (
    [program, ...args]: readonly string[],
    env: How['env'] = {},
  ): Promise<Ended> => {
    const result = await execa(program!, args, {
      cwd: folder,
      env: { ...environment, ...env },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      stripFinalNewline: false,
    })
    return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr }
  }
  const runWith = (
    { wrap = [], env, globals = own }: How,
    ...words: readonly string[]
  ): Promise<Ended> => runToEnd([...wrap, process.execPath, MAIN, ...globals, ...words], env)
  const runOnTerminal = (...words: readonly string[]): Promise<Ended> => runToEnd(onTerminal(words))
  return {
    folder,
    store,
    write: (files) => writeTreeAt(folder, files),
    run: (...words) => runWith({}, ...words),
    runWith,
    startWith: (wrap, ...words) =>
      start([...wrap, process.execPath, MAIN, ...own, ...words], 'ignore'),
    start: (...words) => start([process.execPath, MAIN, ...own, ...words], 'ignore'),
    startOnTerminal: (...words) => start(onTerminal(words), 'pipe'),
    startOnScreen: (size, ...words) => start(onTerminal(words, [], size), 'pipe'),
    startUnderNohup: (...words) => start(onTerminal(words, ['nohup']), 'pipe'),
    runOnTerminal,
    watch: async (...words) => {
      const { code, stdout } = await runOnTerminal(...words)
      return { code, ...screenAfter(stdout, { columns: 80, rows: 24 }) }
    },
  }
}

/** Every line of a text as JSON; fails when one is not. */
export function jsonLines(text: string): JsonLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JsonLine)
}

/** The recipes whose action ran, in the order they ended. */
export function ranIn(lines: readonly JsonLine[]): string[] {
  return lines.filter(({ type }) => type === 'action-end').map(({ recipe: id }) => String(id))
}

/** Ids of processes that hold `text` in their command line or environment. */
export function processesHolding(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) =>
      ['cmdline', 'environ'].some((file) => textOf(`/proc/${pid}/${file}`).includes(text)),
    )
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // ended meanwhile, or another user's
  }
}
