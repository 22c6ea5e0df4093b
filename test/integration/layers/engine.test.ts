import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { loadMetadata } from '../../../src/metadata/load.ts'
import { id } from '../../support/rig.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

interface Locked {
  readonly version: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly devOptional?: boolean
}

/** Packages that the engine uses when it runs, and the compiler: folder below the checkout -> entry of the lock file. */
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
  const sources = recipes.get(id('runtime/fixpoint'))?.sources.filter((source) => source.kind === 'file') ?? []
  const wanted = (await closure()).map(([path, { version }]) => {
    const name = path.replace(/^.*node_modules\//, '')
    return { from: [`npm:${name}@${version}`], to: name === 'typescript' ? name : path }
  })
  expect(sources.map(({ from, to }) => ({ from, to }))).toEqual(wanted)
})

/** Machine code and WebAssembly, by their first bytes, and WebAssembly as text: in base64, in hexadecimal, in escapes. */
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
  expect(codeIn(Buffer.from(`x = "${wasm.toString('hex')}"`))).toEqual(['WebAssembly in hexadecimal'])
  expect(codeIn(Buffer.from('x = "\\x00asm\\x01"'))).toEqual(['WebAssembly in escapes'])
  expect(codeIn(Buffer.from('7f454c46', 'hex'))).toEqual(['ELF'])
  expect(codeIn(Buffer.from('const asm = 0'))).toEqual([])
})

it('no package that the engine runs holds any', async () => {
  const found: string[] = []
  for (const [folder] of await closure()) {
    const visit = async (path: string): Promise<void> => {
      for (const entry of await readdir(join(ROOT, path), { withFileTypes: true })) {
        const inner = `${path}/${entry.name}`
        // Packages in packages have their own turn.
        if (entry.name === 'node_modules') continue
        if (entry.isDirectory()) await visit(inner)
        else if (entry.name.endsWith('.node')) found.push(`${inner}: a native module`)
        else found.push(...codeIn(await readFile(join(ROOT, inner))).map((what) => `${inner}: ${what}`))
      }
    }
    await visit(folder)
  }
  expect(found).toEqual([])
})
