import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/base/digest.ts'
import { FixpointError } from '../../../src/base/error.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { resumeAction } from '../../../src/build/action.ts'
import { actionOf } from '../../../src/build/planned-action.ts'
import type { FileSource, Recipe } from '../../../src/metadata/model.ts'
import { blobPath, treePath } from '../../../src/store/local/layout.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import {
  artifactOf,
  eventsOf,
  failureOf,
  id,
  nextSession,
  readArtifact,
  storesWithTools,
} from '../../support/rig.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS, type ToyStore } from '../../support/toy.ts'
import { flipByte } from '../../support/trees.ts'

const inputs = [id('host/tools')]
const freshStore = storesWithTools()

describe('build', () => {
  it('builds what is missing, in order, and nothing the second time', async () => {
    const toy = await freshStore()
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe('base/a', 'mkdir -p $OUT/usr/share; echo one > $OUT/usr/share/a', {
        inputs: [id('host/tools')],
      }),
      toyRecipe('base/b', 'mkdir -p $OUT/usr/share; cat /usr/share/a > $OUT/usr/share/b', {
        inputs: [id('host/tools'), id('base/a')],
      }),
    )
    const first = await toyBuild(toy, metadata, ['base/b'])
    expect([...first.failures.values()]).toEqual([])
    expect(first.ran).toEqual(['base/a', 'base/b'])
    const artifact = artifactOf(first, 'base/b')
    await toy.store.trees.unpack(artifact)
    expect(await readFile(join(treePath(toy.store.root, artifact), 'usr/share/b'), 'utf8')).toBe(
      'one\n',
    )
    const second = await toyBuild(toy, metadata, ['base/b'])
    expect(second.ran).toEqual([])
  })
})

/** Writes `text` to a file of its own name. */
function writer(name: string, text: string, more: Parameters<typeof toyRecipe>[2] = {}): Recipe {
  return toyRecipe(
    `base/${name}`,
    `mkdir -p $OUT/usr/share; echo ${text} > $OUT/usr/share/${name}`,
    {
      inputs,
      ...more,
    },
  )
}

describe('a failing recipe', () => {
  const failing = toyRecipe('host/bad', 'echo the reason; exit 3', { cost: 100 })
  const user = toyRecipe('host/user', ':', { inputs: [id('host/bad')], cost: 100 })
  const other = toyRecipe('host/other', 'echo other > $OUT/other')

  it('names recipe, step, status and log', async () => {
    const toy = await freshStore()
    const failure = failureOf(await toyBuild(toy, toyMetadata(failing), ['host/bad']), 'host/bad')
    const log = (await toy.store.logs.newest(id('host/bad'))) ?? ''
    expect(failure).toMatchObject({
      code: 'step-failed',
      kind: 'buildFailed',
      facts: { recipe: 'host/bad', step: 'build', log },
    })
    expect(failure.message).toMatch(
      /host\/bad.*"build" ended with status 3\n.*==> build\n.*the reason/,
    )
    expect(await readFile(log, 'utf8')).toBe('==> build\nthe reason\n')
    expect(eventsOf(toy.events, 'action-failed')).toMatchObject([
      { recipe: 'host/bad', step: 'build', log },
    ])
    expect((await readdir(await toy.store.session.folder())).sort()).toEqual([
      'lock',
      'tmp',
      'trees',
    ])
  })

  it('says which field ended it when it took too long', async () => {
    const toy = await freshStore()
    const slow = toyRecipe('host/slow', 'sleep 60', { timeout: 1 })
    const { message } = failureOf(
      await toyBuild(toy, toyMetadata(slow), ['host/slow']),
      'host/slow',
    )
    expect(message).toContain('step "build" exceeded its "timeout" of 1 s and was ended\n')
  })

  it('stops the build, unless the others are to go on', async () => {
    const toy = await freshStore()
    const targets = ['host/user', 'host/other']
    const stopped = await toyBuild(toy, toyMetadata(failing, user, other), targets, { cores: 1 })
    expect(stopped).toMatchObject({ ran: [], skipped: expect.arrayContaining(targets) as string[] })
    const went = await toyBuild(toy, toyMetadata(failing, user, other), targets, {
      cores: 1,
      keepGoing: true,
    })
    expect(went).toMatchObject({ ran: ['host/other'], skipped: ['host/user'] })
    expect(eventsOf(toy.events, 'action-skipped').at(-1)).toMatchObject({
      recipe: 'host/user',
      because: 'host/bad',
    })
    expect([...went.failures.keys()]).toEqual(['host/bad'])
  })

  it('is named by each recipe that it keeps from being built', async () => {
    const toy = await freshStore()
    const second = toyRecipe('host/worse', 'exit 4')
    const metadata = toyMetadata(
      failing,
      second,
      user,
      toyRecipe('host/second-user', ':', { inputs: [id('host/worse')] }),
    )
    await toyBuild(toy, metadata, ['host/user', 'host/second-user'], { keepGoing: true })
    const because = eventsOf(toy.events, 'action-skipped').map(
      (event) => `${event.recipe} because of ${event.because}`,
    )
    expect(because.sort()).toEqual([
      'host/second-user because of host/worse',
      'host/user because of host/bad',
    ])
  })

  it('leaves its tree to be looked at when that is asked for', async () => {
    const toy = await freshStore()
    const recipe = toyRecipe('host/bad', 'echo half > $OUT/half; echo object > $OBJ/object; exit 1')
    await toyBuild(toy, toyMetadata(recipe), ['host/bad'], { keepFailed: true })
    const kept = toy.store.logs.keptFolder(id('host/bad'))
    expect(await readFile(join(kept, 'out/half'), 'utf8')).toBe('half\n')
    expect(await readFile(join(kept, 'build/obj/object'), 'utf8')).toBe('object\n')
  })

  it('goes on from a step in its kept tree, unrecorded', async () => {
    const toy = await freshStore()
    const steps = [
      { name: 'one', script: 'echo one >> $OUT/text' },
      { name: 'two', script: 'echo two >> $OUT/text; test -e $OBJ/mended' },
    ]
    const metadata = toyMetadata(toyRecipe('host/bad', '', { steps }))
    const { plan } = await toyBuild(toy, metadata, ['host/bad'], { keepFailed: true })
    const folder = toy.store.logs.keptFolder(id('host/bad'))
    await writeFile(join(folder, 'build/obj/mended'), '')
    const action = actionOf(plan, id('host/bad'))
    const context = {
      ...toy,
      now: () => 0,
      jobserver: undefined,
      folder,
      log: join(toy.folder, 'log'),
      signal: new AbortController().signal,
    }
    await expect(resumeAction(action, context, 'three')).rejects.toMatchObject({
      code: 'no-such-step',
      message: expect.stringContaining('one, two') as string,
    })
    const { artifact } = await resumeAction(action, context, 'two')
    await toy.store.trees.unpack(artifact)
    expect(await readFile(join(treePath(toy.store.root, artifact), 'text'), 'utf8')).toBe(
      'one\ntwo\ntwo\n',
    )
    expect((await toyBuild(toy, metadata, ['host/bad'])).ran).toEqual([])
  })

  it('of a fetch is a failure like others, and what is still being fetched is given up', async () => {
    const toy = await freshStore()
    const source = (name: string): FileSource => ({
      kind: 'file',
      name,
      sha256: digestOf(name),
      from: [],
      to: undefined,
    })
    const recipes = ['missing', 'endless'].map((name) =>
      toyRecipe(`host/${name}`, ':', { sources: [source(name)] }),
    )
    const fetcher = {
      fetch: ({ name }: FileSource, signal?: AbortSignal): Promise<void> =>
        new Promise((_resolve, reject) => {
          if (name === 'missing') reject(new FixpointError('source-unavailable', 'Cannot fetch'))
          signal?.addEventListener('abort', () => {
            reject(new FixpointError('interrupted', 'Given up'))
          })
        }),
    }
    const result = await toyBuild(
      toy,
      toyMetadata(...recipes),
      ['host/missing', 'host/endless'],
      {},
      { fetcher },
    )
    expect([...result.failures.keys()]).toEqual(['host/missing'])
    expect(failureOf(result, 'host/missing')).toMatchObject({
      code: 'source-unavailable',
      kind: 'fetch',
    })
  })
})

describe('a damaged artifact', () => {
  it('is named, set aside and built again to the same bytes; what is above stays', async () => {
    const toy = await freshStore()
    const metadata = toyMetadata(
      TOOLS,
      writer('a', 'one'),
      writer('b', '$(cat /usr/share/a)', { inputs: [...inputs, id('base/a')] }),
      writer('c', '$(cat /usr/share/b)', { inputs: [...inputs, id('base/b')] }),
    )
    const first = await toyBuild(toy, metadata, ['base/c'])
    const [a, b] = [artifactOf(first, 'base/a'), artifactOf(first, 'base/b')]
    await rm(blobPath(toy.store.root, b))
    await removeTree(treePath(toy.store.root, a))
    await flipByte(blobPath(toy.store.root, a), 600)
    const next = await nextSession(toy.folder)
    const second = await toyBuild(next, metadata, ['base/b', 'base/c'])
    expect(second.ran).toEqual(['base/a', 'base/b'])
    expect(eventsOf(next.events, 'store-repair')).toMatchObject([{ what: 'blob', name: a }])
    expect([artifactOf(second, 'base/a'), artifactOf(second, 'base/b')]).toEqual([a, b])
    expect(await verifyStore(next.store)).toEqual([])
  })

  it('that two actions meet at once is built again for both', async () => {
    const toy = await freshStore()
    const users = ['b', 'c', 'd'].map((name) =>
      writer(name, `${name} $(cat /usr/share/a)`, { inputs: [...inputs, id('base/a')] }),
    )
    const metadata = toyMetadata(TOOLS, writer('a', 'one'), ...users)
    const a = artifactOf(await toyBuild(toy, metadata, ['base/a']), 'base/a')
    await removeTree(treePath(toy.store.root, a))
    await flipByte(blobPath(toy.store.root, a), 600)
    const result = await toyBuild(
      await nextSession(toy.folder),
      metadata,
      users.map((recipe) => recipe.id),
      { cores: 3 },
    )
    expect([...result.failures.values()]).toEqual([])
    expect(result.ran[0]).toBe('base/a')
    expect(result.ran).toHaveLength(4)
  })

  it('whose entry in the index is damaged is built again, and not taken for another result', async () => {
    const toy = await freshStore()
    const metadata = toyMetadata(TOOLS, writer('a', 'one'))
    const first = await toyBuild(toy, metadata, ['base/a'])
    const path = join(toy.folder, 'index', first.plan.get(id('base/a'))?.key ?? '')
    const text = await readFile(path, 'utf8')
    const digit = text[text.indexOf('"artifact":"') + 12]
    await writeFile(
      path,
      text.replace(`"artifact":"${digit ?? ''}`, `"artifact":"${digit === '0' ? '1' : '0'}`),
    )
    const next = await nextSession(toy.folder)
    const second = await toyBuild(next, metadata, ['base/a'])
    expect(artifactOf(second, 'base/a')).toBe(artifactOf(first, 'base/a'))
    expect(second.ran).toEqual(['base/a'])
    expect(eventsOf(next.events, 'store-repair')).toMatchObject([{ what: 'index', name: path }])
  })
})

describe('one key', () => {
  it('with two results is an error that keeps both and names the first difference', async () => {
    const toy = await freshStore()
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe(
        'base/dice',
        'mkdir -p $OUT/usr/share; echo same > $OUT/usr/share/a; cat ' +
          '/proc/sys/kernel/random/uuid > $OUT/usr/share/b',
        { inputs },
      ),
    )
    const first = artifactOf(await toyBuild(toy, metadata, ['base/dice']), 'base/dice')
    await rename(blobPath(toy.store.root, first), join(toy.folder, 'away'))
    const failure = failureOf(await toyBuild(toy, metadata, ['base/dice']), 'base/dice')
    expect(failure).toMatchObject({
      code: 'two-results',
      kind: 'notReproducible',
      message: expect.stringContaining('"usr/share/b"') as string,
    })
    const later = /gave ([0-9a-f]{64}), recorded is ([0-9a-f]{64})/.exec(failure.message)
    expect(later?.[2]).toBe(first)
    expect(toy.store.blobs.has(later?.[1] as Digest)).toBe(true)
    await rename(join(toy.folder, 'away'), blobPath(toy.store.root, first))
    expect(artifactOf(await toyBuild(toy, metadata, ['base/dice']), 'base/dice')).toBe(first)
  })

  it('gives the same bytes from one job and from two, in another store', async () => {
    const metadata = toyMetadata(
      TOOLS,
      ...['a', 'b', 'c'].map((name) => writer(name, name)),
      toyRecipe('base/all', 'cp -R /usr/share $OUT/share', {
        inputs: [...inputs, id('base/a'), id('base/b'), id('base/c')],
      }),
    )
    const artifacts = []
    for (const cores of [1, 2])
      artifacts.push(
        artifactOf(
          await toyBuild(await freshStore(), metadata, ['base/all'], { cores }),
          'base/all',
        ),
      )
    expect(artifacts[1]).toBe(artifacts[0])
  })

  it('cuts a rebuild off where a changed recipe gives the same bytes', async () => {
    const toy = await freshStore()
    const user = writer('user', '$(cat /usr/share/a)', { inputs: [...inputs, id('base/a')] })
    await toyBuild(toy, toyMetadata(TOOLS, writer('a', 'one'), user), ['base/user'])
    expect(
      (await toyBuild(toy, toyMetadata(TOOLS, writer('a', '"one"'), user), ['base/user'])).ran,
    ).toEqual(['base/a'])
    expect(
      (await toyBuild(toy, toyMetadata(TOOLS, writer('a', 'two'), user), ['base/user'])).ran,
    ).toEqual(['base/a', 'base/user'])
  })
})

describe('admission', () => {
  const pair = ['host/a', 'host/b'].map((name) =>
    toyRecipe(name, `echo ${name} > $OUT/name`, { memory: 600 << 20 }),
  )
  const order = (toy: ToyStore): string[] =>
    toy.events.flatMap(({ type }) =>
      type === 'action-start' || type === 'action-end' ? [type] : [],
    )

  it('runs actions at once when their memory fits', async () => {
    const toy = await freshStore()
    await toyBuild(toy, toyMetadata(...pair), ['host/a', 'host/b'], { memory: 1200 << 20 })
    expect(order(toy)).toEqual(['action-start', 'action-start', 'action-end', 'action-end'])
  })

  it('one after the other when it does not, even one that never fits', async () => {
    for (const memory of [1024 << 20, 1]) {
      const toy = await freshStore()
      await toyBuild(toy, toyMetadata(...pair), ['host/a', 'host/b'], { memory })
      expect(order(toy)).toEqual(['action-start', 'action-end', 'action-start', 'action-end'])
    }
  })
})

describe('an image', () => {
  it('sees its contents and a manifest of them', async () => {
    const toy = await freshStore()
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe('base/skeleton', 'mkdir -p $OUT/tmp $OUT/usr; chmod 1777 $OUT/tmp', { inputs }),
      writer('a', 'one'),
      toyRecipe(
        'base/image',
        'cp $MANIFEST $OUT/manifest; find $CONTENTS -printf "%P %y %m %TY\\n" > $OUT/found; ' +
          '! touch $CONTENTS/x 2> /dev/null',
        { inputs, image: true, contents: [id('base/a'), id('base/skeleton')] },
      ),
    )
    const result = await toyBuild(toy, metadata, ['base/image'])
    const found = (await readArtifact(toy, result, 'base/image', 'found')).trim().split('\n').sort()
    expect(found).toEqual([
      'd 755 2000',
      'tmp d 1777 2000',
      'usr d 755 2000',
      'usr/share d 755 2000',
      'usr/share/a f 644 2000',
    ])
    const manifest = JSON.parse(await readArtifact(toy, result, 'base/image', 'manifest')) as {
      contents: { recipe: string; artifact: string }[]
    }
    expect(manifest.contents.map(({ recipe }) => recipe)).toEqual(['base/a', 'base/skeleton'])
    expect(manifest.contents[0]?.artifact).toBe(artifactOf(result, 'base/a'))
  })
})
