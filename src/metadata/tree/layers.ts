import { lstatSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { readDocument, type SourceDocument } from '../yaml/yaml-file.ts'
import { list } from './entries.ts'
import { Faults } from '../yaml/faults.ts'
import { addSpecial, addSymlink } from '../yaml/read-file.ts'
import { layersSchema, machineSchema } from '../format/schema.ts'
import { suggestion } from '../yaml/suggest.ts'
import { validate } from '../yaml/validate.ts'

/** One folder with a layers.yaml. */
export interface Tree {
  readonly document: SourceDocument
  /** Folder of layers.yaml. */
  readonly folder: string
  /**
   * The checkout: the folder that holds `folder`. Sources made of files of the checkout are
   * relative to it.
   */
  readonly root: string
}

/** A folder of recipes. */
export interface Layer {
  readonly name: string
  readonly folder: string
  readonly tree: Tree
  /** Place in the order of layers, from 0. */
  readonly rank: number
  /** Whether its sandboxes see the host's /usr. */
  readonly host: boolean
}

/** All layers in order, and the machine's values. */
export interface Layout {
  readonly trees: readonly Tree[]
  readonly layers: readonly Layer[]
  /** All machines' files, for the linter. */
  readonly machineFiles: readonly SourceDocument[]
  /** Undefined when the machine has a fault: then nothing is known about which values there are. */
  readonly machine: Readonly<Record<string, string>> | undefined
}

interface Collected {
  readonly trees: Tree[]
  readonly layers: Layer[]
  machine: string | undefined
}

/**
 * Reads layers.yaml, those it includes, and the machine. Undefined when there is nothing to go on
 * with. Faults, beside those of reading: `include-cycle`, `duplicate-layer`, `unknown-layer`,
 * `missing-layer`, `host-layer`, `unknown-machine`, `duplicate-machine`.
 */
export function readLayout(layersFile: string, faults: Faults): Layout | undefined {
  const collected: Collected = { trees: [], layers: [], machine: undefined }
  collect(resolve(layersFile), [], collected, faults)
  const { trees, layers } = collected
  const tree = trees.at(-1)
  if (tree === undefined) return undefined
  if (collected.machine === undefined) {
    faults.add(
      'missing-field',
      'Cannot read the layers: field "machine" is missing',
      tree.document.place([]),
    )
  }
  const machineFiles: SourceDocument[] = []
  return {
    trees,
    layers,
    machineFiles,
    machine: readMachine(trees, collected.machine, machineFiles, faults),
  }
}

function collect(
  file: string,
  includedBy: readonly string[],
  collected: Collected,
  faults: Faults,
): void {
  const document = readDocument(realPath(file), faults, file)
  if (document === undefined) return
  const text = validate(document, layersSchema, 'the layers', faults, {})
  if (text === undefined) return
  if (text.include !== undefined) {
    const included = resolve(dirname(file), text.include)
    const chain = [...includedBy, file]
    if (chain.includes(included)) {
      const edges = chain
        .slice(chain.indexOf(included))
        .map((from, at, all) => `${from} -> ${all[at + 1] ?? included}`)
      faults.add(
        'include-cycle',
        `Cannot read the layers: files include each other in a circle\n  ${edges.join('\n  ')}`,
        document.place(['include']),
      )
      return
    }
    collect(included, chain, collected, faults)
    if (text['host-layers'] !== undefined) {
      const hint =
        'What a product builds may not depend on the host; use the tools of an earlier layer'
      faults.add(
        'host-layer',
        'Cannot read the layers: a file that includes another has no layers that see the host',
        document.placeOfKey(['host-layers']),
        hint,
      )
    }
  }
  const tree = { document, folder: dirname(file), root: dirname(dirname(file)) }
  collected.trees.push(tree)
  collected.machine = text.machine ?? collected.machine
  const hosts = text['host-layers'] ?? []
  const names = text.layers.map((path) => basename(path))
  for (const [index, name] of hosts.entries()) {
    if (!names.includes(name)) {
      faults.add(
        'unknown-layer',
        `Cannot read the layers: "${name}" is none of them`,
        document.place(['host-layers', index]),
        suggestion(name, names),
      )
    }
  }
  for (const [index, path] of text.layers.entries())
    addLayer(path, tree, hosts.includes(basename(path)), index, collected.layers, faults)
}

/** A user may name layers.yaml by a link; one that leads nowhere is found when it is read. */
function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}

/** Adds the layer in folder `path`, relative to that of layers.yaml; its name is the folder's. */
function addLayer(
  path: string,
  tree: Tree,
  host: boolean,
  index: number,
  layers: Layer[],
  faults: Faults,
): void {
  const name = basename(path)
  const folder = join(tree.folder, path)
  const place = () => tree.document.place(['layers', index])
  if (name === 'machines' || name === 'styles') {
    faults.add(
      'bad-value',
      `Cannot read the layers: "${name}" cannot be the name of a layer`,
      place(),
    )
  } else if (layers.some((other) => other.name === name)) {
    faults.add(
      'duplicate-layer',
      `Cannot read the layers: there is another layer "${name}"`,
      place(),
      'Layers of all included files have different names',
    )
  } else if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    faults.add(
      'missing-layer',
      `Cannot read layer "${name}": there is no folder "${folder}"`,
      place(),
      suggestion(path, foldersLike(path, tree)),
    )
  } else layers.push({ name, folder, tree, rank: layers.length, host })
}

/** Folders that a layer's path could mean. Names that no one may use are no fault outside layers. */
function foldersLike(path: string, tree: Tree): string[] {
  const parent = dirname(path)
  return list(join(tree.folder, parent), new Faults())
    .filter(({ kind }) => kind === 'folder')
    .map(({ name }) => join(parent, name))
}

/**
 * Values of the machine. All machine files are read, so that faults in the others are seen as well.
 */
function readMachine(
  trees: readonly Tree[],
  machine: string | undefined,
  files: SourceDocument[],
  faults: Faults,
): Readonly<Record<string, string>> | undefined {
  const machines = new Map<string, Readonly<Record<string, string>> | undefined>()
  for (const { name, path, usable } of trees.flatMap((tree) =>
    yamlFiles(join(tree.folder, 'machines'), faults),
  )) {
    if (machines.has(name))
      faults.add('duplicate-machine', `Cannot read "${path}": there is another machine "${name}"`, {
        file: path,
      })
    const document = usable ? readDocument(path, faults) : undefined
    const values =
      document === undefined
        ? undefined
        : validate(document, machineSchema, 'a machine', faults, {})
    if (document !== undefined) files.push(document)
    if (document !== undefined && values !== undefined && values['arch'] === undefined) {
      faults.add(
        'missing-field',
        'Cannot read a machine: value "arch" is missing',
        document.place([]),
      )
    }
    machines.set(name, values)
  }
  if (machine !== undefined && !machines.has(machine)) {
    const stating = trees.findLast(
      ({ document }) => (document.value as { machine?: string }).machine === machine,
    )
    const place = stating?.document.place(['machine']) ?? { file: '' }
    faults.add(
      'unknown-machine',
      `Cannot read machine "${machine}": there is no file machines/${machine}.yaml`,
      place,
      suggestion(machine, machines.keys()),
    )
  }
  return machine === undefined ? undefined : machines.get(machine)
}

/** A .yaml file of a folder of styles or machines. */
export interface YamlFile {
  readonly name: string
  readonly path: string
  /** False when it cannot be used, which was noted: what names it is then not at fault. */
  readonly usable: boolean
}

/**
 * The .yaml files of a folder that may be missing. Faults: `unknown-file`, `symlink`,
 * `special-file`.
 */
export function yamlFiles(folder: string, faults: Faults): YamlFile[] {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (!stat.isDirectory()) {
    if (stat.isSymbolicLink()) addSymlink(folder, faults)
    else addSpecial(folder, 'a folder', faults)
    return []
  }
  return list(folder, faults).flatMap(({ name, path, kind }) => {
    if (!name.endsWith('.yaml')) {
      if (kind === 'link') addSymlink(path, faults)
      else
        faults.add(
          'unknown-file',
          `Cannot use "${path}": the folder "${basename(folder)}" holds .yaml files only`,
          {
            file: path,
          },
        )
      return []
    }
    if (kind === 'link') addSymlink(path, faults)
    else if (kind !== 'file') addSpecial(path, 'a regular file', faults)
    return [{ name: name.slice(0, -'.yaml'.length), path, usable: kind === 'file' }]
  })
}
