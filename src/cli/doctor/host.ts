import { execa } from 'execa'
import { access, constants, link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { totalmem, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exists, freeBytes } from '../../base/files.ts'

/** How a program of the host ended. */
export interface Ran {
  readonly ok: boolean
  /** Its standard output and error. */
  readonly output: string
}

/** What a folder can do. `problem` says why nothing can be made there. */
export interface FolderTraits {
  readonly freeBytes: number
  readonly problem?: string
  readonly hardLinks: boolean
  /** Programs in it can be started. */
  readonly runs: boolean
}

/** The host as `doctor` sees it; handed in, so that every unfit host can be examined in a test. */
export interface Host {
  readonly node: string
  readonly root: boolean
  /** Bytes. */
  readonly memory: number
  /** Path of a program in the folders that the engine runs programs from. */
  find(program: string): Promise<string | undefined>
  run(command: string, args: readonly string[], input?: string): Promise<Ran>
  /** Text of a file without the white space at its end; undefined when it can't be read. */
  read(path: string): Promise<string | undefined>
  readable(path: string): Promise<boolean>
  /** Tries out the folder, or the nearest one above it that there is. */
  tryFolder(path: string): Promise<FolderTraits>
  /** Runs `use` with the path of a file to be, which is gone afterwards. */
  withTemporary<T>(use: (path: string) => Promise<T>): Promise<T>
}

/**
 * The folders that the engine runs programs from, and all that the sandbox of the bootstrap shows.
 */
const FOLDERS = ['/usr/bin', '/bin']

/** Milliseconds that a program of the host may take here. */
const TIMEOUT = 30_000

/** The host that this process runs on. */
export function thisHost(): Host {
  return {
    node: process.versions.node,
    root: process.getuid?.() === 0,
    memory: totalmem(),
    find,
    run,
    read: (path) =>
      readFile(path, 'utf8').then(
        (text) => text.trimEnd(),
        () => undefined,
      ),
    readable: (path) => mayAccess(path, constants.R_OK),
    tryFolder,
    withTemporary,
  }
}

function mayAccess(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}

async function find(program: string): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const path = join(folder, program)
    if (await mayAccess(path, constants.X_OK)) return path
  }
  return undefined
}

async function run(command: string, args: readonly string[], input = ''): Promise<Ran> {
  const { failed, all, shortMessage } = await execa(command, args, {
    ...{ input, all: true, reject: false, timeout: TIMEOUT },
    ...{ env: { PATH: FOLDERS.join(':'), LC_ALL: 'C' }, extendEnv: false },
  })
  return { ok: !failed, output: failed && all.trim() === '' ? (shortMessage ?? '') : all.trim() }
}

async function tryFolder(path: string): Promise<FolderTraits> {
  const folder = await nearest(path)
  const free = await freeBytes(folder)
  try {
    const probe = await mkdtemp(join(folder, '.fixpoint-doctor-'))
    try {
      return { freeBytes: free, ...(await tryFiles(probe)) }
    } finally {
      await rm(probe, { recursive: true, force: true })
    }
  } catch (error) {
    return {
      freeBytes: free,
      problem: error instanceof Error ? error.message : String(error),
      hardLinks: false,
      runs: false,
    }
  }
}

async function tryFiles(folder: string): Promise<{ hardLinks: boolean; runs: boolean }> {
  const program = join(folder, 'program')
  await writeFile(program, '#!/bin/sh\n', { mode: 0o755 })
  const hardLinks = await link(program, join(folder, 'link')).then(
    () => true,
    () => false,
  )
  return { hardLinks, runs: (await run(program, [])).ok }
}

async function nearest(path: string): Promise<string> {
  return path === dirname(path) || (await exists(path)) ? path : nearest(dirname(path))
}

async function withTemporary<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-doctor-'))
  try {
    return await use(join(folder, 'file'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
