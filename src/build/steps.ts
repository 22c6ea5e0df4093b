import { EPOCH } from '../base/constants.ts'
import type { ActionDocument } from '../plan/document.ts'

/** A script of an action, run by `sh -eu` in $SRC. */
export interface Script {
  readonly name: string
  readonly script: string
}

/** Files of tarballs carry all kinds of times, some later than a machine's clock: one early constant keeps make and ninja from guessing. */
const TOUCH = `find . -exec touch -h -d @${String(EPOCH)} {} +\n`

/** All scripts of an action: unpacking and patching, by the sandbox's own tools, then the recipe's steps. */
export function scriptsOf(document: ActionDocument): Script[] {
  const scripts = [
    { name: 'unpack', script: unpackScript(document.sources) },
    { name: 'patch', script: patchScript(document.patches) },
    ...document.steps,
  ]
  return scripts.filter(({ script }) => script !== '')
}

function unpackScript(sources: ActionDocument['sources']): string {
  const lines = sources.flatMap(({ name, to }) => {
    if (to === null) return []
    const [from, target] = [quote(`/sources/${name}`), quote(to)]
    // A tree is copied, a tarball loses its outermost folder. Owners are not kept: one id is all there is.
    return [
      `mkdir -p ${target}`,
      `if [ -d ${from} ]; then cp -R ${from}/. ${target}; else tar -xf ${from} -C ${target} --strip-components=1 --no-same-owner; fi`,
    ]
  })
  return lines.length === 0 ? '' : `${lines.join('\n')}\n${TOUCH}`
}

function patchScript(patches: ActionDocument['patches']): string {
  // patch(1) names the files it changes, but not what it was given.
  const lines = patches.map(({ name }) => `echo ${quote(name)}\npatch -p1 -i ${quote(`/patches/${name}`)}`)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n${TOUCH}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
