import { execFile, execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Jobserver, MOST_CORES, type Client } from '../../../src/build/jobserver.ts'
import { freshStore, readArtifact, waitUntil } from '../../support/rig.ts'
import { storedTree } from '../../support/image.ts'
import { makeFifo, temporaryFolder } from '../../support/temporary.ts'
import { toyBuild, toyMetadata, toyRecipe } from '../../support/toy.ts'

/** A client that takes and gives tokens as make does. */
class Taker {
  readonly #fd: number
  held = 0

  constructor(fifo: string) {
    this.#fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    onTestFinished(() => {
      closeSync(this.#fd)
    })
  }

  /** Takes one token if there is one. */
  take(): boolean {
    try {
      this.held += readSync(this.#fd, Buffer.alloc(1), 0, 1, null)
      return true
    } catch {
      return false
    }
  }

  give(): void {
    writeSync(this.#fd, '+')
    this.held -= 1
  }

  /** Puts in tokens that it never took. */
  invent(): void {
    writeSync(this.#fd, '+'.repeat(20))
  }

  /** Puts in as many as fit. */
  flood(): void {
    expect(() => {
      for (;;) writeSync(this.#fd, '+'.repeat(4096))
    }).toThrow('EAGAIN')
  }
}

async function opened(
  cores: number,
  actions: number,
): Promise<{
  jobserver: Jobserver
  clients: Client[]
  takers: Taker[]
  open: (name: string) => [Client, Taker]
}> {
  const folder = await temporaryFolder()
  const jobserver = new Jobserver(cores)
  const open = (name: string): [Client, Taker] => {
    const fifo = makeFifo(join(folder, name))
    return [jobserver.open(fifo), new Taker(fifo)]
  }
  const pairs = Array.from({ length: actions }, (_, at) => open(String(at)))
  return {
    jobserver,
    clients: pairs.map(([client]) => client),
    takers: pairs.map(([, taker]) => taker),
    open,
  }
}

/** Takes all that can be had, until the sum stays at `wanted`; more would fail the test. */
async function takeAll(takers: readonly Taker[], wanted: number): Promise<void> {
  const held = (): number => takers.reduce((sum, taker) => sum + taker.held, 0)
  await waitUntil(() => {
    for (const taker of takers) taker.take()
    return held() >= wanted
  })
  expect(held()).toBe(wanted)
}

describe('the jobserver', () => {
  it.each([
    [1, 1, 0],
    [4, 1, 3],
    [4, 2, 2],
    [4, 4, 0],
    [2, 3, 0],
  ])(
    'with %i cores gives %i actions %i tokens beside their own',
    async (cores, actions, tokens) => {
      const { clients, takers } = await opened(cores, actions)
      await takeAll(takers, tokens)
      for (const client of clients) client.close()
    },
  )

  it('one action gets what the others leave, and gives it back', async () => {
    const { clients, takers } = await opened(4, 2)
    const [first, second] = takers as [Taker, Taker]
    await takeAll([second], 2)
    expect(first.take()).toBe(false)
    second.give()
    await takeAll([first], 1)
    for (const client of clients) client.close()
  })

  it('an action that dies with tokens loses none', async () => {
    const { clients, takers } = await opened(4, 2)
    const [killed, other] = clients as [Client, Client]
    await takeAll([takers[0]!], 2)
    killed.close()
    await takeAll([takers[1]!], 3)
    other.close()
  })

  it('an action that joins gets along with what is left, and no more is given than the budget', async () => {
    const { clients, takers, open } = await opened(4, 1)
    const old = takers[0]!
    await takeAll([old], 3)
    const [client, young] = open('young')
    expect(young.take()).toBe(false)
    // The first token that comes back is the newcomer's own.
    old.give()
    await waitUntil(() => !old.take() || (old.give(), false))
    expect(young.take()).toBe(false)
    old.give()
    await takeAll([young], 1)
    for (const each of [...clients, client]) each.close()
  })

  it('a step that fills its fifo with tokens ends nothing, and gains nothing for the others', async () => {
    const { jobserver, clients, takers } = await opened(4, 2)
    const [flooded, other] = takers as [Taker, Taker]
    await takeAll([other], 2)
    for (let round = 0; round < 3; round++) {
      flooded.flood()
      jobserver.balance()
      flooded.flood()
      // Full, which a newcomer must not suffer from either.
      expect(other.take()).toBe(false)
    }
    clients[0]!.close()
    await takeAll([other], 3)
    clients[1]!.close()
  })

  it('what a step has put into an only fifo is taken out', async () => {
    const { jobserver, clients, takers } = await opened(3, 1)
    takers[0]!.flood()
    jobserver.balance()
    await takeAll(takers, 2)
    clients[0]!.close()
  })

  it('keeps to the largest budget', async () => {
    const { clients, takers } = await opened(MOST_CORES, 2)
    for (const taker of takers) while (taker.take());
    expect(takers.map(({ held }) => held)).toEqual([MOST_CORES / 2 - 1, MOST_CORES / 2 - 1])
    for (const client of clients) client.close()
  })

  it('whatever steps take, give, keep and invent, what honest ones hold is within the budget', async () => {
    const cores = 5
    const act = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom(
        'take' as const,
        'give' as const,
        'invent' as const,
        'balance' as const,
        'close' as const,
      ),
      count: fc.integer({ min: 1, max: 6 }),
    })
    const folder = await temporaryFolder()
    let serial = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), (acts) => {
        const jobserver = new Jobserver(cores)
        const steps = [0, 1, 2].map(() => {
          const fifo = makeFifo(join(folder, String(serial++)))
          return {
            client: jobserver.open(fifo),
            taker: new Taker(fifo),
            honest: true,
            ended: false,
          }
        })
        const held = (): number =>
          steps
            .filter(({ ended }) => !ended)
            .reduce((sum, { honest, taker }) => sum + 1 + (honest ? taker.held : 0), 0)
        for (const { who, what, count } of acts) {
          const step = steps[who]!
          if (step.ended) continue
          if (what === 'balance') jobserver.balance()
          else if (what === 'close') {
            step.client.close()
            step.ended = true
          } else
            for (let at = 0; at < count; at++) {
              if (what === 'take') step.taker.take()
              else if (what === 'give' && step.taker.held > 0) step.taker.give()
              else if (what === 'invent') {
                step.honest = false
                step.taker.invent()
              }
            }
          expect(held()).toBeLessThanOrEqual(cores)
        }
        // Whoever is left gets all that there is, also what those that have ended had kept or
        // invented.
        const last = steps.find(({ ended }) => !ended)
        for (const step of steps.filter((each) => each !== last && !each.ended)) step.client.close()
        if (last === undefined) return Promise.resolve()
        if (last.honest) {
          while (last.taker.take());
          expect(last.taker.held).toBe(cores - 1)
        }
        last.client.close()
        return Promise.resolve()
      }),
      { numRuns: 40 },
    )
  })

  it('jobs of all actions together never exceed the budget', async () => {
    const cores = 3
    // Jobs as make runs them: each takes a token, says when it begins and ends, and gives the token
    // back.
    const jobs = `job() {
        token=$(dd if=/run/jobserver bs=1 count=1 2> /dev/null)
        echo "$(date +%s%N) begin" >> $OUT/jobs
        for i in 1 2 3 4 5; do ls -R /usr/lib/gcc > /dev/null; done
        echo "$(date +%s%N) end" >> $OUT/jobs
        printf %s "$token" > /run/jobserver
      }
      for i in 1 2 3 4; do job & done; wait`
    const toy = await freshStore()
    const names = ['host/a', 'host/b']
    const result = await toyBuild(
      toy,
      toyMetadata(...names.map((name) => toyRecipe(name, `: ${name}\n${jobs}`))),
      names,
      { cores },
    )
    const lines = (await Promise.all(names.map((name) => readArtifact(toy, result, name, 'jobs'))))
      .join('')
      .trim()
      .split('\n')
    expect(lines).toHaveLength(16)
    let [running, most] = [0, 0]
    for (const line of lines.sort()) {
      running += line.endsWith('begin') ? 1 : -1
      most = Math.max(most, running)
    }
    // While both run each has one of the three cores for itself, though it only waits here; when
    // one has ended, two are left for the other's jobs.
    expect(most).toBeLessThanOrEqual(cores - 1)
  })
})

const make = await newMake()
describe.skipIf(make === undefined)('GNU make 4.4', () => {
  /** Lets make run jobs a, b and c of one script in a folder of their own. */
  async function run(cores: number, script: string): Promise<void> {
    const folder = await temporaryFolder()
    const jobserver = new Jobserver(cores)
    const fifo = makeFifo(join(folder, 'tokens'))
    const client = jobserver.open(fifo)
    onTestFinished(() => {
      client.close()
    })
    await writeFile(join(folder, 'Makefile'), `all: a b c\na b c:\n\t@touch began-$@; ${script}\n`)
    const env = { ...process.env, MAKEFLAGS: ` -j2 --jobserver-auth=fifo:${fifo}` }
    await promisify(execFile)(make!, { cwd: folder, env, timeout: 20_000 })
  }

  // Each waits for the others.
  it('runs as many jobs as there are cores', () =>
    run(3, 'until [ -e began-a ] && [ -e began-b ] && [ -e began-c ]; do :; done'))

  it('runs no more jobs than that', () =>
    run(
      2,
      'i=0; while [ $$i -lt 5000 ]; do i=$$((i + 1)); set -- began-*; [ $$# -le 2 ] || exit ' +
        '1; done; rm began-$@',
    ))
})

/**
 * Path of a make that knows a fifo as jobserver: the host's, else that of layer bootstrap where the
 * store holds it.
 */
async function newMake(): Promise<string | undefined> {
  const stored = await storedTree('bootstrap/make')
  const candidates = ['make', ...(stored === undefined ? [] : [join(stored, 'bootstrap/bin/make')])]
  return candidates.find((candidate) => {
    const version = /^GNU Make (\d+)\.(\d+)/.exec(
      execFileSync(candidate, ['--version'], { encoding: 'utf8' }),
    )
    return Number(version?.[1]) * 100 + Number(version?.[2]) >= 404
  })
}
