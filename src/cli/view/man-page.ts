import type { Argument, Command, Option } from 'commander'
import { EXIT, type FailureKind, MEANINGS } from '../../base/exit.ts'

/**
 * A manual page of a tree of commands, in the language of man(7). No date is in it: the same tree
 * gives the same bytes.
 */
export function manPage(program: Command): string {
  const lines = [
    `.TH ${program.name().toUpperCase()} 1`,
    '.SH NAME',
    `${program.name()} \\- ${escaped(program.description())}`,
    '.SH SYNOPSIS',
    `.B ${program.name()}`,
    '[options] command [arguments]',
    '.SH OPTIONS',
    'They are taken before the command and after it.',
    ...program.options.filter(({ hidden }) => !hidden).flatMap(describeOption),
    '.SH COMMANDS',
    ...leaves(program).flatMap(({ words, command }) => describeCommand(words, command)),
    '.SH EXIT STATUS',
    ...exitStatuses(),
  ]
  return `${lines.join('\n')}\n`
}

function exitStatuses(): string[] {
  const kinds = Object.keys(MEANINGS) as FailureKind[]
  return [
    ...['.TP', '.B 0', 'Success.'],
    ...kinds.flatMap((kind) => ['.TP', `.B ${EXIT[kind]}`, sentence(escaped(MEANINGS[kind]))]),
  ]
}

interface Leaf {
  /** The command, as it is typed. */
  readonly words: readonly string[]
  readonly command: Command
}

/** Commands that do something, with the words that lead to them. */
function leaves(parent: Command, before: readonly string[] = []): Leaf[] {
  // What help does not show, neither does the page; only an instance of Help knows.
  const visible = parent.createHelp().visibleCommands(parent)
  const shown = visible.filter((command) => command.name() !== 'help')
  return shown.flatMap((command) => {
    const words = [...before, command.name()]
    return command.commands.length > 0 ? leaves(command, words) : [{ words, command }]
  })
}

function describeCommand(words: readonly string[], command: Command): string[] {
  const names = command.registeredArguments.map((argument) => shownArgument(argument))
  return [
    `.SS ${escaped([...words, ...names].join(' '))}`,
    escaped(sentence(command.description())),
    ...command.registeredArguments
      .filter(({ description }) => description !== '')
      .flatMap((argument) => [
        '.TP',
        `.I ${escaped(argument.name())}`,
        escaped(sentence(argument.description)),
      ]),
    ...command.options.filter(({ hidden }) => !hidden).flatMap(describeOption),
  ]
}

function describeOption(option: Option): string[] {
  const choices = option.argChoices === undefined ? '' : `: ${option.argChoices.join(', ')}`
  return ['.TP', `.B ${escaped(option.flags)}`, escaped(sentence(option.description + choices))]
}

function shownArgument(argument: Argument): string {
  const word = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${word}>` : `[${word}]`
}

function sentence(text: string): string {
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** Text that stands for itself: troff would read hyphens, backslashes and first characters. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
