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

test('verify exits with 0, with 4 after a flipped byte that it names; the next build that uses it makes it again', async () => {
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
  expect(lines).toContainEqual(expect.objectContaining({ type: 'store-repair', what: 'blob', name: alpha }))
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
  expect(counted.stdout).toMatch(/\b1 blobs\b/)
  expect(await blobsOf(store)).toEqual([old, current].sort())
  expect((await run('store', 'gc')).code).toBe(0)
  expect(await blobsOf(store)).toEqual([current])
  expect(existsSync(join(store, 'trees', `${old}.json`))).toBe(false)
  expect(ranIn(jsonLines((await run('--json', 'build', 'alpha')).stdout))).toEqual([])
})
