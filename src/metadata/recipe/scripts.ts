import { shellWords } from '../../base/shell-words.ts'
import { SCRIPT_LISTS, WORD_LISTS } from '../format/schema.ts'
import { isReservedStep, type Style } from '../tree/styles.ts'
import type { Faults } from '../yaml/faults.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { Item } from '../yaml/yaml-file.ts'
import type { Expander } from './expander.ts'
import { entriesOf, listOf, type Draft } from './merge.ts'
import type { Recipe, Step } from './recipe.ts'

type WordList = (typeof WORD_LISTS)[number]

/** The expanded elements of each of {@link WORD_LISTS}, as words of a shell. */
export type Words = readonly (readonly [WordList, string])[]

/** execve(2) takes 128 KiB for one variable with its name. Bytes. */
const MAX_VARIABLE = 120 << 10

/** execve(2) takes 2 MiB for all variables and the arguments. Bytes. */
const MAX_ENVIRONMENT = 1 << 20

/** A list of a recipe; what its style has instead where the list is empty. */
export function wordsOf(
  draft: Draft,
  style: Style | undefined,
  list: WordList,
): readonly Item<string>[] {
  const own = listOf(draft, list)
  return own.length > 0 ? own : (style?.words.get(list) ?? [])
}

/** What `{{configure}}`, `{{make}}` and `{{install}}` stand for; a missing style has no words. */
export function expandWords(draft: Draft, style: Style | undefined, expander: Expander): Words {
  return WORD_LISTS.map((list) => {
    const words = wordsOf(draft, style, list).map((item) => expander.expandItem(item))
    return [list, shellWords(words)] as const
  })
}

/**
 * Variables and steps: those of the style, and the recipe's own in their place. Faults:
 * `unknown-step`, `reserved-step`, `unused-list`, `variable-too-large`, those of templates.
 */
export function scriptsOf(
  draft: Draft,
  style: Style,
  expander: Expander,
  faults: Faults,
): Pick<Recipe, 'env' | 'steps'> {
  const variables = new Map([...style.env, ...entriesOf(draft, 'env')])
  const env = Object.fromEntries(
    [...variables].map(([variable, item]) => [variable, expander.expandItem(item)]),
  )
  checkSizes(env, variables, faults)
  const steps = stepsOf(draft, style, faults).map(([name, item]): Step => ({
    name,
    script: expander.expandItem(item),
  }))
  checkUsed(draft, style, expander.used, faults)
  return { env, steps }
}

function stepsOf(draft: Draft, style: Style, faults: Faults): [string, Item<string>][] {
  const steps = new Map(style.steps)
  for (const [step, item] of entriesOf(draft, 'steps')) {
    if (isReservedStep(step, item.at, faults)) continue
    if (steps.has(step)) steps.set(step, item)
    else {
      const message = `Cannot replace step "${step}": style "${style.name}" has no such step`
      const hint = suggestion(step, steps.keys()) ?? `Its steps: ${[...steps.keys()].join(', ')}`
      faults.add('unknown-step', message, item.at.positionOfKey(), hint)
    }
  }
  return [...steps]
}

function checkSizes(
  env: Readonly<Record<string, string>>,
  variables: ReadonlyMap<string, Item<string>>,
  faults: Faults,
): void {
  const sizes = Object.entries(env).map(([name, value]) => ({
    name,
    bytes: Buffer.byteLength(`${name}=${value}`) + 1,
  }))
  const report = (name: string, reason: string) => {
    const position = variables.get(name)?.at.positionOfKey() ?? { file: '' }
    const hint = 'Put the text into a file below files/, which steps find in $FILES'
    faults.add('variable-too-large', `Cannot set ${reason}`, position, hint)
  }
  const large = sizes.filter(({ bytes }) => bytes > MAX_VARIABLE)
  for (const { name, bytes } of large)
    report(name, `variable "${name}": it has ${bytes} bytes, ${MAX_VARIABLE} are allowed`)
  const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  const largest = sizes.toSorted((a, b) => b.bytes - a.bytes)[0]
  if (all <= MAX_ENVIRONMENT || largest === undefined || large.length > 0) return
  const reason = `together they have ${all} bytes, ${MAX_ENVIRONMENT} are allowed`
  report(largest.name, `the variables: ${reason}`)
}

/** Words that no script asks for would be lost without a sign. */
function checkUsed(draft: Draft, style: Style, used: ReadonlySet<string>, faults: Faults): void {
  for (const list of SCRIPT_LISTS) {
    const [first] = listOf(draft, list)
    if (first === undefined || used.has(list)) continue
    const where = `step or variable of style "${style.name}" or of the recipe`
    faults.add(
      'unused-list',
      `Cannot use "${list}": no ${where} holds {{${list}}}`,
      first.at.parent().positionOfKey(),
      `Take "${list}" out, or use it in a step`,
    )
  }
}
