// Runs the compiled unit tests without a test program of machine code, so that any Node can; see
// ../own-node.sh.
import { readdir } from 'node:fs/promises'
import { register } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { startTests, type Task, type VitestRunner } from '@vitest/runner'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

const HOOK = `const shim = ${JSON.stringify(new URL('vitest.js', import.meta.url).href)}
export const resolve = (name, context, next) =>
  name === 'vitest' ? { url: shim, shortCircuit: true } : next(name, context)`

register(`data:text/javascript,${encodeURIComponent(HOOK)}`)

const runner: VitestRunner = {
  config: {
    root: ROOT,
    setupFiles: [],
    name: 'unit',
    passWithNoTests: false,
    testNamePattern: undefined,
    allowOnly: false,
    sequence: { shuffle: false, concurrent: false, seed: 0, hooks: 'stack', setupFiles: 'list' },
    maxConcurrency: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    includeTaskLocation: false,
    diffOptions: {},
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  } as unknown as VitestRunner['config'],
  importFile: (path) => import(pathToFileURL(path).href),
}

/** Tests that are left out. */
const LEFT_OUT = new Set([
  // It reads the tree's texts. Here their JavaScript is beside them.
  'tidy.test.js',
  // ajv and packageurl-js, which only tests use, need a Node that has Intl.
  'report/sbom/cyclonedx.test.js',
  'report/sbom/purl.test.js',
  'report/sbom/sbom.test.js',
])

const names = await readdir(join(ROOT, 'test/unit'), { recursive: true })
const paths = names
  .filter((name) => name.endsWith('.test.js') && !LEFT_OUT.has(name))
  .map((name) => join(ROOT, 'test/unit', name))
const files = await startTests(paths.sort(), runner)

const tally = { pass: 0, fail: 0 }
const visit = (task: Task, names: readonly string[]): void => {
  const state = task.result?.state
  if (task.type === 'test' && (state === 'pass' || state === 'fail')) tally[state] += 1
  else if (state === 'fail' && task.result?.errors !== undefined) tally.fail += 1
  for (const { message } of task.result?.errors ?? [])
    process.stdout.write(`${[...names, task.name].join(' > ')}: ${message}\n`)
  if (task.type === 'suite') for (const inner of task.tasks) visit(inner, [...names, task.name])
}
for (const file of files) visit(file, [])
process.stdout.write(
  `${process.version}, ${process.execPath}\n${String(tally.pass)} ` +
    `passed, ${String(tally.fail)} failed\n`,
)
process.exitCode = tally.fail === 0 && tally.pass > 0 ? 0 : 1
