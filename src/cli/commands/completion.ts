import { basename } from 'node:path'
import tab from '@bomb.sh/tab/commander'
import type { RootCommand } from '@bomb.sh/tab'
import type { Command } from 'commander'
import type { RecipeId } from '../../base/recipe-id.ts'
import { shellWord } from '../../base/shell-words.ts'
import type { Metadata } from '../../metadata/model.ts'
import type { CommandContext } from '../context.ts'

/** Arguments that are recipes, and those that are layers. All others are files. */
const RECIPES = ['target', 'recipe']
const LAYERS = ['layer']

/** The last line of an answer lets the shell complete file names. */
const FILES = ':0'

/** `completion SHELL`: the script that a shell reads at its start. */
export function completionCommand(tree: Command, shell: string): Promise<void> {
  // It works from anywhere, though the engine is in no folder of PATH.
  const engine = [process.execPath, process.argv[1] ?? ''].map(shellWord).join(' ')
  const script = printedBy(() => {
    completionsOf(tree).setup(tree.name(), engine, shell)
  })
  // A shell that reads its start file once more must be able to set them again.
  const lines = script.map((line) => `${line.replace(/^readonly /gm, '')}\n`)
  process.stdout.write(lines.join(''))
  return Promise.resolve()
}

/** `complete -- WORD…`: what could stand in place of the last word. The script asks it. */
export async function completeCommand(
  command: CommandContext,
  tree: Command,
  words: readonly string[],
): Promise<void> {
  const root = completionsOf(tree)
  // Faults of recipes are for the command itself to report.
  const metadata = await command.metadata().catch(() => undefined)
  const files = { wanted: false }
  const whenFile = (): void => {
    files.wanted = true
  }
  for (const { arguments: args, options } of root.commands.values()) {
    for (const argument of args.values())
      argument.handler ??= handlerOf(argument.name, words.at(-1) ?? '', metadata) ?? whenFile
    for (const option of options.values()) if (option.isBoolean !== true) option.handler = whenFile
  }
  const answer = printedBy(() => {
    root.parse([...words])
  })
  if (files.wanted) answer.splice(-1, 1, FILES)
  process.stdout.write(answer.map((line) => `${line}\n`).join(''))
}

function completionsOf(tree: Command): RootCommand {
  // It adds commands of its own to the tree.
  return tab(tree, { completionCommandName: 'completion' })
}

type Handler = (complete: (value: string, description: string) => void) => void

function handlerOf(
  name: string,
  word: string,
  metadata: Metadata | undefined,
): Handler | undefined {
  if (RECIPES.includes(name))
    return (complete) => {
      for (const { id, summary } of metadata?.recipes.values() ?? [])
        for (const text of waysToWrite(id, word)) complete(text, summary)
    }
  if (LAYERS.includes(name))
    return (complete) => {
      for (const layer of metadata?.layers ?? []) complete(layer, '')
    }
  return undefined
}

/** How a recipe may be written: by its name, or by its layer and name once that was begun. */
function waysToWrite(id: RecipeId, word: string): string[] {
  const isBegun = word !== '' && id.startsWith(word)
  return [...(word.includes('/') ? [] : [basename(id)]), ...(isBegun ? [id] : [])]
}

/** Lines that `work` prints by console.log, which the library answers by. */
function printedBy(work: () => void): string[] {
  const lines: string[] = []
  const { log } = console
  console.log = (line: string) => lines.push(line)
  try {
    work()
  } finally {
    console.log = log
  }
  return lines
}
