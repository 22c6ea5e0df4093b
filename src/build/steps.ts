import { EPOCH } from '../base/constants.ts'
import { shellWord } from '../base/shell-words.ts'
import type { ActionDocument } from '../plan/action-document.ts'

/** A script of an action, run by `sh -eu` in $SRC. */
export interface Script {
  readonly name: string
  readonly script: string
}

/** The step that unpacks sources; no recipe has one of this name. */
export const UNPACK_STEP = 'unpack'

/**
 * Files of tarballs carry all kinds of times, some later than a machine's clock: one early constant
 * keeps make and ninja from guessing.
 */
const TOUCH = `find . -exec touch -h -d @${String(EPOCH)} {} +\n`

/**
 * All scripts of an action: unpacking and patching, by the sandbox's own tools, then the recipe's
 * steps.
 */
export function scriptsOf(document: ActionDocument): Script[] {
  const scripts = [
    { name: UNPACK_STEP, script: unpackScript(document.sources) },
    { name: 'patch', script: patchScript(document.patches) },
    ...document.steps,
  ]
  return scripts.filter(({ script }) => script !== '')
}

/**
 * Puts one source where it belongs. A tree is copied. A tarball is unpacked beside $SRC: when it
 * holds one folder and nothing else, as most do, that is left out, else all of it counts. Its
 * folders become writable for their owner, since steps work in them. Owners are not kept: one id is
 * all there is.
 */
const UNPACK = `unpack() {
  mkdir -p "$2"
  if [ -d "$1" ]; then cp -R "$1/." "$2"; return; fi
  rm -rf /build/unpacked
  mkdir /build/unpacked
  tar -xf "$1" -C /build/unpacked --no-same-owner
  find /build/unpacked -type d ! -perm -700 -exec chmod u+rwx {} +
  top=/build/unpacked
  set -- "$2" "$top"/* "$top"/.[!.]* "$top"/..?*
  target=$1 count=0
  shift
  for entry; do
    if [ -e "$entry" ] || [ -L "$entry" ]; then count=$((count + 1)) last=$entry; fi
  done
  [ $count != 1 ] || [ -L "$last" ] || [ ! -d "$last" ] || top=$last
  for entry in "$top"/* "$top"/.[!.]* "$top"/..?*; do
    if [ -d "$target/\${entry##*/}" ] && [ -d "$entry" ] && [ ! -L "$entry" ]; then
      cp -RPp "$entry/." "$target/\${entry##*/}"
    elif [ -e "$entry" ] || [ -L "$entry" ]; then mv -f "$entry" "$target"; fi
  done
  rm -rf /build/unpacked
}
`

function unpackScript(sources: ActionDocument['sources']): string {
  const lines = sources.flatMap(({ name, to }) =>
    to === null ? [] : [`unpack ${shellWord(`/sources/${name}`)} ${shellWord(to)}`],
  )
  return lines.length === 0 ? '' : `${UNPACK}${lines.join('\n')}\n${TOUCH}`
}

/**
 * No fuzz: a hunk whose surroundings changed is looked at by a person. All bytes of lines count,
 * and what was applied already is an error. `metadata/format/patch-file.ts` refuses what does not
 * work by these.
 */
export const PATCH_OPTIONS = [
  '-p1',
  '--forward',
  '--fuzz=0',
  '--binary',
  '--no-backup-if-mismatch',
  '-i',
] as const

/**
 * GNU patch (2.7 or later), which goes by the lines that a hunk names and does what git writes
 * beside the hunks. Others pass over what they do not know.
 */
const PATCH = `case $(patch --version 2> /dev/null) in
  'GNU patch '2.[7-9]*) ;;
  *) echo 'patches need GNU patch: add toolchain/patch to "inputs"' >&2; exit 1 ;;
esac
apply() {
  echo "$1"
  patch ${PATCH_OPTIONS.join(' ')} "/patches/$1"
}
`

function patchScript(patches: ActionDocument['patches']): string {
  const lines = patches.map(({ name }) => `apply ${shellWord(name)}\n`)
  return lines.length === 0 ? '' : `${PATCH}${lines.join('')}${TOUCH}`
}
