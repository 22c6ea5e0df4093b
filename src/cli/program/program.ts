import { Command, CommanderError } from 'commander'
import { visible } from '../../base/visible.ts'
import { addKeepingCommands } from './keeping.ts'
import { addLookingCommands } from './looking.ts'
import { addMakingCommands } from './making.ts'
import { globalOptions } from './options.ts'
import { addShellCommands } from './shells.ts'
import { versionLine } from './version.ts'

/** The command line: one tree that help, completion and the manual page are printed from. */
export function createProgram(): Command {
  const program = createTree()
  addShellCommands(program, createTree)
  for (const command of program.commands.flatMap((parent) => [parent, ...parent.commands]))
    for (const option of globalOptions()) command.addOption(option.hideHelp())
  return program
}

function createTree(): Command {
  const program = new Command('fixpoint').description(
    'Builds bootable disk images from source that can rebuild themselves, bit for bit',
  )
  for (const option of globalOptions()) program.addOption(option)
  program
    .option('--version', 'print the version, the commit and the version of Node')
    .on('option:version', () => {
      process.stdout.write(`${versionLine()}\n`)
      throw new CommanderError(0, 'commander.version', '')
    })
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('(fixpoint --help lists the commands)')
    .configureOutput({ writeErr: (text) => process.stderr.write(visible(text, { lines: true })) })
  addMakingCommands(program)
  addLookingCommands(program)
  addKeepingCommands(program)
  return program
}
