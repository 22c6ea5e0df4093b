import { lstatSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { MetadataCode } from '../../base/codes.ts'
import { check } from '../format/check.ts'
import { layersSchema, machineSchema, type LayersText } from '../format/layers-schema.ts'
import { Faults } from '../yaml/faults.ts'
import { readYaml } from '../yaml/parse.ts'
import { addSpecial, addSymlink, linkHint } from '../yaml/read-file.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { YamlFile } from '../yaml/yaml-file.ts'
import { circle } from './circle.ts'
import { isWanted, list } from './entries.ts'

/** One folder with a layers.yaml. */
export interface LayerTree {
  readonly yaml: YamlFile
  /** Folder of layers.yaml. */
  readonly folder: string
  /** The folder that holds `folder`. Sources made of files of the checkout are relative to it. */
  readonly checkout: string
}

/** A folder of recipes. */
export interface Layer {
  readonly name: string
  readonly folder: string
  readonly tree: LayerTree
  /** Rank in the order of layers, from 0. */
  readonly rank: number
  /** Whether its sandboxes see the host's /usr. */
  readonly host: boolean
}

/** All layers in order, and the machine's values. */
export interface Layout {
  readonly trees: readonly LayerTree[]
  readonly layers: readonly Layer[]
  /** All machines' files, for the linter. */
  readonly machineFiles: readonly YamlFile[]
  /** The machine's values by name; undefined when the machine has a fault. */
  readonly machine: Readonly<Record<string, string>> | undefined
}

/** What was read so far, of the file and all that it includes. */
interface Collected {
  readonly trees: LayerTree[]
  readonly layers: Layer[]
  machine: string | undefined
  readonly faults: Faults
}

/**
 * Reads layers.yaml, those it includes, and the machine. Undefined when no file could be read.
 * Faults, beside those of reading: `include-cycle`, `duplicate-layer`, `unknown-layer`,
 * `missing-layer`, `host-layer`, `unknown-machine`, `duplicate-machine`.
 */
export function readLayout(layersFile: string, faults: Faults): Layout | undefined {
  const collected: Collected = { trees: [], layers: [], machine: undefined, faults }
  collect(located(layersFile), [], collected)
  const { trees, layers, machine } = collected
  const tree = trees.at(-1)
  if (tree === undefined) return undefined
  if (machine === undefined) {
    const message = 'Cannot read the layers: field "machine" is missing'
    faults.add('missing-field', message, tree.yaml.position([]))
  }
  const machines = readMachines(trees, faults)
  if (machine !== undefined && !machines.has(machine))
    addUnknownMachine(machine, trees, machines.keys(), faults)
  return {
    trees,
    layers,
    machineFiles: [...machines.values()].flatMap(({ yaml }) => yaml ?? []),
    machine: machine === undefined ? undefined : machines.get(machine)?.values,
  }
}

/** Reads a layers.yaml after the one that it includes; `includedBy` are the files before it. */
function collect(file: string, includedBy: readonly string[], collected: Collected): void {
  const { faults } = collected
  const yaml = readYaml(realPath(file), faults, { file })
  if (yaml === undefined) return
  const text = check(yaml, layersSchema, 'the layers', faults)
  if (text === undefined) return
  if (text.include !== undefined) {
    const included = located(resolve(dirname(file), text.include))
    const chain = [...includedBy, file]
    if (chain.includes(included)) {
      const edges = circle(chain, included).join('\n  ')
      const message = `Cannot read the layers: files include each other in a circle\n  ${edges}`
      faults.add('include-cycle', message, yaml.position(['include']))
      return
    }
    if (!mayBeThere(included)) {
      const message = `Cannot read the layers: there is no file "${included}"`
      faults.add('missing-file', message, yaml.position(['include']))
      return
    }
    const before = collected.trees.length
    collect(included, chain, collected)
    // Without what it includes, nothing true can be said of a file.
    if (collected.trees.length === before) return
    if (text['host-layers'] !== undefined) addHostLayer(yaml, faults)
  }
  const tree = { yaml, folder: dirname(file), checkout: dirname(dirname(file)) }
  collected.trees.push(tree)
  collected.machine = text.machine ?? collected.machine
  addLayers(tree, text, collected)
}

/** False where there is nothing of that name. Reading tells what else may be wrong. */
function mayBeThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

function addHostLayer(yaml: YamlFile, faults: Faults): void {
  faults.add(
    'host-layer',
    'Cannot read the layers: a file that includes another has no layers that see the host',
    yaml.positionOfKey(['host-layers']),
    'What a product builds may not depend on the host; use the tools of an earlier layer',
  )
}

/** A user may name layers.yaml by a link; one that leads nowhere is found when it is read. */
export function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}

/**
 * Path of a file whose folder is reached through no link. What a layers.yaml names is relative to
 * its folder, so `..` must not lead to where a link is.
 */
export function located(file: string): string {
  const path = resolve(file)
  return join(realPath(dirname(path)), basename(path))
}

/** Names of folders beside layers.yaml that are no layers. */
export const RESERVED: readonly string[] = ['machines', 'styles']

function addLayers(tree: LayerTree, text: LayersText, { layers, faults }: Collected): void {
  const hosts = text['host-layers'] ?? []
  const names = text.layers.map((path) => basename(path))
  for (const [index, name] of hosts.entries()) {
    if (names.includes(name)) continue
    const message = `Cannot read the layers: "${name}" is none of them`
    const position = tree.yaml.position(['host-layers', index])
    faults.add('unknown-layer', message, position, suggestion(name, names))
  }
  for (const [index, path] of text.layers.entries()) {
    const name = basename(path)
    const fault = faultOf(path, tree, layers)
    const folder = join(tree.folder, path)
    if (fault === undefined)
      layers.push({ name, folder, tree, rank: layers.length, host: hosts.includes(name) })
    else faults.add(fault.code, fault.message, tree.yaml.position(['layers', index]), fault.hint)
  }
}

interface LayerFault {
  readonly code: MetadataCode
  readonly message: string
  readonly hint?: string | undefined
}

/** Why no layer can be in folder `path`, relative to that of layers.yaml; or undefined. */
function faultOf(path: string, tree: LayerTree, layers: readonly Layer[]): LayerFault | undefined {
  const name = basename(path)
  if (RESERVED.includes(name)) {
    const message = `Cannot read the layers: "${name}" cannot be the name of a layer`
    return { code: 'bad-value', message, hint: `The folder of that name holds ${name}` }
  }
  if (layers.some((other) => other.name === name)) {
    const message = `Cannot read the layers: there is another layer "${name}"`
    const hint = 'Layers of all included files have different names'
    return { code: 'duplicate-layer', message, hint }
  }
  const folder = join(tree.folder, path)
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true) return undefined
  if (stat?.isSymbolicLink() === true) {
    const message = `Cannot read layer "${name}": "${folder}" is a symbolic link`
    return { code: 'symlink', message, hint: linkHint(name) }
  }
  const message = `Cannot read layer "${name}": there is no folder "${folder}"`
  return { code: 'missing-layer', message, hint: suggestion(path, foldersLike(path, tree)) }
}

/**
 * Folders that a layer's path could mean. Names that no one may use are no fault outside layers.
 */
function foldersLike(path: string, tree: LayerTree): string[] {
  const parent = dirname(path)
  return list(join(tree.folder, parent), new Faults())
    .filter(({ kind }) => kind === 'folder')
    .map(({ name }) => join(parent, name))
}

/** A machine's file and values; undefined where they have a fault. */
interface Machine {
  readonly yaml: YamlFile | undefined
  readonly values: Readonly<Record<string, string>> | undefined
}

/** All machines, by name: reading them all also finds the faults of those that are not used. */
function readMachines(trees: readonly LayerTree[], faults: Faults): Map<string, Machine> {
  const machines = new Map<string, Machine>()
  const files = trees.flatMap((tree) => yamlFiles(join(tree.folder, 'machines'), faults))
  for (const { name, path, usable } of files) {
    if (machines.has(name)) {
      const message = `Cannot read "${path}": there is another machine "${name}"`
      faults.add('duplicate-machine', message, { file: path })
    }
    machines.set(name, usable ? readMachine(path, faults) : { yaml: undefined, values: undefined })
  }
  return machines
}

function readMachine(path: string, faults: Faults): Machine {
  const yaml = readYaml(path, faults)
  if (yaml === undefined) return { yaml, values: undefined }
  const values = check(yaml, machineSchema, 'a machine', faults)
  if (values !== undefined && values['arch'] === undefined) {
    const message = 'Cannot read a machine: value "arch" is missing'
    faults.add('missing-field', message, yaml.position([]))
  }
  return { yaml, values }
}

function addUnknownMachine(
  machine: string,
  trees: readonly LayerTree[],
  machines: Iterable<string>,
  faults: Faults,
): void {
  const stating = trees.findLast(
    ({ yaml }) => (yaml.value as { machine?: string }).machine === machine,
  )
  faults.add(
    'unknown-machine',
    `Cannot read machine "${machine}": there is no file machines/${machine}.yaml`,
    stating?.yaml.position(['machine']) ?? { file: '' },
    suggestion(machine, machines),
  )
}

/** A .yaml file of a folder of styles or machines. */
export interface YamlEntry {
  readonly name: string
  readonly path: string
  /** False after noting why it cannot be used: texts that name it are then right. */
  readonly usable: boolean
}

/**
 * The .yaml files of a folder that may be missing. Faults: `unknown-file`, `symlink`,
 * `special-file`.
 */
export function yamlFiles(folder: string, faults: Faults): YamlEntry[] {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (!stat.isDirectory()) {
    if (stat.isSymbolicLink()) addSymlink(folder, faults)
    else addSpecial(folder, 'a folder', faults)
    return []
  }
  const rule = `the folder "${basename(folder)}" holds .yaml files only`
  return list(folder, faults).flatMap((entry) => {
    const { name, path } = entry
    const isYaml = name.endsWith('.yaml')
    const usable = isWanted(entry, isYaml ? 'file' : undefined, rule, faults)
    return isYaml ? [{ name: name.slice(0, -'.yaml'.length), path, usable }] : []
  })
}
