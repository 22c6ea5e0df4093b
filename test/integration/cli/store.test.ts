import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandLine, jsonLines, makes, ranIn } from '../../support/cli.ts'
import { flipByte } from '../../support/trees.ts'

const toy = commandLine()

function blobPath(store: string, digest: string): string {
  return join(store, 'blobs', digest.slice(0, 2), digest)
}

async function blobsOf(store: string): Promise<string[]> {
  const names = await readdir(join(store, 'blobs'), { recursive: true })
  return names.flatMap((name) => name.split('/')[1] ?? []).sort()
}

/** Artifact of the only target. */
function artifactIn(stdout: string): string {
  return stdout.trim().split(' ')[1] ?? ''
}

test('verify exits with 0, with 4 after a flipped byte that it names; the next build repairs it', async () => {
  const { run, store } = await toy()
  const alpha = artifactIn((await run('build', 'alpha')).stdout)
  expect((await run('store', 'verify')).code).toBe(0)
  await flipByte(blobPath(store, alpha), 600)
  const damaged = await run('store', 'verify')
  expect(damaged.code).toBe(4)
  expect(damaged.stdout).toMatch(new RegExp(`^blob ${alpha}: [^\n]*\n$`))
  const { code, stdout } = await run('--json', 'build', 'beta')
  expect(code).toBe(0)
  const lines = jsonLines(stdout)
  expect(lines).toContainEqual(
    expect.objectContaining({ type: 'store-repair', what: 'blob', name: alpha }),
  )
  expect(ranIn(lines)).toEqual(['bootstrap/alpha', 'bootstrap/beta'])
  expect(artifactIn((await run('build', 'alpha')).stdout)).toBe(alpha)
  expect((await run('store', 'verify')).code).toBe(0)
})

test('gc removes what no recipe uses, and -n only counts it', async () => {
  const { run, store, write } = await toy()
  const old = artifactIn((await run('build', 'alpha')).stdout)
  await write({ 'layers/bootstrap/alpha/recipe.yaml': makes('alpha', 'changed') })
  const current = artifactIn((await run('build', 'alpha')).stdout)
  expect(await blobsOf(store)).toEqual([old, current].sort())
  const counted = await run('store', 'gc', '-n')
  expect(counted.code).toBe(0)
  expect(counted.stdout).toMatch(/\b1 blob /)
  expect(await blobsOf(store)).toEqual([old, current].sort())
  expect((await run('store', 'gc')).code).toBe(0)
  expect(await blobsOf(store)).toEqual([current])
  expect(existsSync(join(store, 'trees', `${old}.json`))).toBe(false)
  expect(ranIn(jsonLines((await run('--json', 'build', 'alpha')).stdout))).toEqual([])
})

test('gc in other layers does not take away what those of the same store made, unless forced', async () => {
  const { folder, runWith, store, write } = await toy()
  const own = ['--layers', join(folder, 'layers/layers.yaml'), '--store', store]
  const alpha = artifactIn((await runWith({ globals: own }, 'build', 'alpha')).stdout)
  await write({
    'small/layers.yaml': 'machine: toy\nhost-layers: [other]\nlayers: [other]\n',
    'small/machines/toy.yaml': 'arch: x86_64\n',
    'small/styles/plain.yaml': "name: plain\nsummary: One step\nsteps:\n  build: ':'\n",
    'small/other/one/recipe.yaml': makes('one', 'first'),
  })
  const globals = ['--layers', join(folder, 'small/layers.yaml'), '--store', store]
  const refused = await runWith({ globals }, 'store', 'gc')
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('\n  bootstrap/alpha: 1 artifact (')
  expect((await runWith({ globals }, 'store', 'gc', '-n')).stdout).toContain(
    'would remove of bootstrap/alpha: 1 artifact',
  )
  expect(await blobsOf(store)).toEqual([alpha])
  expect((await runWith({ globals }, 'store', 'gc', '--force')).code).toBe(0)
  expect(await blobsOf(store)).toEqual([])
})
