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

const TOOLS = [
  'toolchain/gcc',
  'base/python',
  'base/ninja',
  'base/pkgconf',
  'base/meson',
  'base/cmake',
  'base/zlib',
]
const missing: string[] = []
for (const tool of TOOLS) if ((await storedTree(tool)) === undefined) missing.push(tool)

beforeEach(({ skip }) => {
  skip(missing.length > 0, `not in the store: fixpoint build ${missing.join(' ')}`)
})

it('the example of a Meson project, as docs/recipes.md writes it', async () => {
  const out = await builtExample('A Meson project')
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

it('the example of a CMake project, as docs/recipes.md writes it', async () => {
  const out = await builtExample('A CMake project')
  expect(filesOf(out)).toEqual(['usr/bin/greeter'])
  const program = join(out, 'usr/bin/greeter')
  expect(execFileSync(program, ['you'], { encoding: 'utf8' })).toMatch(
    /^Hello, you, by zlib [\d.]+\n$/,
  )
  const bytes = readFileSync(program, 'latin1')
  expect(bytes).toContain('main.c')
  expect(bytes).not.toContain('/build/')
})

it.each([
  [
    'meson',
    'meson.build',
    `project('p', 'c')
executable('p', 'p.c', dependencies: dependency('lamp'), install: true)
`,
  ],
  [
    'cmake',
    'CMakeLists.txt',
    `cmake_minimum_required(VERSION 3.20)
project(p C)
find_package(PkgConfig REQUIRED)
pkg_check_modules(lamp REQUIRED IMPORTED_TARGET lamp)
add_executable(p p.c)
target_link_libraries(p PkgConfig::lamp)
install(TARGETS p)
`,
  ],
])('%s finds a library by pkg-config, and what that library needs', async (style, file, text) => {
  const { stdout, stderr } = await build({
    [`p/${file}`]: text,
    'p/p.c': 'int lamp(void);\nint main(void) { return lamp(); }\n',
    'layers/product/p/recipe.yaml': recipe('', style, ', product/lamp'),
    'layers/product/lamp/recipe.yaml': LAMP,
  })
  expect(stderr).toContain('0 failed')
  const out = await unpacked(stdout.trim(), 'product/p')
  expect(execFileSync(join(out, 'usr/bin/p'))).toHaveLength(0)
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
  ['a dependency', 'other', `dependency('absent')`, /ERROR: Dependency "absent" not found/],
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

/** A library of two archives; that of the inner one is named for static links alone. */
const LAMP = `name: lamp
version: '1'
summary: Switches a lamp
license: MIT
inputs: [toolchain/gcc, toolchain/busybox]
style: plain
steps:
  build: |
    echo 'int wire(void); int lamp(void) { return wire(); }' > lamp.c
    echo 'int wire(void) { return 0; }' > wire.c
    for name in lamp wire; do
      "$CC" -c $name.c
      "$AR" rcs lib$name.a $name.o
    done
    printf '%s\\n' 'Name: lamp' 'Description: A lamp' 'Version: 1' \
      'Libs: -llamp' 'Libs.private: -lwire' > lamp.pc
  install: |
    mkdir -p "$OUT/usr/lib/pkgconfig"
    cp liblamp.a libwire.a "$OUT/usr/lib"
    cp lamp.pc "$OUT/usr/lib/pkgconfig"
`

/** Runs the commands below a heading of docs/recipes.md, and unpacks what they build. */
async function builtExample(heading: string): Promise<string> {
  const script = example(heading)
  const { stdout } = await execa('sh', ['-euc', `fixpoint() { '${MAIN}' "$@"; }\n${script}`], {
    cwd: await temporaryFolder(),
    stdin: 'ignore',
  })
  return unpacked(stdout.trim(), 'product/greeter')
}

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

function recipe(more: string, style = 'meson', inputs = ''): string {
  return `name: p
version: '1'
summary: A project
license: MIT
sources: [{tree: [p], name: p}]
inputs: [toolchain/gcc, toolchain/busybox, base/${style}${inputs}]
style: ${style}
env: {PROJECT: p}
${more}`
}

interface Built {
  readonly exitCode?: number
  readonly stdout: string
  readonly stderr: string
}

/** Builds `product/p` on top of the checkout's layers. */
async function build(files: Tree): Promise<Built> {
  const folder = await temporaryFolder()
  await writeTreeAt(folder, {
    'layers/layers.yaml': `include: ${join(CHECKOUT, 'layers/layers.yaml')}\nlayers: [product]\n`,
    ...files,
  })
  return execa(MAIN, ['build', 'p'], { cwd: folder, reject: false, stdin: 'ignore' })
}
