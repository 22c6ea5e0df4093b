import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect } from 'vitest'
import { removeTree } from '../../src/base/remove-tree.ts'
import { readConfig } from '../../src/cli/config.ts'
import { archiveOf, sourceIn } from './archive.ts'
import { hasPrinted, type Example } from './examples.ts'
import { CHECKOUT } from './tree.ts'

/** How commands ended. */
export interface Ran {
  readonly code: number | undefined
  /** Standard output and standard error, as a terminal shows them. */
  readonly output: string
}

/** The folder that the next commands run in. */
export interface Project {
  folder: string
}

/**
 * A person who follows the pages for makers: a home with the checkout as `~/fixpoint`, and a store
 * that begins as that of whoever runs the tests. Nothing is fetched but from an archive on the
 * loopback, which has the sources of that store.
 */
export interface Maker {
  readonly home: Project
  /** Runs commands by `sh -eu`; a `cd` in them holds for the next ones. */
  readonly run: (project: Project, commands: string) => Promise<Ran>
  /** Which of an example's needs the store has not, as it is before the example. */
  readonly missing: (example: Example) => Promise<string[]>
  /** A copy of a project, so that what is done there does not count here. */
  readonly copyOf: (project: Project) => Promise<Project>
  readonly remove: () => Promise<void>
}

export async function makeMaker(): Promise<Maker> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-maker-'))
  const home = join(folder, 'home')
  const store = join(folder, 'store')
  const archive = await archiveOf(store)
  await mkdir(join(home, '.config/fixpoint'), { recursive: true })
  await symlink(CHECKOUT, join(home, 'fixpoint'))
  await writeFile(join(home, '.config/fixpoint/config.yaml'), `debian: ['${archive.address}']\n`)
  await linkStore((await readConfig()).store, store)
  const run: Maker['run'] = async (project, commands) => {
    const where = join(folder, 'where')
    const { exitCode, all } = await execa('sh', ['-euc', `${commands}\npwd > '${where}'\n`], {
      cwd: project.folder,
      env: environmentOf(home, store),
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      all: true,
    })
    if (exitCode === 0) project.folder = (await readFile(where, 'utf8')).trimEnd()
    return { code: exitCode, output: all }
  }
  const isStored = async (recipe: string): Promise<boolean> => {
    const { code, output } = await run({ folder: CHECKOUT }, `fixpoint build -n ${recipe}`)
    return code === 0 && !/^\S+: (will|may) run/m.test(output)
  }
  let copies = 0
  return {
    home: { folder: home },
    run,
    missing: async ({ needs }) => {
      const missing: string[] = []
      for (const need of needs)
        if (isSource(need) ? sourceIn(store, need) === undefined : !(await isStored(need)))
          missing.push(need)
      return missing
    },
    copyOf: async (project) => {
      // Beside the first: its layers.yaml names the checkout by a relative path.
      const copy = `${project.folder}-${String(++copies)}`
      await cp(project.folder, copy, { recursive: true, verbatimSymlinks: true })
      return { folder: copy }
    },
    remove: async () => {
      await archive.end()
      await removeTree(folder)
    },
  }
}

/**
 * Runs examples one after the other, and compares what they print with what the page says. Skips
 * the rest of the test where the store has not what one needs.
 */
export async function follow(
  maker: Maker,
  project: Project,
  examples: readonly Example[],
  skip: (condition: boolean, note: string) => void,
): Promise<void> {
  for (const example of examples.filter(({ notRun }) => notRun === undefined)) {
    const missing = await maker.missing(example)
    skip(missing.length > 0, `not stored: ${missing.join(', ')}`)
    const { code, output } = await maker.run(project, example.commands)
    expect(code, output).toBe(0)
    if (example.prints !== undefined)
      expect(hasPrinted(output, example.prints), `${example.prints}is not in:\n${output}`).toBe(
        true,
      )
  }
}

/** The name of a source's file, in contrast to a recipe's. */
function isSource(need: string): boolean {
  return need.includes('.tar.')
}

function environmentOf(home: string, store: string): Record<string, string> {
  return {
    PATH: `${CHECKOUT}/node_modules/.bin:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
    HOME: home,
    FIXPOINT_STORE: store,
    TERM: 'dumb',
    // What a person who uses git has in ~/.gitconfig.
    ...{ GIT_AUTHOR_NAME: 'Maker', GIT_AUTHOR_EMAIL: 'maker@example.org' },
    ...{ GIT_COMMITTER_NAME: 'Maker', GIT_COMMITTER_EMAIL: 'maker@example.org' },
    // Nobody answers but on the loopback.
    ...{ http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' },
  }
}

/** A store that has what another has, by hard links. What is unpacked there is left out. */
async function linkStore(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const part of ['LAYOUT', 'blobs', 'index', 'names', 'host'])
    if (existsSync(join(from, part)))
      execFileSync('cp', [onOneDisk(from, to) ? '-al' : '-a', join(from, part), to])
}

function onOneDisk(...paths: readonly string[]): boolean {
  const devices = paths.map((path) => execFileSync('stat', ['-c', '%d', path]).toString())
  return new Set(devices).size === 1
}
