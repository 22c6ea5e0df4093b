import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { exists } from '../../../src/base/files.ts'
import { openSession } from '../../../src/store/local/session-folder.ts'
import { verifyStore } from '../../../src/store/verify-store.ts'
import { engineProcesses } from '../../support/engine.ts'
import {
  artifactOf,
  eventsOf,
  freshStore,
  id,
  nextSession,
  processesWith,
  waitUntil,
} from '../../support/rig.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS } from '../../support/toy.ts'
import { writeTreeAt } from '../../support/trees.ts'

const engine = engineProcesses()

/**
 * Resolves when a new session has swept all that killed ones left below work/: their locks are free
 * once the kernel has cleaned up after them.
 */
async function swept(folder: string): Promise<void> {
  await vi.waitFor(async () => {
    const session = await openSession(folder)
    const names = await readdir(join(folder, 'work'))
    await session.close()
    expect(names).toHaveLength(1)
  }, 10_000)
  expect(await readdir(join(folder, 'work'))).toEqual([])
}

describe('an engine killed by SIGKILL', () => {
  it('in the middle of an action leaves no process, and the next run goes on', async () => {
    const { folder } = await freshStore()
    const slow = '7654321.25'
    const first = toyRecipe('host/first', 'echo first > $OUT/first', { cost: 9 })
    const hangs = toyRecipe('host/second', `sleep ${slow} & sleep ${slow}`, {
      inputs: [id('host/first')],
    })
    const { child, until, end } = engine({
      store: folder,
      recipes: [first, hangs],
      targets: ['host/second'],
    })
    await until(({ type, recipe }) => type === 'action-end' && recipe === 'host/first')
    await waitUntil(() => processesWith(slow).length === 2)
    expect(await readdir(join(folder, 'work'))).toHaveLength(1)
    child.kill('SIGKILL')
    await end()
    await waitUntil(() => processesWith(slow).length === 0)
    await swept(folder)
    const next = await nextSession(folder)
    const quick = toyRecipe('host/second', 'echo second > $OUT/second', {
      inputs: [id('host/first')],
    })
    const result = await toyBuild(next, toyMetadata(first, quick), ['host/second'])
    artifactOf(result, 'host/second')
    expect(result.ran).toEqual(['host/second'])
  })

  it('while it writes to the store leaves no rubbish', async () => {
    const { folder } = await freshStore()
    const big = join(await temporaryFolder(), 'big')
    await writeTreeAt(
      big,
      Object.fromEntries(
        Array.from({ length: 40 }, (_, at) => [`file${String(at)}`, Buffer.alloc(1 << 18, at)]),
      ),
    )
    // Each time after another number of whole writes, in the middle of the next.
    for (const writes of [0, 1, 3]) {
      const { child, lines, until, end } = engine({
        store: folder,
        recipes: [],
        targets: [],
        pack: big,
      })
      if (writes > 0)
        await until(() => lines.filter(({ type }) => type === 'packed').length >= writes)
      const unfinished = (): boolean =>
        existsSync(join(folder, 'work')) &&
        readdirSync(join(folder, 'work')).some(
          (name) =>
            existsSync(join(folder, 'work', name, 'tmp')) &&
            readdirSync(join(folder, 'work', name, 'tmp')).some((file) => file.startsWith('pack')),
        )
      await waitUntil(unfinished)
      child.kill('SIGKILL')
      await end()
      expect(unfinished()).toBe(true)
      await swept(folder)
    }
    const { store } = await nextSession(folder)
    expect(await verifyStore(store)).toEqual([])
    expect((await readdir(join(folder, 'index'))).filter((name) => name.startsWith('.'))).toEqual(
      [],
    )
  })

  it('when all was built is cleaned up after by a build with nothing to do', async () => {
    const first = await freshStore()
    const { folder } = first
    const metadata = toyMetadata(toyRecipe('host/first', 'echo first > $OUT/first'))
    await toyBuild(first, metadata, ['host/first'])
    await first.store.session.close()
    // What was being removed when it was killed.
    await mkdir(join(folder, 'work/session-left/host@first'), { recursive: true })
    const next = await nextSession(folder)
    expect((await toyBuild(next, metadata, ['host/first'])).ran).toEqual([])
    await next.store.session.close()
    expect(await readdir(join(folder, 'work'))).toEqual([])
  })
})

describe('an interrupted build', () => {
  it('ends all processes before it says so, and leaves no work folder', async () => {
    const toy = await freshStore()
    const slow = '7654321.5'
    const interrupt = new AbortController()
    const metadata = toyMetadata(
      ...['host/a', 'host/b'].map((name) =>
        toyRecipe(name, `: ${name}; trap '' TERM INT; setsid sleep ${slow} & sleep ${slow}`),
      ),
    )
    const building = toyBuild(toy, metadata, ['host/a', 'host/b'], {
      signal: interrupt.signal,
      keepFailed: true,
    })
    await waitUntil(() => processesWith(slow).length === 4)
    interrupt.abort()
    await expect(building).rejects.toMatchObject({ name: 'AbortError' })
    expect(processesWith(slow)).toEqual([])
    expect(eventsOf(toy.events, 'action-failed')).toEqual([])
    expect((await readdir(await toy.store.session.folder())).sort()).toEqual([
      'lock',
      'tmp',
      'trees',
    ])
    expect(await readdir(join(toy.folder, 'kept'))).toEqual([])
  })

  it('ends an action that takes too long, with all its processes', async () => {
    const toy = await freshStore()
    const slow = '7654321.75'
    const result = await toyBuild(
      toy,
      toyMetadata(toyRecipe('host/slow', `sleep ${slow} & sleep ${slow}`, { timeout: 1 })),
      ['host/slow'],
    )
    expect(result.failures.get(id('host/slow'))).toMatchObject({
      code: 'step-failed',
      message: expect.stringContaining('"timeout" of 1 s') as string,
    })
    expect(processesWith(slow)).toEqual([])
    expect((await readdir(await toy.store.session.folder())).sort()).toEqual([
      'lock',
      'tmp',
      'trees',
    ])
  })
})

describe('two engines on one store', () => {
  it('run each action once, and both end with the same artifacts', async () => {
    const { folder } = await freshStore()
    const inputs = [id('host/tools')]
    const recipes = [
      TOOLS,
      ...['a', 'b', 'c', 'd'].map((name) =>
        toyRecipe(
          `base/${name}`,
          `mkdir -p $OUT/usr/share; echo ${name} > $OUT/usr/share/${name}`,
          { inputs },
        ),
      ),
    ]
    const targets = recipes.map((recipe) => recipe.id)
    const engines = [1, 2].map(() => engine({ store: folder, recipes, targets }))
    const [one, two] = await Promise.all(engines.map(({ end }) => end()))
    expect(one?.codes).toEqual([])
    expect(two?.codes).toEqual([])
    expect([...(one?.ran ?? []), ...(two?.ran ?? [])].sort()).toEqual([...targets].sort())
    expect(one?.artifacts).toEqual(two?.artifacts)
    expect(
      engines.flatMap(({ lines }) => lines.filter(({ type }) => type === 'store-repair')),
    ).toEqual([])
  })
})

describe('on a full disk', () => {
  const wrap = (store: string): string[] => [
    'unshare',
    '-Urm',
    'sh',
    '-c',
    'mount -t tmpfs -o size=24m none "$0" && head -c 16777216 /dev/zero > "$0/lost+found" ' +
      '&& exec "$@"',
    store,
  ]

  it.each([
    ['a step', 'head -c 12000000 /dev/zero > $OUT/big'],
    ['packing', 'yes | head -c 6000000 > $OUT/half'],
  ])(
    '%s fails with disk-full, the store stays whole, and the next run goes on',
    async (_name, script) => {
      const store = join(await temporaryFolder(), 'store')
      await mkdir(store)
      const recipes = [
        toyRecipe('host/small', 'echo 1 > $OUT/small', { cost: 9 }),
        toyRecipe('host/big', script, { inputs: [id('host/small')] }),
      ]
      const { lines, end } = engine(
        { store, recipes, targets: ['host/big'], again: join(store, 'lost+found') },
        wrap(store),
      )
      await end()
      const results = lines.filter(({ type }) => type === 'result')
      expect(results).toMatchObject([
        { codes: ['disk-full'], ran: ['host/small'], faults: [] },
        { codes: [], ran: ['host/big'], faults: [] },
      ])
      expect(await exists(join(store, 'LAYOUT'))).toBe(false)
    },
  )
})

describe('the conditions an engine runs under leave no mark', () => {
  it('user mask, time zone, variables, path, setgid folders, open files, number of jobs', async () => {
    const source = toyRecipe(
      'host/look',
      'umask > $OUT/look; env | grep -v ^MAKEFLAGS | sort >> $OUT/look; stat -c "%n %a" / ' +
        '/build /build/* /out /sources /patches /files /steps /tmp >> $OUT/look; date >> ' +
        '$OUT/look.log; rm $OUT/look.log; mkdir $OUT/folder; touch $OUT/folder/file; for fd in ' +
        '3 4 5 100; do test ! -e /proc/self/fd/$fd/etc; done',
    )
    const recipes = [
      TOOLS,
      source,
      toyRecipe(
        'base/probe',
        'for path in /*; do case $path in /build|/dev|/out|/proc|/run|/steps|/tmp) ;; *) ' +
          'find $path -printf "%p %m %U:%G %T@\\n";; esac; done > $OUT/found; cp -R /build/src ' +
          '$OUT/src',
        { inputs: [id('host/tools')] },
      ),
    ]
    const targets = ['host/look', 'base/probe']
    const plain = join(await temporaryFolder(), 'store')
    const odd = join(await temporaryFolder(), 'another path/to a store')
    await mkdir(odd, { recursive: true })
    const first = await engine({ store: plain, recipes, targets, options: { cores: 2 } }).end()
    const second = await engine(
      { store: odd, recipes, targets, options: { cores: 1 } },
      ['sh', '-c', 'chmod g+s "$0"; umask 077; exec "$@"', odd],
      {
        TZ: 'Pacific/Chatham',
        LANG: 'tr_TR.UTF-8',
        LC_ALL: 'tr_TR.UTF-8',
        CC: 'false',
        CFLAGS: '-junk',
        HOME: '/nowhere',
        MAKEFLAGS: '-j7',
        SOURCE_DATE_EPOCH: '1',
      },
    ).end()
    expect(first?.codes).toEqual([])
    expect(second?.artifacts).toEqual(first?.artifacts)
  })
})
