import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Parser } from 'tar/parse'
import type { ReadEntry } from 'tar/read-entry'
import { expect, it } from 'vitest'
import { readConfig } from '../../../src/cli/config.ts'
import { createFetcher } from '../../../src/fetch/fetcher.ts'
import { loadMetadata } from '../../../src/metadata/load.ts'
import { blobPath } from '../../../src/store/local/layout.ts'
import { Store } from '../../../src/store/store.ts'
import { id } from '../../support/rig.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

interface Locked {
  readonly version: string
  readonly integrity: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly devOptional?: boolean
}

/**
 * Packages that the engine uses when it runs, and the compiler: folder below the checkout -> entry
 * of the lock file.
 */
async function closure(): Promise<[path: string, locked: Locked][]> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>
  }
  return Object.entries(lock.packages).filter(
    ([path, { dev, optional, devOptional }]) =>
      path !== '' && (path === 'node_modules/typescript' || !(dev ?? optional ?? devOptional)),
  )
}

it("the engine's recipe has the packages of package-lock.json, as `.ci/npm-sources` prints them", async () => {
  const { recipes } = await loadMetadata(join(ROOT, 'layers/layers.yaml'))
  const sources =
    recipes.get(id('runtime/fixpoint'))?.sources.filter((source) => source.kind === 'file') ?? []
  const wanted = (await closure()).map(([path, { version }]) => {
    const name = path.replace(/^.*node_modules\//, '')
    return { from: [`npm:${name}@${version}`], to: name === 'typescript' ? name : path }
  })
  expect(sources.map(({ from, to }) => ({ from, to }))).toEqual(wanted)
})

/**
 * Machine code and WebAssembly, by their first bytes, and WebAssembly as text: in base64, in
 * hexadecimal, in escapes.
 */
const CODE: readonly [what: string, pattern: RegExp][] = [
  ['ELF', /^\x7fELF/],
  ['Mach-O', /^(\xcf\xfa\xed\xfe|\xce\xfa\xed\xfe|\xca\xfe\xba\xbe)/],
  ['Windows', /^MZ[\s\S]{58}[\s\S]{2}\0\0[\s\S]*PE\0\0/],
  ['WebAssembly', /\0asm\x01\0\0\0/],
  ['WebAssembly in base64', /AGFzbQEAAAA|AAYXNtAQAAA|AAGFzbQEAAAA/],
  ['WebAssembly in hexadecimal', /0061736d01000000/i],
  ['WebAssembly in escapes', /\\(0|x00|u0000)asm/],
]

function codeIn(data: Buffer): string[] {
  const text = data.toString('latin1')
  return CODE.filter(([, pattern]) => pattern.test(text)).map(([what]) => what)
}

it('knows machine code and WebAssembly when it sees them', () => {
  const wasm = Buffer.from('0061736d01000000', 'hex')
  expect(codeIn(wasm)).toEqual(['WebAssembly'])
  expect(codeIn(Buffer.from(`x = "${wasm.toString('base64')}"`))).toEqual(['WebAssembly in base64'])
  expect(codeIn(Buffer.from(`x = "${wasm.toString('hex')}"`))).toEqual([
    'WebAssembly in hexadecimal',
  ])
  expect(codeIn(Buffer.from('x = "\\x00asm\\x01"'))).toEqual(['WebAssembly in escapes'])
  expect(codeIn(Buffer.from('7f454c46', 'hex'))).toEqual(['ELF'])
  expect(codeIn(Buffer.from('const asm = 0'))).toEqual([])
})

/** Files that machine code is kept in, or made by. */
const NAMES = /\.(node|wasm|so|dll|dylib|gypi?)$/

/** JavaScript that would run WebAssembly, wherever it came from. */
const RUNS = /\bWebAssembly\.(compile|instantiate|Module)/

/** What of that is in an npm tarball, a line each: its name, the file in it, and what was found. */
async function codeInTarball(name: string, tarball: Buffer): Promise<string[]> {
  const found: string[] = []
  const parser = new Parser({ strict: true })
  const read = new Promise((resolve, reject) => parser.on('end', resolve).on('error', reject))
  parser.on('entry', (entry: ReadEntry) => {
    const chunks: Buffer[] = []
    entry.on('data', (chunk: Buffer) => chunks.push(chunk))
    entry.on('end', () => {
      const data = Buffer.concat(chunks)
      const what = codeIn(data)
      if (NAMES.test(entry.path)) what.push('by its name')
      if (/\.[cm]?js$/.test(entry.path) && RUNS.test(data.toString('latin1')))
        what.push('runs WebAssembly')
      found.push(...what.map((kind) => `${name}: ${entry.path}: ${kind}`))
    })
  })
  parser.end(gunzipSync(tarball))
  await read
  return found
}

/**
 * The npm tarballs among a recipe's sources, from the store of whoever runs this, or fetched into
 * it; with the name and version of each.
 */
async function tarballs(recipe: string): Promise<[name: string, data: Buffer][]> {
  const { recipes } = await loadMetadata(join(ROOT, 'layers/layers.yaml'))
  const config = await readConfig()
  const store = await Store.open(config.store, { emit: () => undefined, now: () => 0 })
  try {
    const fetcher = createFetcher({
      ...config,
      store,
      emit: () => undefined,
      now: () => performance.now(),
    })
    const sources = recipes.get(id(recipe))!.sources.filter((source) => source.kind === 'file')
    return await Promise.all(
      sources.flatMap((source) =>
        source.from.flatMap((place) => {
          const [, name] = /^npm:(.+)$/.exec(place) ?? []
          if (name === undefined) return []
          return fetcher
            .fetch(source, new AbortController().signal)
            .then(
              async () =>
                [name, await readFile(blobPath(store.root, source.sha256))] as [string, Buffer],
            )
        }),
      ),
    )
  } finally {
    await store.session.close()
  }
}

it('no tarball that the engine is made of holds any, and each is the one that package-lock.json names', async () => {
  const locked = new Map(
    (await closure()).map(([path, { version, integrity }]) => [
      `${path.replace(/^.*node_modules\//, '')}@${version}`,
      integrity,
    ]),
  )
  const all = await tarballs('runtime/fixpoint')
  const integrity = (data: Buffer): string =>
    `sha512-${createHash('sha512').update(data).digest('base64')}`
  expect(new Map(all.map(([name, data]) => [name, integrity(data)]))).toEqual(locked)
  expect((await Promise.all(all.map(([name, data]) => codeInTarball(name, data)))).flat()).toEqual(
    [],
  )
}, 120_000)

it('of the tarballs that Node is made of, one holds some, which its recipe removes', async () => {
  const all = await tarballs('runtime/node')
  const found = (await Promise.all(all.map(([name, data]) => codeInTarball(name, data)))).flat()
  // Files of the tool that Node is configured with.
  const rest = found.filter((line) => !/^node-gyp@.*\.gypi?: by its name$/.test(line))
  expect(rest).toContainEqual(expect.stringMatching(/^cjs-module-lexer@.*: WebAssembly in base64$/))
  expect(rest.filter((line) => !/^cjs-module-lexer@[^:]*: package\/dist\//.test(line))).toEqual([])
}, 120_000)
