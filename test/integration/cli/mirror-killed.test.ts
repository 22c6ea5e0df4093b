import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { watch } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { checkMirror } from '../../../src/fetch/mirror/check.ts'
import { commandLine, makes, TOOLS_RECIPE, type Toy } from '../../support/cli.ts'
import { digestsIn, makeMirror } from '../../support/mirrors.ts'
import type { Tree } from '../../support/trees.ts'

const makeToy = commandLine()

/** Large enough that a kill can hit each of them half-written. */
const SOURCES = Object.fromEntries(
  ['a', 'b', 'c', 'd'].map((name) => [`${name}-1.bin`, randomBytes(3 << 20)]),
)

/** Layers that want {@link SOURCES}, which only a mirror has. */
const LAYERS: Tree = {
  'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
  ...Object.fromEntries(
    Object.entries(SOURCES).map(([file, bytes]) => {
      const name = file.slice(0, 1)
      const place = `http://127.0.0.1:1/${file}`
      const sources = `sources: [{ sha256: ${digestOf(bytes)}, from: ['${place}'], unpack: false }]`
      const text = makes(name, name, sources, 'inputs: [bootstrap/tools]')
      return [`layers/product/${name}/recipe.yaml`, text]
    }),
  ),
}

async function killedAt(change: number, folder: string, child: ChildProcess): Promise<void> {
  let changes = 0
  const watcher = watch(folder, () => {
    if (++changes === change) child.kill('SIGKILL')
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  watcher.close()
  expect([0, null]).toContain(code)
}

/** What a kill may leave: a list that is true, files without a line, and unfinished ones. */
async function expectTrue(mirror: string): Promise<void> {
  if (!(await readdir(mirror)).includes('SHA256SUMS')) return
  const { faults } = await checkMirror(mirror, new AbortController().signal)
  expect(faults.filter(({ kind }) => kind !== 'unlisted')).toEqual([])
}

const MOMENTS = [1, 2, 3, 4, 6, 8, 11, 15, 20, 26]

async function newToy(): Promise<{ toy: Toy; from: string; to: string }> {
  const toy = await makeToy(LAYERS)
  const [from, to] = [join(toy.folder, 'from'), join(toy.folder, 'to')]
  for (const folder of [from, to]) await mkdir(folder)
  await makeMirror(SOURCES, from)
  return { toy, from, to }
}

test.each(MOMENTS)(
  'create, killed at change %d: the list is true, the next run ends it',
  async (change) => {
    const { toy, from, to } = await newToy()
    await killedAt(change, to, toy.start('mirror', 'create', to, '--from', from))
    await expectTrue(to)
    const again = await toy.run('mirror', 'create', to, '--from', from)
    expect(again.code, again.stderr).toBe(0)
    expect(await digestsIn(to)).toMatchObject(
      Object.fromEntries(Object.entries(SOURCES).map(([name, bytes]) => [name, digestOf(bytes)])),
    )
    expect((await toy.run('mirror', 'check', to)).code).toBe(0)
  },
)

test.each(MOMENTS)(
  'copy, killed at change %d: the list is true, the next run ends it',
  async (change) => {
    const { toy, from, to } = await newToy()
    await killedAt(change, to, toy.start('mirror', 'copy', from, to))
    await expectTrue(to)
    const again = await toy.run('mirror', 'copy', from, to)
    expect(again.code, again.stderr).toBe(0)
    expect((await toy.run('mirror', 'check', to)).code).toBe(0)
    expect((await readdir(to)).sort()).toEqual((await readdir(from)).sort())
  },
)
