import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { withoutFrame, type FixpointError } from '../base/error.ts'
import type { MergeableText } from './format/schema.ts'
import { hasCredentials } from './format/source-places.ts'
import type { SourceText } from './format/source-schema.ts'
import { lintLicense, lintLicenses } from './lint-licenses.ts'
import { lintTrees } from './lint-trees.ts'
import { loadAll, type Loaded } from './load.ts'
import { listOf, wholeOf } from './recipe/merge.ts'
import { list } from './tree/entries.ts'
import type { LocalFile } from './tree/files.ts'
import type { Layout } from './tree/layers.ts'
import type { Amendment, RecipeStatement, Statements } from './tree/statements.ts'
import { Faults } from './yaml/faults.ts'
import type { At, Item, Path } from './yaml/yaml-file.ts'

/** Longest summary, in characters. */
const MAX_SUMMARY = 100

/** Variables that the sandbox sets and the engine's promises rest on. */
const CONSTANTS = new Set([
  ...['PATH', 'SRC', 'OBJ', 'OUT', 'SOURCES', 'PATCHES', 'FILES'],
  ...['CONTENTS', 'MANIFEST', 'MIRROR', 'MAKEFLAGS', 'SOURCE_DATE_EPOCH', 'TZ', 'LC_ALL'],
  ...['HOME', 'TMPDIR', 'USER', 'LOGNAME', 'TERM', 'SHELL'],
])

/**
 * Findings beyond validity, sorted by file and line; each with a code that starts with `lint-`.
 * Throws like loadMetadata when the tree is not valid.
 * - `lint-no-place`: a source without a place, which only a mirror can give
 * - `lint-two-versions`: a source that two recipes state, each with another version
 * - `lint-license`: not an SPDX expression, or of a license that SPDX does not list
 * - `lint-license-files`, `lint-license-part`, `lint-image-license`: see {@link lintLicenses}
 * - `lint-summary`: too long, or with a full stop
 * - `lint-jobs`: `-j` for make or ninja; the engine's jobserver decides that
 * - `lint-native`: code for the processor that builds, which differs from machine to machine
 * - `lint-no-target`: words for `make install` without a target: make builds once more and installs
 *   nothing
 * - `lint-credentials`: an address with a user name or password
 * - `lint-registry-address`: the address of a Debian mirror or npm registry; `debian:` and `npm:`
 *   stay true when it moves
 * - `lint-insecure-place`: http, which shows everyone what is fetched
 * - `lint-machine-path`: `file:` with an absolute path, which exists on one machine only
 * - `lint-constant-variable`: a variable that the sandbox sets
 * - `lint-patch-comment`: a patch that does not say first what it is for
 * - `lint-patch-order`: several patches in a folder whose names do not start with a number
 * - `lint-unlisted-folder`: a folder or file beside layers.yaml that belongs to nothing
 * - `lint-unused-style`: no recipe uses the style, or has its name, as programs have that build the
 *   recipes of others
 * - `lint-compiled`: see {@link lintTrees}
 * - `lint-unused-value`: nothing uses the machine's value
 */
export async function lint(layersFile: string): Promise<FixpointError[]> {
  const loaded = await loadAll(layersFile)
  const findings = new Faults()
  for (const change of changesOf(loaded.statements)) lintChange(change, findings)
  lintVersions(loaded.statements, findings)
  lintNative(loaded, findings)
  lintTargets(loaded, findings)
  lintLicenses(loaded, findings)
  lintTrees(loaded, findings)
  lintUse(loaded, findings)
  for (const tree of loaded.layout.trees) lintFolder(tree.folder, loaded.layout, findings)
  return findings.sorted()
}

function changesOf(statements: Statements): (RecipeStatement | Amendment)[] {
  return [
    ...[...statements.recipes.values()].filter((statement) => statement !== undefined),
    ...[...statements.amendments.values()].flat(),
  ]
}

/** What one file states itself: the file that it extends has its own findings. */
function lintChange(
  { yaml, stated, operators, patches }: RecipeStatement | Amendment,
  findings: Faults,
): void {
  const parts: readonly { path: readonly string[]; fields: MergeableText }[] = [
    { path: [], fields: stated },
    { path: ['set'], fields: operators.set ?? {} },
    { path: ['append'], fields: operators.append ?? {} },
  ]
  for (const { path, fields } of parts) {
    const at = (...rest: Path): At => yaml.at([...path, ...rest])
    const { summary, sources, make, install, env, steps } = fields
    if (summary !== undefined) lintSummary(summary, at('summary'), findings)
    for (const field of ['license', 'linked-license'] as const) {
      const expression = fields[field]
      if (expression !== undefined) lintLicense(expression, at(field), findings)
    }
    for (const [index, value] of (sources ?? []).entries())
      lintSource({ value, at: at('sources', index) }, findings)
    for (const [field, words] of Object.entries({ make, install })) {
      for (const [index, word] of (words ?? []).entries())
        if (/^(?:-j\d*|--jobs(?:=.*)?)$/.test(word)) addJobs(at(field, index), findings)
    }
    for (const variable of Object.keys(env ?? {})) {
      if (!CONSTANTS.has(variable)) continue
      findings.add(
        'lint-constant-variable',
        `Variable "${variable}" is set by the sandbox`,
        at('env', variable).positionOfKey(),
        'Use another variable, or set it in the one command that needs it',
      )
    }
    for (const [step, script] of Object.entries(steps ?? {}))
      lintScript(script, at('steps', step), findings)
  }
  lintPatches(patches, findings)
}

/**
 * Two recipes that state the same source are two edits for one fix. Recipes that extend another
 * are left out: they may want another version.
 */
function lintVersions({ recipes }: Statements, findings: Faults): void {
  const known = new Map<string, RecipeStatement>()
  for (const recipe of recipes.values()) {
    if (recipe === undefined || recipe.extends !== undefined) continue
    for (const text of (recipe.stated.sources ?? []).flatMap(textsOf)) {
      const other = known.get(text) ?? recipe
      known.set(text, other)
      if (other.stated.version === recipe.stated.version) continue
      const source = `${other.id} takes version ${other.stated.version ?? 'none'} of the source`
      findings.add(
        'lint-two-versions',
        `Version ${recipe.stated.version ?? 'none'} is not the only one: ${source} "${text}"`,
        recipe.yaml.positionOfKey(['version']),
        'Give both recipes one version, or let one extend the other',
      )
    }
  }
}

/** What names a source, as written. */
function textsOf(source: SourceText): string[] {
  return 'tree' in source ? [] : [source.sha256, ...source.from]
}

/** Every text that reaches a compiler comes out of one of these files. */
function lintNative({ layout, styles, statements }: Loaded, findings: Faults): void {
  const documents = [
    ...layout.machineFiles,
    ...[...styles.values()].flatMap((style) => style?.yaml ?? []),
    ...changesOf(statements).map(({ yaml }) => yaml),
  ]
  for (const yaml of documents) {
    for (const { path, text } of textsIn(yaml.value, [])) {
      const part = /-m(?:arch|tune|cpu)=native\b/.exec(text)?.[0]
      if (part === undefined) continue
      findings.add(
        'lint-native',
        `"${part}" makes other code on another machine`,
        yaml.positionOfPart(path, part, 0),
        'Name the processor: -march=x86-64',
      )
    }
  }
}

/** All texts of a value but names, with the way to each. */
function textsIn(
  value: unknown,
  path: readonly (string | number)[],
): { path: Path; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }]
  if (typeof value !== 'object' || value === null) return []
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return entries.flatMap(([step, inner]: [string | number, unknown]) =>
    textsIn(inner, [...path, step]),
  )
}

function lintTargets({ styles, drafts }: Loaded, findings: Faults): void {
  for (const draft of drafts.values()) {
    const style = styles.get(wholeOf(draft, 'style')?.value ?? '')
    const words = listOf(draft, 'install')
    const at = words[0]?.at
    if (at === undefined || style?.words.has('install') !== true || words.some(isTarget)) continue
    findings.add(
      'lint-no-target',
      'The words for make to install name no target',
      at.parent().positionOfKey(),
      `Style "${style.name}" has a target only for a list that is empty: name it as well`,
    )
  }
}

/** Whether make builds the word: no option, no option's argument, no variable. */
function isTarget({ value }: Item<string>, at: number, words: readonly Item<string>[]): boolean {
  return !/^-|=/.test(value) && !/^-[CfIoW]$/.test(words[at - 1]?.value ?? '')
}

function lintSummary(summary: string, at: At, findings: Faults): void {
  if (summary.length > MAX_SUMMARY)
    findings.add(
      'lint-summary',
      `The summary has more than ${MAX_SUMMARY} characters`,
      at.positionOfKey(),
    )
  if (summary.endsWith('.'))
    findings.add('lint-summary', 'The summary ends with a full stop', at.positionOfKey())
}

function lintSource({ value, at }: Item<SourceText>, findings: Faults): void {
  if (value.license !== undefined) lintLicense(value.license, at.below('license'), findings)
  if ('tree' in value) return
  if (value.from.length === 0) {
    findings.add(
      'lint-no-place',
      'The source has no place',
      at.positionOfKey(),
      'Name at least one: without a mirror nobody can fetch it',
    )
  }
  for (const [index, place] of value.from.entries()) {
    const here = () => at.below('from', index).positionOfKey()
    if (hasCredentials(place))
      findings.add(
        'lint-credentials',
        'The place has a user name or password, which all who read the recipe see',
        withoutFrame(here()),
        'Take them out, and write them into ~/.netrc; change a password that others have seen',
      )
    else if (isRegistryAddress(place))
      findings.add(
        'lint-registry-address',
        `"${place}" is the address of a mirror or registry`,
        here(),
        'Write debian:PACKAGE/FILE or npm:NAME@VERSION',
      )
    else if (place.startsWith('http://'))
      findings.add(
        'lint-insecure-place',
        `"${place}" is fetched without encryption`,
        here(),
        'Write https:',
      )
    else if (place.startsWith('file:/'))
      findings.add(
        'lint-machine-path',
        `"${place}" is there on one machine only`,
        here(),
        'Write a path relative to the folder of the recipe',
      )
  }
}

/**
 * Debian's pools and npm's registries have the same layout everywhere, and similar host names.
 * There are too many of them to list.
 */
function isRegistryAddress(place: string): boolean {
  if (!/^https?:\/\//i.test(place)) return false
  const { host, path } = /^https?:\/\/(?<host>[^/]*)(?<path>.*)$/i.exec(place)?.groups ?? {}
  return (
    /^(?:registry|deb|mirrors?|ftp\.[a-z]{2})\./i.test(host ?? '') ||
    /\/pool\/(?:updates\/)?(?:main|contrib|non-free)\//.test(path ?? '') ||
    /\/-\/[^/]+\.tgz$/.test(path ?? '')
  )
}

function lintScript(script: string, at: At, findings: Faults): void {
  const found = /\b(?:make|ninja|samu)\b[^\n;|&]*?\s(-j\d*|--jobs\b)/.exec(script)
  if (found?.[1] !== undefined) addJobs(at, findings, found[1])
}

function addJobs(at: At, findings: Faults, part?: string): void {
  const position = part === undefined ? at.positionOfKey() : at.positionOfPart(part)
  findings.add(
    'lint-jobs',
    'The number of jobs is written into the recipe',
    position,
    'Leave it out: every step uses the jobserver of the engine',
  )
}

function lintPatches(patches: readonly LocalFile[], findings: Faults): void {
  for (const { name, path } of patches) {
    const first = readFileSync(path, 'utf8').split('\n', 1)[0] ?? ''
    if (/^(?:---|\+\+\+|diff |Index:|@@|\s*$)/.test(first)) {
      findings.add(
        'lint-patch-comment',
        `Patch "${name}" does not say what it is for`,
        { file: path, line: 1 },
        'Say so in its first lines, above the first file',
      )
    }
    if (patches.length > 1 && !/^\d/.test(name)) {
      findings.add(
        'lint-patch-order',
        `Patch "${name}" is one of several, and its name does not say which comes when`,
        { file: path },
        'Start the names with numbers: 01-…',
      )
    }
  }
}

function lintUse({ layout, styles, statements, drafts }: Loaded, findings: Faults): void {
  const used = new Set([...drafts.values()].map((draft) => draft.whole.get('style')?.value))
  const programs = new Set(
    [...statements.recipes.keys()].map((id) => id.slice(id.indexOf('/') + 1)),
  )
  const extended = new Set(
    [...styles.values()].map(
      (style) => (style?.yaml.value as { extends?: string } | undefined)?.extends,
    ),
  )
  for (const style of styles.values()) {
    if (style === undefined || used.has(style.name) || extended.has(style.name)) continue
    if (programs.has(style.name)) continue
    findings.add(
      'lint-unused-style',
      `Nothing uses style "${style.name}"`,
      { file: style.yaml.file },
      'Take it out',
    )
  }
  const texts = [
    ...[...styles.values()].map((style) => style?.yaml.text),
    ...changesOf(statements).map(({ yaml }) => yaml.text),
  ]
  for (const value of Object.keys(layout.machine ?? {})) {
    if (value === 'arch' || texts.some((text) => text?.includes(`machine.${value}`))) continue
    findings.add(
      'lint-unused-value',
      `Nothing uses the machine's value "${value}"`,
      layout.trees[0]?.yaml.position(['machine']) ?? { file: '' },
      'Take it out',
    )
  }
}

function lintFolder(folder: string, layout: Layout, findings: Faults): void {
  const known = new Set([
    'fixpoint.yaml',
    'layers.yaml',
    'machines',
    'styles',
    ...layout.layers.filter((layer) => dirname(layer.folder) === folder).map(({ name }) => name),
  ])
  for (const { name, path } of list(folder, findings)) {
    if (known.has(name)) continue
    findings.add(
      'lint-unlisted-folder',
      `"${name}" belongs to no layer`,
      { file: path },
      'List it in layers.yaml, or take it out',
    )
  }
}
