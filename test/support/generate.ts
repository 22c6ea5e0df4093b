import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../../src/base/digest.ts'

/** Shape of a generated tree. */
export interface GeneratedTree {
  /** Recipes in all, spread evenly over the layers. */
  readonly recipes: number
  /** Inputs of each recipe at most; they are earlier recipes. */
  readonly inputs?: number
}

const LAYERS = ['bootstrap', 'toolchain', 'base', 'system'] as const

/**
 * Writes a tree of recipes like real ones below `folder`, an empty one, and returns the path of its
 * layers.yaml. The same arguments give the same tree: for measuring how loading and planning grow,
 * and for tests of large graphs.
 */
export async function generateTree(
  folder: string,
  { recipes, inputs = 5 }: GeneratedTree,
): Promise<string> {
  const layers = join(folder, 'layers')
  await writeText(
    join(layers, 'layers.yaml'),
    `machine: toy\nhost-layers: [bootstrap]\nlayers: [${LAYERS.join(', ')}]\n`,
  )
  await writeText(
    join(layers, 'machines', 'toy.yaml'),
    'arch: x86_64\ntriple: x86_64-toy-linux\ncflags: -O2\n',
  )
  await writeText(join(layers, 'styles', 'plain.yaml'), PLAIN)
  await writeText(join(layers, 'styles', 'autotools.yaml'), AUTOTOOLS)
  const ids: string[] = []
  for (let index = 0; index < recipes; index++) {
    const layer = LAYERS[Math.floor((index * LAYERS.length) / recipes)] ?? 'system'
    const name = `package-${String(index)}`
    await writeText(
      join(layers, layer, name, 'recipe.yaml'),
      recipeText(name, index, pick(ids, index, inputs)),
    )
    if (index % 10 === 0)
      await writeText(
        join(layers, layer, name, 'patches', 'portable.patch'),
        `Makes package ${String(index)} portable.\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n`,
      )
    ids.push(`${layer}/${name}`)
  }
  return join(layers, 'layers.yaml')
}

/** Up to `count` different earlier recipes, some near and some far. */
function pick(ids: readonly string[], index: number, count: number): string[] {
  const picked = new Set<string>()
  for (let step = 1; step <= count; step++) {
    const id = ids[index - step ** 3]
    if (id !== undefined) picked.add(id)
  }
  return [...picked]
}

function recipeText(name: string, index: number, inputs: readonly string[]): string {
  return `name: ${name}
version: 1.${String(index)}.0
summary: Generated package number ${String(index)}
license: GPL-3.0-or-later
sources:
  - sha256: ${digestOf(name)}
    from: ['debian:${name}/${name}_{{version}}.orig.tar.xz']
inputs: [${inputs.join(', ')}]
style: autotools
configure:
  # Saves build time.
  - --disable-nls
  - --with-arch={{machine.arch}}
make: [MAKEINFO=true]
install: [install-strip]
env:
  WORK: /build/obj
steps:
  prepare: |
    sed -n 1p README
    touch ${name}-{{version}}
memory: 200M
cost: ${String(1 + (index % 100))}
`
}

const PLAIN = `name: plain
summary: A package built by its own commands
env:
  CC: '{{machine.triple}}-gcc'
  CFLAGS: '{{machine.cflags}}'
steps:
  prepare: ':'
  configure: ':'
  build: ':'
  install: ':'
`

const AUTOTOOLS = `name: autotools
summary: configure, make, make install
extends: plain
steps:
  configure: |
    ./configure --host={{machine.triple}} --prefix=/usr {{configure}}
  build: make {{make}}
  install: make DESTDIR="$OUT" {{install}}
`

async function writeText(file: string, text: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, text)
}
