#!/usr/bin/env node
import { CommanderError } from 'commander'
import { EXIT } from '../base/error.ts'
import { explainSystemError } from '../base/system-error.ts'
import { createProgram } from './program.ts'
import { describeError, exitCodeOf } from './report.ts'

const program = createProgram()
for (const command of [program, ...program.commands, ...program.commands.flatMap((parent) => parent.commands)])
  command.exitOverride()

// Before an engine is there, only a mistake in the command line is told.
process.stderr.on('error', () => undefined)

try {
  await program.parseAsync()
} catch (failure) {
  const error = explainSystemError(failure)
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  else {
    const code = exitCodeOf(error)
    process.stderr.write(
      code === EXIT.interrupted ? 'interrupted; the next run goes on from here\n' : `${describeError(error)}\n`,
    )
    process.exitCode = code
  }
}
