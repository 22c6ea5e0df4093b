import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { digestOf, digestOfFile } from '../../../src/base/digest.ts'
import { FixpointError } from '../../../src/base/error.ts'
import { PlaceFailure } from '../../../src/fetch/failure.ts'
import { download } from '../../../src/fetch/download.ts'
import { fillMirror } from '../../../src/fetch/mirror/fill.ts'
import { findInMirror } from '../../../src/fetch/mirror/find.ts'
import { parseSums } from '../../../src/fetch/mirror/list.ts'
import type { FileSource } from '../../../src/metadata/model.ts'
import { useRig } from './rig.ts'

const rig = useRig()

/** Long enough for a body in parts, short enough that most faults are of the head. */
const CONTENT = Buffer.from(Array.from({ length: 60 }, (_, index) => (index * 7) & 0xff))
const DIGEST = digestOf(CONTENT)
const BODY = CONTENT.toString('latin1')

/** Nobody's fetch may take as long, milliseconds. */
const HANG = 10_000

/** Numbers that look random and are the same in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    // Constants of Numerical Recipes.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** The text, a character a byte, with a fault or two. */
function mutate(text: string, tokens: readonly string[], below: (limit: number) => number): string {
  let result = text
  for (let faults = 1 + below(2); faults > 0; faults--) {
    const at = below(result.length + 1)
    const length = 1 + below(20)
    const [before, cut, after] = [
      result.slice(0, at),
      result.slice(at, at + length),
      result.slice(at + length),
    ]
    const token = tokens[below(tokens.length)] ?? ''
    result = [
      () => `${before}${String.fromCharCode(below(256))}${cut.slice(1)}${after}`,
      () => `${before}${after}`,
      () => `${before}${cut}${cut}${after}`,
      () => `${before}${token}${cut}${after}`,
      () => before,
      () => `${before}${token}${after}`,
    ][below(6)]!()
  }
  return result
}

/** What came of it; undefined when it failed as it may. Anything else is a crash. */
async function outcomeOf<T>(work: Promise<T>): Promise<T | undefined> {
  const timer = AbortSignal.timeout(HANG)
  const hang = once(timer, 'abort').then(() => {
    throw new Error('hangs')
  })
  try {
    return await Promise.race([work, hang])
  } catch (error) {
    // One place's failure, or that of them all.
    if (error instanceof FixpointError) expect(['fetch', 'hostUnfit']).toContain(error.kind)
    else expect(error).toBeInstanceOf(PlaceFailure)
    expect((error as Error).message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    return undefined
  }
}

/** Calls `run` with 0, 1, … below `count`, some at a time. */
async function each(count: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

const LIMITS = {
  connectMs: 2000,
  idleMs: 100,
  pace: { bytes: 1, ms: HANG },
  redirects: 3,
  bytes: 1 << 20,
  delays: [0],
}

function source(name: string): FileSource {
  return { kind: 'file', name, sha256: DIGEST, from: [], to: '.' }
}

/** Answers, a character a byte. */
const ANSWERS = [
  `HTTP/1.1 200 OK\r\nContent-Length: 60\r\nETag: "a"\r\nContent-Type: application/gzip\r\n` +
    `\r\n${BODY}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n` +
    `14\r\n${BODY.slice(0, 20)}\r\n28;a=b\r\n${BODY.slice(20)}\r\n0\r\nX-T: 1\r\n\r\n`,
  `HTTP/1.0 200 OK\r\n\r\n${BODY}`,
  `HTTP/1.1 206 Partial\r\nContent-Range: bytes 20-59/60\r\nETag: "a"\r\n` +
    `Content-Length: 40\r\n\r\n${BODY.slice(20)}`,
  'HTTP/1.1 302 Found\r\nLocation: /good?a=b#c\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Length: 5\r\n\r\nsorry',
  `HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 60\r\n` +
    `Content-Encoding: gzip\r\n\r\n${BODY}`,
]
const HTTP_TOKENS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    '\u001b[2J',
    '\u0085',
    '\u00c3\u00a4',
    '-1',
    '0',
  ],
  ...[
    '99999999999999999999',
    '4294967296',
    'ffffffffffffffff',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'a'.repeat(20_000),
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 61\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Connection: close\r\n',
  ],
  ...[
    'Location: /loop\r\n',
    'Content-Range: bytes 20-59/60\r\n',
    'Content-Encoding: br\r\n',
    'ETag: "b"\r\n',
  ],
]

/** Leads off this server. The tests stay on the loopback. */
const LEADS_AWAY = /location\s*:[^\r\n]*(\/[\t\r\n]*\/|\\|:)/i

/**
 * A server that answers `/N…` by the answer N as it is, in two pieces, and all else with the file.
 */
const servers: { end: () => void }[] = []
afterEach(() => {
  for (const { end } of servers.splice(0)) end()
})
async function rawServer(answers: readonly string[]): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (request) => {
      const index = Number(/^GET \/(\d+)/.exec(request.toString('latin1'))?.[1] ?? NaN)
      const answer = Buffer.from(answers[index] ?? ANSWERS[0] ?? '', 'latin1')
      const half = (index * 37) % (answer.length + 1) || 0
      socket.write(answer.subarray(0, half), () => {
        socket.write(answer.subarray(half))
        // Every third connection stays open after that.
        if (index % 3 !== 0) socket.end()
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push({
    end: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

test('400 mutated answers of a server: no crash, no hang, no wrong bytes', async () => {
  const below = numbers(1)
  const answers: string[] = []
  while (answers.length < 400) {
    const answer = mutate(ANSWERS[answers.length % ANSWERS.length] ?? '', HTTP_TOKENS, below)
    if (!LEADS_AWAY.test(answer)) answers.push(answer)
  }
  const address = await rawServer(answers)
  const counts = { right: 0, wrong: 0, failed: 0 }
  await each(answers.length, async (index) => {
    const url = new URL(`${address}/${String(index)}/f.tar`)
    const path = join(rig().folder, 'parts', String(index), DIGEST)
    await mkdir(dirname(path), { recursive: true })
    // Each second one goes on with a part, so that the rest is asked for.
    if (index % 2 === 0) {
      await writeFile(path, CONTENT.subarray(0, 20))
      await writeFile(`${path}.json`, JSON.stringify({ address: url.href, etag: '"a"' }))
    }
    const result = await outcomeOf(
      download({
        url,
        path,
        wanted: DIGEST,
        limits: LIMITS,
        signal: new AbortController().signal,
        sleep: () => Promise.resolve(),
        onRetry: () => undefined,
        onStart: () => undefined,
        onProgress: () => undefined,
      }),
    )
    counts[result === undefined ? 'failed' : result.digest === DIGEST ? 'right' : 'wrong']++
    // What it says of the bytes is what they are: nothing else stands between them and the store.
    if (result !== undefined) expect(digestOf(await readFile(path))).toBe(result.digest)
  })
  expect(await readdir(rig().folder)).toEqual(['parts', 'store'])
  expect((await readdir(join(rig().folder, 'parts'))).length).toBe(answers.length)
  // Neither all harmless nor all fatal.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(20)
})

const LIST = [
  `${DIGEST}  f.tar`,
  `${digestOf('x')} *other.tar`,
  `${DIGEST}  ./renamed.tar`,
  `${digestOf('y')}  sub/e.tar`,
  '# a comment',
  '',
].join('\n')
const LIST_TOKENS = [
  ...[
    '\n',
    '\r\n',
    '\0',
    ' ',
    '  ',
    ' *',
    '../outside',
    '/etc/passwd',
    'sub',
    '..',
    '.',
    './',
    '/',
    '\u001b[2J',
  ],
  ...[
    `${DIGEST}  ../outside\n`,
    `${DIGEST}  SHA256SUMS\n`,
    `${DIGEST}  fifo\n`,
    `${DIGEST}  sub\n`,
    DIGEST,
    '\u00ff',
  ],
  ...[
    `${digestOf('z')}  f.tar\n`,
    `\\${DIGEST}  a\\nb\n`,
    `${DIGEST.toUpperCase()}  f.tar\n`,
    'a'.repeat(5000),
  ],
]

test('200 mutated lists of a mirror folder: read, and filled', async () => {
  const below = numbers(2)
  const lists = Array.from({ length: 200 }, () => mutate(LIST, LIST_TOKENS, below))
  const outside = await rig().write('mirrors/outside', CONTENT)
  let found = 0
  let filled = 0
  await each(lists.length, async (index) => {
    const mirror = join('mirrors', String(index))
    const folder = join(rig().folder, mirror)
    await rig().write(join(mirror, 'SHA256SUMS'), Buffer.from(lists[index] ?? '', 'latin1'))
    await rig().write(join(mirror, 'f.tar'), index % 2 === 0 ? 'wrong' : CONTENT)
    await rig().write(join(mirror, 'sub', 'e.tar'), CONTENT)
    const { names } = await findInMirror(folder, source('f.tar'), false)
    for (const name of names) expect(await readdir(folder)).toContain(name)
    if (names.includes('f.tar')) found += 1
    const sources = [source('f.tar'), source('renamed.tar')]
    const find = (): Promise<string> => Promise.resolve(outside)
    const { signal } = new AbortController()
    const request = { folder, sources, find, before: 'mirror', signal } as const
    if ((await outcomeOf(fillMirror(request))) === undefined) return
    filled += 1
    const sums = parseSums((await readFile(join(folder, 'SHA256SUMS'))).toString())
    const right = [...sums]
      .filter(([, digest]) => digest === DIGEST)
      .map(([name]) => join(folder, name))
    expect(
      (await Promise.all(right.map((path) => digestOfFile(path).catch(() => '')))).includes(DIGEST),
    ).toBe(true)
  })
  expect(await readdir(rig().folder)).toEqual(['mirrors', 'store'])
  expect((await readFile(outside)).equals(CONTENT)).toBe(true)
  expect((await readdir(join(rig().folder, 'mirrors'))).length).toBe(lists.length + 1)
  for (const count of [found, filled]) expect(count).toBeGreaterThan(20)
})
