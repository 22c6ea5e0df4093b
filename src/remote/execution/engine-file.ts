import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The compiled module that a worker runs, below the folder that holds `dist`. */
const ENTRY = 'dist/src/remote/execution/worker/main.js'

/** Statements that name a module, as the compiler writes them. */
const IMPORTS = [
  /^(?:import|export)\b[^'"]*?\bfrom\s*['"]([^'"\n]+)['"]/gm,
  /^import\s*['"]([^'"\n]+)['"]/gm,
  /\bimport\(['"]([^'"\n]+)['"]\)/g,
]

/**
 * What a worker needs of this engine as one program: all modules that running an action loads, as
 * they are here, and lines that write them into the folder `engine` and start them.
 */
export function engineFile(): Uint8Array {
  const root = rootFolder()
  const files = new Map<string, string>()
  const open = [join(root, ENTRY)]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const name = relative(root, path)
    if (files.has(name)) continue
    const text = readFileSync(path, 'utf8')
    files.set(name, text)
    for (const word of importsOf(text)) open.push(...modulePaths(word, path))
  }
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.from(programOf(Object.fromEntries(sorted)))
}

function programOf(files: Readonly<Record<string, string>>): string {
  return `import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
const files = ${JSON.stringify(files)}
for (const [name, text] of Object.entries(files)) {
  const path = resolve('engine', name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
await import(pathToFileURL(resolve('engine', ${JSON.stringify(ENTRY)})))
`
}

/** The folder that holds `dist`, `node_modules` and `package.json` of this engine. */
function rootFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

function importsOf(text: string): string[] {
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].flatMap(([, word]) => word ?? []))
}

/** The file that an import leads to, with the package.json that says how it is read. */
function modulePaths(word: string, from: string): string[] {
  if (word.startsWith('node:') || builtinModules.includes(word)) return []
  if (word.startsWith('.')) return [resolve(dirname(from), word), ...manifestOf(from)]
  const [scope = '', name = '', ...rest] = word.split('/')
  const isScoped = scope.startsWith('@')
  const packageName = isScoped ? `${scope}/${name}` : scope
  const inner = (isScoped ? rest : [name, ...rest]).filter((part) => part !== '').join('/')
  const folder = packageFolder(packageName, from)
  const manifest = join(folder, 'package.json')
  const { exports, main } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest
  const exported =
    exports === undefined ? main : exportOf(exports, inner === '' ? '.' : `./${inner}`)
  if (exported === undefined) throw new TypeError(`"${word}" of "${from}" is not exported`)
  return [join(folder, exported), manifest]
}

/** What of a package.json says where a module is. */
interface Manifest {
  readonly main?: string
  readonly exports?: Exports
}

type Exports = string | { readonly [condition: string]: Exports }

function exportOf(exports: Exports, name: string): string | undefined {
  if (typeof exports === 'string') return exports
  const found =
    exports[name] ??
    ['import', 'default'].map((key) => exports[key]).find((one) => one !== undefined)
  return found === undefined ? undefined : exportOf(found, name)
}

/** The nearest package.json. */
function manifestOf(path: string): string[] {
  let folder = dirname(path)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return [join(folder, 'package.json')]
}

function packageFolder(name: string, from: string): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return found
    if (folder === dirname(folder)) throw new TypeError(`package "${name}" is not installed`)
  }
}
