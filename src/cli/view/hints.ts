import { isMetadataCode } from '../../base/codes.ts'
import type { Facts, FixpointError } from '../../base/error.ts'
import { shellWords } from '../../base/shell-words.ts'
import type { GlobalOptions } from '../global-options.ts'
import { diskHint, isDiskCode } from './disk-hints.ts'

/** Writes a command of Fixpoint as this user would type it, with the same layers and store. */
type Typed = (...words: readonly string[]) => string

/**
 * What to do about an error, one line; undefined where the message says it all. A fault in the
 * metadata brings its own: only the loader knows how to mend the file.
 */
export function hintOf(error: FixpointError, options: GlobalOptions): string | undefined {
  const { code, facts } = error
  if (error.hint !== undefined || isMetadataCode(code)) return error.hint
  if (isDiskCode(code)) return diskHint(code)
  const typed: Typed = (...words) => shellWords(['fixpoint', ...optionsOf(options), ...words])
  const handIn = `hand the file in by \`${typed('fetch', '--from', 'FOLDER')}\``
  const doctor = `\`${typed('doctor')}\``
  switch (code) {
    case 'ambiguous-target':
      return 'Write it as LAYER/NAME'
    case 'artifact-empty':
      return 'Let a step install something into "$OUT"'
    case 'artifact-too-large':
      return 'Holes of a file count as well'
    case 'blob-damaged':
      return about(facts.file, (kept) => `It is kept as "${kept}"; run again to fetch or build it`)
    case 'builds-differ':
      return about(facts.folder, (folder) => `The second build is kept in "${folder}"`)
    case 'cache-key':
      return about(
        facts.file,
        (file) =>
          `Its owner alone may read it: chmod 600 "${file}"; ` +
          `make one: \`${typed('cache', 'keygen', 'FILE')}\``,
      )
    case 'cache-token':
      return 'A token file holds one line, and its owner alone may read it (chmod 600)'
    case 'cache-unread':
      return `What is missing there can be built here, with \`${typed('build')}\``
    case 'clock-behind':
      return 'Set the clock, as by: date -u -s 2030-01-01'
    case 'default-acl':
      return 'Install setfacl (Debian: acl), or put the store elsewhere'
    case 'disk-full':
      return afterFullDisk(facts, typed)
    case 'installed-damaged':
      return 'The disk is damaged or was changed: check it, and restore its image'
    case 'kit-at-risk':
      return `Make another copy: ${typed('archive', 'add-copy', '--help')} lists the options`
    case 'kit-damaged':
      return about(
        facts.folder,
        (kit) => `\`${typed('archive', 'repair', '-n', kit)}\` says what can be repaired, and how`,
      )
    case 'kit-other-layers':
      return 'Check out what the image was built from, or build the image again'
    case 'kit-read-back':
      return 'Check the disk: do not keep a kit on it'
    case 'kit-there':
      return 'Name a folder that is not there yet'
    case 'little-memory':
      return 'Give it more memory, or build single recipes again with --only'
    case 'little-space':
      return 'In the appliance: attach a disk, and type `data create DISK`'
    case 'mirror-address':
      return 'Write addresses of mirrors into the configuration, as `mirrors:`'
    case 'mirror-entry':
      return 'Remove it, or name another folder with --to'
    case 'mount-point-claimed':
      return about(facts.recipe, (recipe) => `Let ${recipe} leave it out`)
    case 'namespaces-unavailable':
      return `${doctor} says what this host must allow`
    case 'no-cache':
      return 'Set `cache:` in the configuration'
    case 'no-format-page':
      return 'It belongs to the checkout that this engine is from'
    case 'no-home':
      return 'Set HOME to an absolute path'
    case 'no-image-target':
      return 'Other artifacts stay in the store'
    case 'no-installed-image':
      return `Boot the image and type it there, or name it: ${typed('rebuild', '--image', 'FILE')}`
    case 'no-kept-tree':
      return about(
        facts.recipe,
        (recipe) => `Build it with: ${typed('build', '--keep-failed', recipe)}`,
      )
    case 'no-manifest':
      return '`installed:` in the configuration names the root folder of an image'
    case 'no-mirror':
      return 'Build the image without --without-mirror'
    case 'no-qemu':
      return `Install it (Debian: qemu-system-x86); ${doctor} lists every missing program`
    case 'no-record':
      return `\`${typed('build')}\` puts one beside each image: NAME.json`
    case 'no-root-disk':
      return 'Name the image or disk to compare with: --against FILE'
    case 'no-ssh-keygen':
      return 'Install openssh-client'
    case 'no-uefi-firmware':
      return 'Install it (Debian: ovmf; elsewhere: edk2-ovmf), or boot by --bios'
    case 'no-unsquashfs':
      return 'Install squashfs-tools'
    case 'not-an-artifact':
      return about(
        facts.file,
        (file) => `If it is no source, remove "${file}" and run again to build it`,
      )
    case 'not-confirmed':
      return (
        'Others confirm them by `rebuild --only` with --receipts and --sign; ' +
        '--signers says whose receipts count'
      )
    case 'not-flushed':
      return 'Check the disk, and whether it is full'
    case 'not-installed':
      return 'Only what is installed, and the image itself, can be compared'
    case 'not-own-folder':
      return 'Move it elsewhere, or name another one where the command has an option for that'
    case 'not-with-image':
      return 'The image is rebuilt from its own layers and its own sources, without a network'
    case 'other-layers':
      return 'Name their layers with --layers, or remove them too with --force; -n lists them all'
    case 'output-full':
      return 'Name another folder, or free some space there'
    case 'parity-limits':
      return 'A block has a multiple of 4 bytes, and all files together at most 32,768 blocks'
    case 'parity-mixed':
      return 'Name the parity files of one set only'
    case 'parity-not-enough':
      return 'Name further copies, even damaged ones: their blocks count, too'
    case 'path-claimed-twice':
      return 'Let one of the two leave it out, or do not use both together'
    case 'rebuild-differs':
      return about(
        facts.folder,
        (folder) => `What was built is kept in "${folder}" until the next rebuild`,
      )
    case 'rebuild-failed':
      return about(facts.folder, (folder) => `What it calls /data is "${folder}"`)
    case 'receipts-contradict':
      return 'One of the builds is not reproducible, or not honest: `verify` the recipe yourself'
    case 'sandbox-tool-missing':
      return `Run ${doctor}`
    case 'sandbox-unavailable':
      return `The build refuses to run without it; ${doctor} lists what is missing`
    case 'sign-without-receipts':
      return 'Add --receipts FOLDER'
    case 'signers-unusable':
      return 'Its format is that of ssh-keygen(1), ALLOWED SIGNERS'
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
        ? `The file was replaced or damaged there; add a place that has the original, or ${handIn}`
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
    case 'kit-beyond-repair':
      return 'Name other copies with --from: two damaged ones may make a whole one'
    case 'kit-busy':
    case 'store-busy':
      return 'Try again when it has ended'
    case 'store-damaged':
      return 'The next build that uses them sets them aside and makes them again'
    case 'store-layout':
      return 'Name another folder with --store, or remove this one'
    case 'store-occupied':
      return 'Name an empty folder with --store'
    case 'store-owner':
      return 'Run this as that user, or name a store of your own with --store'
    case 'store-unreadable':
      return 'Remove what is there, or name another store with --store'
    case 'two-results':
      return about(
        facts.recipe,
        (recipe) => `Both are kept. Find the cause with \`${typed('verify', recipe)}\``,
      )
    case 'unknown-target':
      return facts.near === undefined
        ? `The command \`${typed('list')}\` lists all recipes`
        : `Did you mean "${facts.near}"?`
    case 'artifact-changed':
    case 'artifact-format':
    case 'artifact-name':
    case 'artifact-parent':
    case 'artifact-path':
    case 'artifact-special-file':
    case 'artifact-unknown':
    case 'artifact-unreadable':
    case 'bad-memory':
    case 'bad-smp':
    case 'blob-digest':
    case 'blob-missing':
    case 'boot-ended':
    case 'boot-timeout':
    case 'cache-unwritten':
    case 'command-too-large':
    case 'config-syntax':
    case 'config-unknown-key':
    case 'config-unreadable':
    case 'config-value':
    case 'differ':
    case 'empty-option':
    case 'host-refuses':
    case 'host-unfit':
    case 'image-damaged':
    case 'inputs-missing':
    case 'interrupted':
    case 'kit-refused':
    case 'kit-input':
    case 'kit-name':
    case 'lock-failed':
    case 'manifest-damaged':
    case 'no-disk':
    case 'no-folder':
    case 'no-image':
    case 'no-kit':
    case 'no-log':
    case 'no-mirror-folder':
    case 'no-such-step':
    case 'no-unpacker':
    case 'not-a-file':
    case 'not-all-run':
    case 'not-built':
    case 'not-comparable':
    case 'not-listed':
    case 'nothing-to-compare':
    case 'one-recipe':
    case 'only-host-layers':
    case 'output-failed':
    case 'parity-file-there':
    case 'parity-input-changed':
    case 'parity-not-rebuilt':
    case 'parity-refused':
    case 'parity-thread':
    case 'parity-unreadable':
    case 'qemu-failed':
    case 'qmp-closed':
    case 'qmp-refused':
    case 'rebuild-running':
    case 'receipt-invalid':
    case 'receipt-signature':
    case 'receipts-unreadable':
    case 'record-in-the-way':
    case 'same-store':
    case 'second-build-failed':
    case 'signing-key-unusable':
    case 'source-unreadable':
    case 'staging-unwritable':
    case 'store-changed':
    case 'unknown-node':
    case 'unloaded-recipe':
    case 'unsafe-path':
      return undefined
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
