import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { removeTree } from '../../src/base/remove-tree.ts'
import type { EngineTask } from './engine-main.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A line that an engine printed: an event, or its result. */
export type Line = Readonly<Record<string, unknown>> & { readonly type: string }

/** What an engine says at its end. */
export interface EngineResult {
  readonly ran: readonly string[]
  readonly codes: readonly string[]
  readonly artifacts: Readonly<Record<string, string>>
  readonly faults: readonly unknown[]
}

/** An engine in a process of its own. */
export interface EngineProcess {
  readonly child: ChildProcess
  readonly lines: readonly Line[]
  /** Resolves to the first line that `wanted` accepts; rejects when the process ends before. */
  readonly until: (wanted: (line: Line) => boolean) => Promise<Line>
  /** Resolves when the process has ended, to its last result. */
  readonly end: () => Promise<EngineResult | undefined>
}

/**
 * Compiles the engine once for the tests of a file; the function that it returns starts one. `wrap`
 * puts words in front of the command, such as `unshare`.
 */
export function engineProcesses(): (
  task: EngineTask,
  wrap?: readonly string[],
  environment?: Readonly<Record<string, string>>,
) => EngineProcess {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-engine-'))
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    for (const part of ['src', 'test/support']) await compile(part, folder)
  })
  afterAll(() => removeTree(folder))
  return (task, wrap = [], environment = {}) => {
    const main = join(folder, 'test/support/engine-main.js')
    const [command, ...args] = [...wrap, process.execPath, main, JSON.stringify(task)]
    // A folder of the machine left open for it, as careless callers do, and beyond what Node looks
    // after by itself.
    const root = openSync('/', 'r')
    const stdio: StdioOptions = [
      'ignore',
      'pipe',
      'inherit',
      ...Array.from({ length: 97 }, () => 'ignore' as const),
      root,
    ]
    const child = spawn(command, args, {
      stdio,
      env: { PATH: process.env['PATH'], ...environment },
    })
    closeSync(root)
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    return follow(child)
  }
}

async function compile(part: string, target: string): Promise<void> {
  for (const name of await readdir(join(ROOT, part), { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const text = await readFile(join(ROOT, part, name), 'utf8')
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    })
    const path = join(target, part, name.replace(/\.ts$/, '.js'))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, outputText)
  }
}

function follow(child: ChildProcess): EngineProcess {
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  let ended = false
  const wake = (): void => {
    for (const look of [...waiting]) look()
  }
  const exit = new Promise<void>((resolve) => {
    child.once('close', () => {
      ended = true
      wake()
      resolve()
    })
  })
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(JSON.parse(line) as Line)
      wake()
    })
  }
  return {
    child,
    lines,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find(wanted)
          if (found === undefined && !ended) return
          waiting.delete(look)
          if (found === undefined)
            reject(new Error(`the engine ended before: ${JSON.stringify(lines.at(-1))}`))
          else resolve(found)
        }
        waiting.add(look)
        look()
      }),
    end: async () => {
      await exit
      return lines.findLast(({ type }) => type === 'result') as EngineResult | undefined
    },
  }
}
