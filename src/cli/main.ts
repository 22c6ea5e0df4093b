#!/usr/bin/env node
import { CommanderError } from 'commander'
import { EXIT } from '../base/exit.ts'
import type { GlobalOptions } from './global-options.ts'
import { endUncaught } from './view/end-at-once.ts'
import { createProgram } from './program/program.ts'
import { describeEnd } from './view/report.ts'

const program = createProgram()
let options: GlobalOptions = {}
program.hook('preAction', (_, command) => {
  options = command.optsWithGlobals<GlobalOptions>()
})
for (const command of [
  program,
  ...program.commands,
  ...program.commands.flatMap((parent) => parent.commands),
])
  command.exitOverride()

// Before an engine is there, only a mistake in the command line is told.
process.stderr.on('error', () => undefined)
process.on('uncaughtException', endUncaught)

try {
  await program.parseAsync()
} catch (failure) {
  if (failure instanceof CommanderError)
    process.exitCode = failure.exitCode === 0 ? EXIT.ok : EXIT.usage
  else {
    const { code, text } = describeEnd(failure, options)
    process.stderr.write(`${text}\n`)
    process.exitCode = code
  }
}
