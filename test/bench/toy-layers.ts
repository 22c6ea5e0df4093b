import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TOOLS } from '../support/toy.ts'

/** The recipe of {@link writeToyLayers} that needs all others. */
export const TOY_TARGET = 'system/all'

const STYLE = `name: plain
summary: One script
steps:
  build: ':'
`

/**
 * Writes layers below `folder` that really build, in a moment: a set of tools from the host,
 * `count` small recipes that need it and some before them, and one that needs them all. Resolves to
 * the path of layers.yaml.
 */
export async function writeToyLayers(folder: string, count: number): Promise<string> {
  const layers = join(folder, 'layers')
  await writeText(
    join(layers, 'layers.yaml'),
    'machine: toy\nhost-layers: [bootstrap]\nlayers: [bootstrap, system]\n',
  )
  await writeText(join(layers, 'machines', 'toy.yaml'), 'arch: x86_64\n')
  await writeText(join(layers, 'styles', 'plain.yaml'), STYLE)
  const recipe = (id: string, inputs: readonly string[], script: string): Promise<void> =>
    writeText(join(layers, id, 'recipe.yaml'), recipeText(id, inputs, script))
  await recipe('bootstrap/tools', [], TOOLS.steps[0]?.script ?? '')
  const names = Array.from({ length: count }, (_, index) => `part-${index}`)
  for (const [index, name] of names.entries()) {
    const earlier = usedByToy(index).map((at) => `system/${names[at] ?? ''}`)
    await recipe(`system/${name}`, ['bootstrap/tools', ...earlier], writing(name))
  }
  await recipe(
    TOY_TARGET,
    ['bootstrap/tools', ...names.map((name) => `system/${name}`)],
    writing('all'),
  )
  return join(layers, 'layers.yaml')
}

/**
 * Makes layers with a recipe system/busy that keeps one core busy for about `seconds`; resolves to
 * the path of layers.yaml.
 */
export async function writeBusyLayers(folder: string, seconds: number): Promise<string> {
  const file = await writeToyLayers(folder, 0)
  const script =
    `mkdir -p "$OUT/usr/share"\ni=0\n` +
    `while [ $i -lt ${seconds * 400_000} ]; do i=$((i + 1)); done\n` +
    `echo $i > "$OUT/usr/share/busy"`
  await writeText(
    join(dirname(file), 'system/busy/recipe.yaml'),
    recipeText('system/busy', ['bootstrap/tools'], script),
  )
  return file
}

/** Numbers of the earlier toys that toy `index` uses. */
export function usedByToy(index: number): number[] {
  return [index - 1, index - 7, index - 20].filter((at) => at >= 0)
}

/** What a toy does, with its folder in `$OUT`. */
export function writing(name: string): string {
  return `mkdir -p "$OUT/usr/share"; echo ${name} > "$OUT/usr/share/${name}"`
}

function recipeText(id: string, inputs: readonly string[], script: string): string {
  const name = id.split('/')[1] ?? ''
  const lines = script.split('\n').map((line) => `    ${line.trimStart()}`)
  return `name: ${name}
version: '1'
summary: Toy
license: MIT
inputs: [${inputs.join(', ')}]
style: plain
steps:
  build: |
${lines.join('\n')}
`
}

async function writeText(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
