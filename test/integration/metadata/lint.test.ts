import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandLine, type Toy } from '../../support/cli.ts'
import { APP, VALID } from '../../support/metadata.ts'
import type { Tree } from '../../support/trees.ts'
import { RECIPES } from '../../unit/metadata/corpus/recipes.ts'
import { TREES } from '../../unit/metadata/corpus/trees.ts'

const toy = commandLine()

/** What `lint` and `build -n` say of a tree: status and error lines. */
async function said({ run }: Toy): Promise<{ code: number | undefined; errors: string[] }[]> {
  return Promise.all(
    [['lint'], ['build', '-n', 'app']].map(async (words) => {
      const { code, stderr } = await run(...words)
      return { code, errors: stderr.split('\n').filter((line) => line.includes('error: ')) }
    }),
  )
}

const tree = (texts: Readonly<Record<string, string | Uint8Array | undefined>>): Tree =>
  Object.fromEntries(
    Object.entries({ ...VALID, ...texts }).filter(([, text]) => text !== undefined),
  )

describe('lint and build refuse the same, with status 3:', () => {
  test.each([
    'a directive',
    'a place that leads out',
    'a step of the engine',
    'a variable that no program can get',
    'no UTF-8',
    'a section',
  ])('a recipe with %s', async (name) => {
    const [text, ...faults] = RECIPES[name]!
    const [lint, build] = await said(await toy(tree({ [APP]: text })))
    expect(lint).toEqual(build)
    expect(lint?.code).toBe(3)
    expect(lint?.errors).toHaveLength(faults.length)
  })

  test.each([
    'a patch that was cut off',
    'a version without digest',
    'an amendment that empties a map',
    'no layers.yaml',
  ])('a tree with %s', async (name) => {
    const [texts, ...faults] = TREES[name]!
    const made = await toy(tree(texts))
    if (name === 'no layers.yaml') rmSync(join(made.folder, 'layers/layers.yaml'))
    const [lint, build] = await said(made)
    expect(lint).toEqual(build)
    expect(lint?.code).toBe(3)
    expect(lint?.errors).toHaveLength(faults.length)
  })

  test('a pipe in place of a recipe', async () => {
    const made = await toy(tree({}))
    rmSync(join(made.folder, APP))
    execFileSync('mkfifo', [join(made.folder, APP)])
    const [lint, build] = await said(made)
    expect(lint).toEqual(build)
    expect(lint?.code).toBe(3)
    expect(lint?.errors).toHaveLength(1)
  })
})
