import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { BuildOptions } from '../../../src/build/build-context.ts'
import type { BuildResult } from '../../../src/build/build.ts'
import type { Metadata } from '../../../src/metadata/model.ts'
import type { RemoteLimits } from '../../../src/remote/execution/limits.ts'
import { openRemote } from '../../../src/remote/execution/open.ts'
import type { RemoteSettings } from '../../../src/remote/execution/settings.ts'
import { proxyTo, type Proxy } from '../../support/reapi-proxy.ts'
import { changedRunner, hasServer, hostRunner, reapiServer } from '../../support/reapi.ts'
import {
  artifactOf,
  eventsOf,
  failureOf,
  id,
  processesWith,
  storesWithTools,
  waitUntil,
} from '../../support/rig.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS, type ToyStore } from '../../support/toy.ts'

if (!hasServer)
  process.stderr.write('left out: remote execution, since .ci/servers has unpacked no server\n')

/** Two recipes, of which one uses the other, and things that a server may not keep. */
const SCRIPT = 'mkdir -m 700 "$OUT/d"; echo x > "$OUT/d/x"; chmod 444 "$OUT/d/x"; echo built'
const toy = (name: string, script = SCRIPT, inputs: readonly string[] = []) =>
  toyRecipe(`toy/${name}`, script, { inputs: [TOOLS.id, ...inputs.map(id)] })
const METADATA = toyMetadata(
  TOOLS,
  toy('a'),
  toy('b', 'cp -r /d "$OUT/copy"; chmod -R u+w "$OUT/copy"; echo b >> "$OUT/copy/x"', ['toy/a']),
)

describe.skipIf(!hasServer)('remote execution', () => {
  const server = reapiServer()
  const runner = hostRunner()
  const toys = storesWithTools()

  const settingsFor = (port: number, change: Partial<RemoteSettings> = {}): RemoteSettings => ({
    ...{ address: `http://127.0.0.1:${port}`, instance: 'main', jobs: 4, platform: {} },
    ...{ ca: undefined, certificate: undefined, key: undefined, token: undefined },
    runner: runner(),
    ...change,
  })

  /** Builds on a store, with the server behind `port`. */
  const build = (
    toyStore: ToyStore,
    port: number,
    how: {
      readonly metadata?: Metadata
      readonly targets?: readonly string[]
      readonly settings?: Partial<RemoteSettings>
      readonly limits?: Partial<RemoteLimits>
      readonly options?: Partial<BuildOptions>
    } = {},
  ): Promise<BuildResult> => {
    const { store, emit } = toyStore
    const { metadata = METADATA, targets = ['toy/b'], options = {} } = how
    const only = options.remoteOnly ?? false
    const context = { store, emit, now: () => performance.now(), only }
    const limits = { delays: [1, 1], ...how.limits }
    const remote = () => openRemote(settingsFor(port, how.settings), context, limits)
    return toyBuild(toyStore, metadata, targets, options, { remote })
  }

  const local = async (metadata = METADATA, target = 'toy/b'): Promise<string> =>
    artifactOf(await toyBuild(await toys(), metadata, [target]), target)

  const proxied = (): Promise<Proxy> => proxyTo(`http://127.0.0.1:${server().port}`)

  /** Lets a proxy cancel in place of its server, which cannot: it ends the workers' processes. */
  const cancelling = (proxy: Proxy, words: string): void => {
    proxy.rule = (call) => {
      if (call.method !== 'CancelOperation') {
        call.pass()
        return
      }
      for (const pid of processesWith(words)) process.kill(Number(pid), 'SIGKILL')
      call.done()
    }
  }

  const placesOf = ({ events }: ToyStore): string[] =>
    eventsOf(events, 'action-end').map(({ place }) => place.split(':')[0]!)

  const ONLY = { options: { remoteOnly: true } }

  test('gives the bytes that a local build gives, and the log', async () => {
    const toyStore = await toys()
    const built = await build(toyStore, server().port, ONLY)
    expect(artifactOf(built, 'toy/b')).toBe(await local())
    expect(placesOf(toyStore)).toEqual(['remote 127.0.0.1', 'remote 127.0.0.1'])
    const entry = toyStore.store.index.find(built.plan.get(id('toy/a'))!.key!)
    expect(entry?.origin).toEqual({ remote: `127.0.0.1:${server().port}`, worker: '' })
    const log = await toyStore.store.logs.newest(id('toy/a'))
    expect(await readFile(log!, 'utf8')).toContain('built')
  })

  test('a second client gets it from the server, by 5 calls an action and one for all', async () => {
    await build(await toys(), server().port, ONLY)
    const proxy = await proxied()
    const built = await build(await toys(), proxy.port, { ...ONLY, targets: ['toy/a'] })
    expect(artifactOf(built, 'toy/a')).toBe(await local(METADATA, 'toy/a'))
    expect(proxy.calls.toSorted()).toEqual(
      [
        ...['GetCapabilities', 'FindMissingBlobs', 'Execute'],
        ...['Read', 'Read', 'Read'], // the result, the log, the artifact
      ].toSorted(),
    )
  })

  test('an action whose inputs the server has takes 6 calls', async () => {
    const metadata = toyMetadata(
      TOOLS,
      toy('warm', 'echo 1 > "$OUT/x"'),
      toy('next', 'echo 2 > "$OUT/x"'),
    )
    await build(await toys(), server().port, { ...ONLY, metadata, targets: ['toy/warm'] })
    const proxy = await proxied()
    await build(await toys(), proxy.port, { ...ONLY, metadata, targets: ['toy/next'] })
    expect(proxy.calls.toSorted()).toEqual(
      [
        'GetCapabilities', // once for all actions
        ...['FindMissingBlobs', 'BatchUpdateBlobs', 'Execute'],
        ...['Read', 'Read', 'Read'],
      ].toSorted(),
    )
  })

  test('a failing action fails as it does here, with its log', async () => {
    const metadata = toyMetadata(TOOLS, toy('bad', 'echo oh no; exit 7'))
    const toyStore = await toys()
    const built = await build(toyStore, server().port, { metadata, targets: ['toy/bad'], ...ONLY })
    const failure = failureOf(built, 'toy/bad')
    expect(failure.code).toBe('step-failed')
    expect(failure.message).toContain('step "build" ended with status 7')
    expect(failure.message).toContain('oh no')
    const { log } = eventsOf(toyStore.events, 'action-failed')[0]!
    expect(readFileSync(log, 'utf8')).toContain('oh no')
  })

  test('nothing of this machine is sent', async () => {
    const toyStore = await toys()
    await build(toyStore, server().port, ONLY)
    const { inputRoot } = await import('../../../src/remote/execution/input-root.ts')
    const { actionOf } = await import('../../../src/build/planned-action.ts')
    const again = await build(await toys(), server().port, ONLY)
    const { findRunner } = await import('../../../src/remote/execution/runner.ts')
    const signal = new AbortController().signal
    const found = await findRunner(runner(), toyStore.store)
    const action = actionOf(again.plan, id('toy/b'))
    const { blobs } = await inputRoot(action, found, toyStore.store, signal)
    const small = blobs.flatMap(({ data }) => (data === undefined ? [] : Buffer.from(data)))
    const text = Buffer.concat(small).toString('latin1')
    for (const word of [toyStore.folder, runner(), process.cwd()]) expect(text).not.toContain(word)
  })

  describe('a server that', () => {
    /** Whatever happens, the target is there in the end, with the right bytes. */
    const endsWell = async (
      spoil: (proxy: Proxy) => void,
      how: Parameters<typeof build>[2] = {},
    ): Promise<ToyStore> => {
      const proxy = await proxied()
      spoil(proxy)
      const toyStore = await toys()
      const built = await build(toyStore, proxy.port, how)
      expect(artifactOf(built, 'toy/b')).toBe(await local())
      const named = eventsOf(toyStore.events, 'warning').map(({ message }) => message)
      for (const message of named) expect(message).toMatch(/^Remote "127.0.0.1:\d+" failed: /)
      return toyStore
    }

    test('is down costs one warning', async () => {
      const toyStore = await toys()
      const built = await build(toyStore, 1)
      expect(artifactOf(built, 'toy/b')).toBe(await local())
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
      expect(eventsOf(toyStore.events, 'warning')).toHaveLength(1)
    })

    test('is down is a named error where nothing may run here', async () => {
      const built = await build(await toys(), 1, ONLY)
      expect(failureOf(built, 'toy/a').code).toBe('remote-failed')
    })

    test('hangs is given up', async () => {
      const toyStore = await endsWell(
        (proxy) => {
          proxy.rule = (call) => {
            call.hang()
          }
        },
        { limits: { callMs: 300, delays: [1] } },
      )
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
    })

    test('stops in the middle of a blob is given up', async () => {
      const toyStore = await endsWell(
        (proxy) => {
          proxy.rule = (call) => {
            if (call.method === 'Read') call.hang()
            else call.pass()
          }
        },
        { limits: { idleMs: 300, delays: [1] } },
      )
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
    })

    test('is full says so', async () => {
      const toyStore = await endsWell((proxy) => {
        proxy.rule = (call) => {
          if (['BatchUpdateBlobs', 'Write', 'FindMissingBlobs'].includes(call.method))
            call.status(8, 'no space left')
          else call.pass()
        }
      })
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
      expect(eventsOf(toyStore.events, 'warning')[0]!.message).toContain('no space left')
    })

    test('is full while it works says so', async () => {
      const toyStore = await endsWell((proxy) => {
        proxy.rule = (call) => {
          if (call.method === 'Execute') call.status(13, 'Failed to write data')
          else call.pass()
        }
      })
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
    })

    test('breaks connections is asked again, and runs the action', async () => {
      const toyStore = await endsWell((proxy) => {
        proxy.rule = (call) => {
          if (call.nth % 2 === 0) call.cut()
          else call.pass()
        }
      })
      expect(placesOf(toyStore)).toEqual(['remote 127.0.0.1', 'remote 127.0.0.1'])
    })

    test('cuts blobs is asked for the rest', async () => {
      const toyStore = await endsWell((proxy) => {
        proxy.rule = (call) => {
          if (call.method === 'Read' && call.nth % 2 === 0) call.cut(40)
          else call.pass()
        }
      })
      expect(placesOf(toyStore)).toEqual(['remote 127.0.0.1', 'remote 127.0.0.1'])
    })

    const spoiled: readonly (readonly [string, (piece: Buffer) => readonly Buffer[]])[] = [
      [
        'other bytes',
        (piece) => [Buffer.from(piece.map((byte, at) => (at > 40 ? byte ^ 1 : byte)))],
      ],
      ['every message twice', (piece) => [piece, piece]],
      ['cut messages', (piece) => [piece.subarray(0, piece.length >> 1)]],
    ]
    test.each(spoiled)('returns %s is not believed', async (_, change) => {
      const toyStore = await endsWell((proxy) => {
        proxy.rule = (call) => {
          call.pass(call.method === 'Read' ? change : undefined)
        }
      })
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
    })

    test.each(['GetCapabilities', 'FindMissingBlobs', 'Execute', 'Read'])(
      'answers %s with 1 MiB of zeros is not believed',
      async (method) => {
        const toyStore = await endsWell((proxy) => {
          proxy.rule = (call) => {
            if (call.method === method) call.answer(Buffer.alloc(1 << 20))
            else call.pass()
          }
        })
        expect(placesOf(toyStore)).toEqual(['local', 'local'])
      },
    )

    test('does not let us in says so', async () => {
      const toyStore = await endsWell((proxy) => {
        proxy.rule = (call) => {
          call.status(16, 'who are you')
        }
      })
      expect(eventsOf(toyStore.events, 'warning')[0]!.message).toContain('who are you')
    })

    test('does not know an operation any more runs the action anew', async () => {
      const toyStore = await endsWell((proxy) => {
        proxy.rule = (call) => {
          if (call.method === 'Execute' && call.nth === 0) call.cut(400)
          else if (call.method === 'WaitExecution') call.status(5, 'no such operation')
          else call.pass()
        }
      })
      expect(placesOf(toyStore)).toEqual(['remote 127.0.0.1', 'remote 127.0.0.1'])
    })
  })

  describe('a worker that', () => {
    const RESULT = '"key": "$(sed -n \'s/.*"key":"\\([0-9a-f]*\\)".*/\\1/p\' action.json)"'
    const NUMBERS = '"size": 9, "cpuMs": 0, "peakMemory": 0'
    const ZEROS = '30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58'
    const quoted = (text: string): string => text.replaceAll('"', '\\"')
    const lies: readonly (readonly [string, string])[] = [
      ['leaves nothing', ':'],
      ['ends by a signal', 'kill -9 $$'],
      ['leaves no result', 'mkdir -p out; touch out/log out/artifact.tar'],
      ['leaves a result of another action', `say '"key": "${ZEROS}"'`],
      ['names another artifact', `say "${RESULT}"; echo x > out/artifact.tar`],
      [
        'leaves 1 MiB of zeros as artifact',
        `say "${RESULT}"; head -c 1048576 /dev/zero > out/artifact.tar`,
      ],
      ['leaves 1 MiB of zeros as result', 'say x; head -c 1048576 /dev/zero > out/result.json'],
    ]
    test.each(lies)('%s is not believed', async (_, script) => {
      const node = [
        '#!/bin/sh',
        'PATH=/usr/bin:/bin',
        'say() {',
        '  mkdir -p out; touch out/log out/artifact.tar',
        `  echo "{$1, ${quoted(`"artifact": "${ZEROS}", ${NUMBERS}`)}}" > out/result.json`,
        '}',
        script,
      ]
      const liar = await changedRunner(runner(), { node: `${node.join('\n')}\n` })
      const toyStore = await toys()
      const built = await build(toyStore, server().port, { settings: { runner: liar } })
      expect(artifactOf(built, 'toy/b')).toBe(await local())
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
      expect(eventsOf(toyStore.events, 'warning')[0]!.message).toContain('a worker')
    })

    test('cannot sandbox refuses by name', async () => {
      const bwrap = '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n'
      const unfit = await changedRunner(runner(), { bwrap })
      const toyStore = await toys()
      const built = await build(toyStore, server().port, { settings: { runner: unfit } })
      expect(artifactOf(built, 'toy/b')).toBe(await local())
      expect(placesOf(toyStore)).toEqual(['local', 'local'])
      const { message } = eventsOf(toyStore.events, 'warning')[0]!
      expect(message).toContain('Cannot set up the sandbox: bwrap: No permissions')
    })

    test('hangs is given up, and its action cancelled', async () => {
      const hanging = await changedRunner(runner(), { node: '#!/bin/sh\nexec /bin/sleep 4711\n' })
      const toyStore = await toys()
      const proxy = await proxied()
      cancelling(proxy, '4711')
      const built = await build(toyStore, proxy.port, {
        settings: { runner: hanging },
        limits: { besideStepsMs: -238_000 }, // of 4 steps of 60 s
        targets: ['toy/a'],
      })
      expect(artifactOf(built, 'toy/a')).toBe(await local(METADATA, 'toy/a'))
      expect(placesOf(toyStore)).toEqual(['local'])
      expect(proxy.calls).toContain('CancelOperation')
      await waitUntil(() => processesWith('4711').length === 0)
    })
  })

  test('a server that is killed and starts again runs what it was asked for', async () => {
    const metadata = toyMetadata(TOOLS, toy('slow', 'sleep 3; echo x > "$OUT/x"'))
    const toyStore = await toys()
    const building = build(toyStore, server().port, {
      ...{ metadata, targets: ['toy/slow'], limits: { delays: [1_000, 1_000, 1_000] } },
      ...ONLY,
    })
    await waitUntil(() => processesWith('./runner/engine.mjs').length > 0)
    await server().kill()
    await server().start()
    expect(artifactOf(await building, 'toy/slow')).toBe(await local(metadata, 'toy/slow'))
  })

  test('a worker that is killed is replaced', async () => {
    const metadata = toyMetadata(TOOLS, toy('shot', 'sleep 3; echo y > "$OUT/x"'))
    const toyStore = await toys()
    const building = build(toyStore, server().port, { metadata, targets: ['toy/shot'] })
    await waitUntil(() => processesWith('./runner/engine.mjs').length > 0)
    for (const pid of processesWith('./runner/engine.mjs')) process.kill(Number(pid), 'SIGKILL')
    expect(artifactOf(await building, 'toy/shot')).toBe(await local(metadata, 'toy/shot'))
  })

  test('an interrupted build cancels what runs elsewhere', async () => {
    const metadata = toyMetadata(TOOLS, toy('long', 'sleep 1234'))
    const stop = new AbortController()
    const proxy = await proxied()
    cancelling(proxy, './runner/engine.mjs')
    const toyStore = await toys()
    const building = build(toyStore, proxy.port, {
      ...{ metadata, targets: ['toy/long'] },
      options: { signal: stop.signal },
    })
    await waitUntil(() => processesWith('1234').length > 0)
    stop.abort()
    await expect(building).rejects.toThrow()
    expect(proxy.calls).toContain('CancelOperation')
    await waitUntil(() => processesWith('1234').length === 0)
    expect(eventsOf(toyStore.events, 'warning')).toEqual([])
  })

  test('a server that cannot cancel is named', async () => {
    const metadata = toyMetadata(TOOLS, toy('longer', 'sleep 5 && sleep 0.01'))
    const stop = new AbortController()
    const toyStore = await toys()
    const building = build(toyStore, server().port, {
      ...{ metadata, targets: ['toy/longer'] },
      options: { signal: stop.signal },
    })
    await waitUntil(() => processesWith('./runner/engine.mjs').length > 0)
    stop.abort()
    await expect(building).rejects.toThrow()
    const [warning] = eventsOf(toyStore.events, 'warning')
    expect(warning?.message).toContain('did not cancel toy/longer')
  })

  test('a server that forgets blobs is given them again', async () => {
    const proxy = await proxied()
    const { rm } = await import('node:fs/promises')
    proxy.rule = (call) => {
      if (call.method !== 'Execute' || call.nth > 0) call.pass()
      else
        void rm(join(server().folder, 'protocol-dependent/generation-0/compatible-sha256/casf'), {
          recursive: true,
          force: true,
        }).then(() => call.pass())
    }
    const metadata = toyMetadata(TOOLS, toy('lost', 'echo z > "$OUT/x"'))
    const toyStore = await toys()
    const built = await build(toyStore, proxy.port, { metadata, targets: ['toy/lost'] })
    expect(artifactOf(built, 'toy/lost')).toBe(await local(metadata, 'toy/lost'))
  })
})
