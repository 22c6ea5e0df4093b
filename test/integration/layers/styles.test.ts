import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, expect, it } from 'vitest'
import { asDigest } from '../../../src/base/digest.ts'
import { readConfig } from '../../../src/cli/config.ts'
import { blobPath } from '../../../src/store/local/layout.ts'
import { storedTree } from '../../support/image.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'
import { writeTreeAt, type Tree } from '../../support/trees.ts'

// The user's store has the compilers. Little is put there, and nothing twice.

const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')

const TOOLS = ['toolchain/gcc', 'base/python', 'base/ninja', 'base/meson']
const missing: string[] = []
for (const tool of TOOLS) if ((await storedTree(tool)) === undefined) missing.push(tool)

beforeEach(({ skip }) => {
  skip(
    missing.length > 0,
    `the store does not hold ${missing.join(', ')}: fixpoint build base/meson`,
  )
})

it('the example of a Meson project, as docs/recipes.md writes it', async () => {
  const folder = await temporaryFolder()
  const script = example('A Meson project')
  const { stdout } = await execa('sh', ['-euc', `fixpoint() { '${MAIN}' "$@"; }\n${script}`], {
    cwd: folder,
    stdin: 'ignore',
  })
  const out = await unpacked(stdout.trim(), 'product/greeter')
  expect(filesOf(out)).toEqual(['usr/bin/greeter', 'usr/include/greet.h', 'usr/lib/libgreet.a'])
  expect(execFileSync(join(out, 'usr/bin/greeter'), ['you'], { encoding: 'utf8' })).toBe(
    'Hello, you\n',
  )
  for (const file of ['usr/bin/greeter', 'usr/lib/libgreet.a']) {
    const bytes = readFileSync(join(out, file), 'latin1')
    // The message of its assert names the file.
    expect(bytes).toContain('greet.c')
    expect(bytes).not.toContain('/build/')
  }
})

it("runs a project's tests where a recipe asks for that, and names the one that fails", async () => {
  const project = `project('p', 'c')\ntest('greets', executable('p', 'p.c'))\n`
  const test = 'steps: {build: ninja -C "$OBJ" && meson test -C "$OBJ" --print-errorlogs}\n'
  const { exitCode, stderr } = await build({
    'p/meson.build': project,
    'p/p.c': '#include <stdio.h>\nint main(void) { return puts("no greeting") + 1; }\n',
    'layers/product/p/recipe.yaml': recipe(test),
  })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('failed product/p: in "build"')
  expect(stderr).toMatch(/greets +FAIL/)
})

it.each([
  ['a dependency', 'other', `dependency('absent')`, /ERROR: Dependency lookup for absent .*failed/],
  [
    'one that the project has a copy of',
    'absent',
    `dependency('absent')`,
    /ERROR: Dependency 'absent' .*not found/,
  ],
  [
    'a header',
    'other',
    `meson.get_compiler('c').has_header('absent.h', required: true)`,
    /ERROR: .*'absent\.h' not found/,
  ],
])('says what is missing: %s', async (_, copy, line, said) => {
  const { exitCode, stderr } = await build({
    'p/meson.build': `project('p', 'c')\n${line}\n`,
    [`p/subprojects/${copy}/meson.build`]: `project('${copy}', 'c')\n`,
    'layers/product/p/recipe.yaml': recipe(''),
  })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('failed product/p: in "configure"')
  expect(stderr).toMatch(said)
})

/** The block of commands below a heading of docs/recipes.md. */
function example(heading: string): string {
  const page = readFileSync(join(CHECKOUT, 'docs/recipes.md'), 'utf8')
  const [, part = ''] = page.split(`\n## ${heading}\n`)
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(part) ?? []
  expect(block).toContain('CHECKOUT')
  return block.replaceAll('CHECKOUT', CHECKOUT.replace(/\/$/, ''))
}

/** Unpacks the artifact that a line `LAYER/NAME DIGEST` names. */
async function unpacked(line: string, recipe: string): Promise<string> {
  const [name, digest = ''] = line.split(' ')
  expect(name).toBe(recipe)
  const { store } = await readConfig()
  const folder = await temporaryFolder()
  execFileSync('tar', ['-xf', blobPath(store, asDigest(digest)), '-C', folder])
  return folder
}

function filesOf(folder: string): string[] {
  const found = execFileSync('find', ['.', '-type', 'f'], { cwd: folder, encoding: 'utf8' })
  return found
    .trim()
    .split('\n')
    .map((name) => name.slice(2))
    .sort()
}

function recipe(more: string): string {
  return `name: p
version: '1'
summary: A project
license: MIT
sources: [{tree: [p], name: p}]
inputs: [toolchain/gcc, toolchain/busybox, base/meson]
style: meson
env: {PROJECT: p}
${more}`
}

/** Builds `product/p` on top of the checkout's layers. */
async function build(files: Tree): Promise<{ exitCode?: number; stderr: string }> {
  const folder = await temporaryFolder()
  await writeTreeAt(folder, {
    'layers/layers.yaml': `include: ${join(CHECKOUT, 'layers/layers.yaml')}\nlayers: [product]\n`,
    ...files,
  })
  return execa(MAIN, ['build', 'p'], { cwd: folder, reject: false, stdin: 'ignore' })
}
