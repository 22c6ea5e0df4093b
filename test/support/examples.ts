import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CHECKOUT } from './tree.ts'

/** A block of commands in a page of `docs/`. */
export interface Example {
  /** The commands, for `sh -eu`. */
  readonly commands: string
  /** What the page says that they print: the block `text` after them; `…` stands for anything. */
  readonly prints: string | undefined
  /** Recipes that must be stored before: `<!-- needs: NAME… -->` above the block. */
  readonly needs: readonly string[]
  /** Why no test runs it: `<!-- not run: REASON -->` above the block. */
  readonly notRun: string | undefined
}

/** A heading of a page, and the blocks below it. */
export interface Section {
  readonly title: string
  readonly examples: readonly Example[]
}

/** The sections of a page below `docs/` that have blocks of commands, in their order. */
export async function sectionsOf(page: string): Promise<Section[]> {
  const text = await readFile(join(CHECKOUT, 'docs', page), 'utf8')
  return split(text)
    .map(([title, body]) => ({ title, examples: examplesIn(body) }))
    .filter(({ examples }) => examples.length > 0)
}

/** Why no test runs blocks of some sections, by their titles. */
export function leftOutOf(sections: readonly Section[]): Record<string, string> {
  const left = sections.flatMap(({ title, examples }) =>
    examples.flatMap(({ notRun }) => (notRun === undefined ? [] : [[title, notRun] as const])),
  )
  return Object.fromEntries(left)
}

/** A heading of a page, and the first block `text` below it: a message that one sees. */
export interface Symptom {
  readonly title: string
  readonly symptom: string | undefined
}

/** The headings of a page below `docs/`, each with the message below it. */
export async function symptomsOf(page: string): Promise<Symptom[]> {
  const text = await readFile(join(CHECKOUT, 'docs', page), 'utf8')
  return split(text).map(([title, body]) => ({
    title,
    symptom: /^```text\n([\s\S]*?)^```$/m.exec(body)?.[1],
  }))
}

/**
 * True when `output` holds `printed`, in which `…` stands for anything and a line may be broken at
 * any blank.
 */
export function hasPrinted(output: string, printed: string): boolean {
  const escaped = printed
    .trim()
    .split('…')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\s+/g, '\\s+'))
  return new RegExp(escaped.join('[\\s\\S]*?')).test(output)
}

/** Title and body of each heading. A line of commands may begin like a heading. */
function split(text: string): [string, string][] {
  const found: [string, string][] = []
  let isFenced = false
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) isFenced = !isFenced
    const heading = isFenced ? null : /^#+ (.*)$/.exec(line)
    if (heading !== null) found.push([heading[1]!, ''])
    else if (found.length > 0) found.at(-1)![1] += `${line}\n`
  }
  return found
}

/** The mark above a block, the block, and what it prints. */
const BLOCK =
  /(?:^<!-- (not run|needs): (.*) -->\n+)?^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm

function examplesIn(body: string): Example[] {
  return [...body.matchAll(BLOCK)].map(([, mark, value, commands, prints]) => ({
    commands: commands!,
    prints,
    needs: mark === 'needs' ? value!.split(' ') : [],
    notRun: mark === 'not run' ? value : undefined,
  }))
}
