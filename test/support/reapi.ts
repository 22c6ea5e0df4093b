import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll } from 'vitest'
import { removeTree } from '../../src/base/remove-tree.ts'
import { PROGRAMS } from '../../src/remote/execution/worker/document.ts'

/** Debian's justbuild with its libraries, as `.ci/servers` unpacks them. */
export const JUSTBUILD =
  process.env['FIXPOINT_JUSTBUILD'] ?? join(homedir(), '.cache/fixpoint-justbuild')

/** Whether there is a server to test with. */
export const hasServer = existsSync(join(JUSTBUILD, 'usr/bin/justbuild'))

/** A real server for remote execution, on loopback. */
export interface ReapiServer {
  readonly port: number
  /** Where it keeps what it has. */
  readonly folder: string
  /** Ends it as a power cut would. */
  readonly kill: () => Promise<void>
  /** Starts it again, on the same port and with what it had. */
  readonly start: () => Promise<void>
}

/** One server for the tests of a file. */
export function reapiServer(): () => ReapiServer {
  let server: ReapiServer | undefined
  beforeAll(async () => {
    if (!hasServer) return
    server = await startServer(await mkdtemp(join(tmpdir(), 'fixpoint-test-reapi-')))
  })
  afterAll(async () => {
    if (server === undefined) return
    await server.kill()
    await removeTree(server.folder)
  })
  return () => {
    if (server === undefined) throw new Error('asked for before the tests began')
    return server
  }
}

async function startServer(folder: string): Promise<ReapiServer> {
  let child: ChildProcess | undefined
  let port = 0
  const start = async (): Promise<void> => {
    const started = spawn(...justbuild(folder, port), { detached: true })
    child = started
    port = await portOf(started)
  }
  await start()
  return {
    get port() {
      return port
    },
    folder,
    start,
    kill: async () => {
      const ended = child
      if (ended?.pid === undefined || ended.exitCode !== null) return
      const exit = new Promise((resolve) => ended.once('exit', resolve))
      process.kill(-ended.pid, 'SIGKILL')
      await exit
    },
  }
}

/** By its own loader: nothing is installed, and the host may be of another release. */
function justbuild(folder: string, port: number): [command: string, args: string[]] {
  const libraries = join(JUSTBUILD, 'usr/lib/x86_64-linux-gnu')
  return [
    join(libraries, 'ld-linux-x86-64.so.2'),
    [
      ...['--library-path', libraries, join(JUSTBUILD, 'usr/bin/justbuild'), 'execute'],
      ...['--compatible', '--local-build-root', folder, '-i', '127.0.0.1', '-p', String(port)],
      ...['--plain-log', '--log-limit', '4'],
    ],
  ]
}

/** The port that the server says it listens on. Its output is read to the end. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (piece: Buffer) => {
        said += piece.toString()
        const port = /"port":(\d+)/.exec(said)?.[1]
        if (port !== undefined) resolve(Number(port))
      })
    child.once('exit', () => {
      reject(new Error(`the server did not start: ${said}`))
    })
  })
}

/** A folder with programs for workers: those of this machine, since the workers run on it. */
export function hostRunner(): () => string {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-runner-'))
    for (const name of PROGRAMS)
      await copyFile((await execa('which', [name])).stdout, join(folder, name))
    await copyFile(await realpath(process.execPath), join(folder, 'node'))
    await copyFile(join(JUSTBUILD, 'usr/bin/busybox'), join(folder, 'busybox')).catch(
      () => undefined,
    )
  })
  afterAll(() => removeTree(folder))
  return () => folder
}

/** A runner like `runner`, but some of its programs are other scripts. */
export async function changedRunner(
  runner: string,
  scripts: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-runner-'))
  await execa('cp', ['-al', `${runner}/.`, folder])
  for (const [name, script] of Object.entries(scripts)) {
    await rm(join(folder, name), { force: true })
    await writeFile(join(folder, name), script, { mode: 0o755 })
  }
  return folder
}
