import { execa } from 'execa'
import { Argument, Command, Option } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram } from '../../../../src/cli/program/program.ts'
import { manPage } from '../../../../src/cli/view/man-page.ts'

describe('the manual page', () => {
  test('has every command and every option that help shows', () => {
    const program = createProgram()
    const page = manPage(program).replaceAll('\\-', '-')
    const visible = program.createHelp().visibleCommands(program)
    for (const command of visible.filter((one) => one.name() !== 'help')) {
      expect(page).toContain(command.name())
      for (const option of command.options.filter(({ hidden }) => !hidden))
        expect(page).toContain(option.flags)
    }
    expect(page).not.toMatch(/^\.SS complete /m)
  })

  test('keeps text that troff would read', () => {
    const program = new Command('made').description("'up\\fI .x")
    program
      .command('do')
      .description('.it -x')
      .addArgument(new Argument('<this>'))
      .addOption(new Option('--how <way>').choices(['a', 'b']))
    const page = manPage(program)
    expect(page).toContain("made \\- \\&'up\\efI .x")
    expect(page).toContain('\\&.it \\-x.')
    expect(page).toContain('.SS do <this>')
    expect(page).toContain(': a, b.')
  })

  test('is one that groff formats without a complaint', async (context) => {
    const groff = await execa('groff', ['--version'], { reject: false })
    if (groff.failed) context.skip('groff is not installed')
    const { stdout, stderr } = await execa('groff', ['-man', '-Tascii', '-ww', '-P-cbou'], {
      input: manPage(createProgram()),
    })
    expect(stderr).toBe('')
    expect(stdout).toContain('EXIT STATUS')
  })
})
