import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { artifactOf, freshStore, id } from '../../support/rig.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS } from '../../support/toy.ts'

describe('build', () => {
  it('builds what is missing, in order, and nothing the second time', async () => {
    const toy = await freshStore()
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe('base/a', 'mkdir -p $OUT/usr/share; echo one > $OUT/usr/share/a', { inputs: [id('host/tools')] }),
      toyRecipe('base/b', 'mkdir -p $OUT/usr/share; cat /usr/share/a > $OUT/usr/share/b', { inputs: [id('host/tools'), id('base/a')] }),
    )
    const first = await toyBuild(toy, metadata, ['base/b'])
    expect([...first.failures.values()]).toEqual([])
    expect(first.ran).toEqual(['host/tools', 'base/a', 'base/b'])
    const artifact = artifactOf(first, 'base/b')
    await toy.store.tree(artifact)
    expect(await readFile(join(toy.store.treePath(artifact), 'usr/share/b'), 'utf8')).toBe('one\n')
    const second = await toyBuild(toy, metadata, ['base/b'])
    expect(second.ran).toEqual([])
  })
})
