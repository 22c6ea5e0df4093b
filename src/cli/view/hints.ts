import { isMetadataCode } from '../../base/codes.ts'
import type { Facts, FixpointError } from '../../base/error.ts'
import { shellWords } from '../../base/shell-words.ts'
import { didYouMean } from '../../metadata/yaml/suggest.ts'
import { isStandIn } from '../defaults.ts'
import type { GlobalOptions } from '../global-options.ts'
import { isFixed, fixedHint } from './fixed-hints.ts'

/** Writes a command of Fixpoint as this user would type it, with the same layers and store. */
type Typed = (...words: readonly string[]) => string

/** Recipes of the programs that workers need. */
const RUNNER = ['toolchain/busybox', 'runtime/bubblewrap', 'runtime/node']

/**
 * What to do about an error, one line; undefined where the message says it all. A fault in the
 * metadata brings its own: only the loader knows how to mend the file.
 */
export function hintOf(error: FixpointError, options: GlobalOptions): string | undefined {
  const { code, facts } = error
  if (error.hint !== undefined || isMetadataCode(code)) return error.hint
  if (isFixed(code)) return fixedHint(code)
  const typed: Typed = (...words) => shellWords(['fixpoint', ...optionsOf(options), ...words])
  const handIn = `hand the file in by \`${typed('fetch', '--from', 'FOLDER')}\``
  const build = typed('build', ...(facts.targets ?? []))
  const doctor = `\`${typed('doctor')}\``
  switch (code) {
    case 'blob-damaged':
      return about(facts.file, (kept) => `It is kept as "${kept}"; run again to fetch or build it`)
    case 'builds-differ':
      return about(facts.folder, (folder) => `The second build is kept in "${folder}"`)
    case 'cache-damaged':
      return about(facts.recipe, (recipe) => {
        const push = typed('cache', 'push', recipe)
        return `Where it was built, \`${push}\` writes what is missing or damaged again`
      })
    case 'cache-key':
      return about(facts.file, (file) =>
        facts.isOpenToOthers === true
          ? `Its owner alone may read it: ${shellWords(['chmod', '600', file])}`
          : `To make a new key: \`${typed('cache', 'keygen', 'NEW-FILE')}\``,
      )
    case 'cache-unread':
      return about(
        facts.targets,
        () => `What is missing there can be built here, with \`${build}\``,
      )
    case 'disk-full':
      return afterFullDisk(facts, typed)
    case 'kit-damaged':
      return about(
        facts.folder,
        (kit) => `\`${typed('archive', 'repair', '-n', kit)}\` says what can be repaired, and how`,
      )
    case 'mirror-damaged':
      return about(
        facts.folder,
        (mirror) => `Mend it from another mirror: \`${typed('mirror', 'copy', 'OTHER', mirror)}\``,
      )
    case 'mount-point-claimed':
      return about(facts.recipe, (recipe) => `Let ${recipe} leave it out`)
    case 'namespaces-unavailable':
      return `${doctor} says what this host must allow`
    case 'no-installed-image':
      return `Boot the image and type it there, or name it: ${typed('rebuild', '--image', 'FILE')}`
    case 'no-kept-tree':
      return about(
        facts.recipe,
        (recipe) => `Build it with: ${typed('build', '--keep-failed', recipe)}`,
      )
    case 'no-mirror-list':
      return `Is its disk plugged in? \`${typed('mirror', 'create', 'FOLDER')}\` makes a new one`
    case 'no-qemu':
      return `Install it (Debian: qemu-system-x86); ${doctor} lists every missing program`
    case 'no-record':
      return `\`${typed('build')}\` puts one beside each image: NAME.json`
    case 'not-an-artifact':
      return about(
        facts.file,
        (file) => `If it is no source, remove "${file}" and run again to build it`,
      )
    case 'rebuild-differs':
      return about(
        facts.folder,
        (folder) => `What was built is kept in "${folder}" until the next rebuild`,
      )
    case 'rebuild-failed':
      return about(facts.folder, (folder) => `What it calls /data is "${folder}"`)
    case 'sandbox-tool-missing':
      return `Run ${doctor}`
    case 'sandbox-unavailable':
      return `The build refuses to run without it; ${doctor} lists what is missing`
    case 'signing-failed':
      return about(facts.file, (file) => {
        const words = ['-Y', 'sign', '-n', 'fixpoint-receipt', '-f', 'KEY', file]
        return `Sign them by hand: ${shellWords(['ssh-keygen', ...words])}`
      })
    case 'signers-differ':
      return about(
        facts.recipe,
        (recipe) => `Find out who is right: \`${typed('build', '--no-cache', recipe)}\``,
      )
    case 'source-digest':
      return facts.knownAs === undefined
        ? `The file was replaced or damaged there, or the recipe is wrong; add a place that has ` +
            `the original, or ${handIn}`
        : 'If the version or the name changed on purpose, write the sha256 of the new file'
    case 'source-offline':
      return `Run without --offline, or ${handIn}`
    case 'source-renamed':
      return (
        'For a new version, write its sha256; if only the name changed, ' +
        `keep a place with the old one in \`from:\`, or ${handIn} under the new name`
      )
    case 'source-unavailable':
      return `Check the network, add a mirror to the configuration, or ${handIn}`
    case 'step-failed':
      return afterStep(facts, typed)
    case 'remote-failed':
      return `Without --remote-only it is built here: \`${build}\``
    case 'remote-runner':
      return (
        `Build them here: \`${typed('build', '--local', ...RUNNER)}\`; ` +
        'or name a folder that has them, as `runner:`'
      )
    case 'two-results':
      return about(
        facts.recipe,
        (recipe) =>
          (facts.areBothKept === true ? 'Both are kept. ' : '') +
          `Find the cause with \`${typed('verify', recipe)}\``,
      )
    case 'unknown-target':
      return (
        (facts.near === undefined
          ? `The command \`${typed('list')}\` lists all recipes`
          : didYouMean(facts.near)) +
        (isStandIn(options.layers)
          ? '; this folder has no layers, so only those of Fixpoint count'
          : '')
      )
    default:
      return code satisfies never
  }
}

function optionsOf({ layers, store }: GlobalOptions): string[] {
  return [
    ...(layers === undefined ? [] : ['--layers', layers]),
    ...(store === undefined ? [] : ['--store', store]),
  ]
}

/** A hint about a fact; none where the fact was not stated. */
function about<T>(fact: T | undefined, hint: (fact: T) => string): string | undefined {
  return fact === undefined ? undefined : hint(fact)
}

/** The commands that lead to the failed step, without building again when its tree was kept. */
function afterStep({ recipe, step, log, isTreeKept }: Facts, typed: Typed): string | undefined {
  if (recipe === undefined || step === undefined || log === undefined) return undefined
  const shell = typed('shell', recipe)
  const then =
    isTreeKept === true
      ? `${shell}; to go on from there: ${typed('build', '--from', step, recipe)}`
      : `${typed('build', '--keep-failed', recipe)}; ${shell}`
  return `The whole log is "${log}"; for a shell as the step left it: ${then}`
}

function afterFullDisk({ step }: Facts, typed: Typed): string {
  const where = step === undefined ? 'there' : 'where the store is'
  const collect = typed('store', 'gc')
  return (
    `Free some space ${where} or run \`${collect}\`; ` +
    'the next run goes on where this one stopped'
  )
}
