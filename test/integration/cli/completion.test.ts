import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { sharedToy, type Ended } from '../../support/cli.ts'

const toy = sharedToy({}, async () => {})

/** What could stand in place of the last word, and the line that tells the shell what else may. */
async function complete(...words: readonly string[]): Promise<[string[], string]> {
  const { code, stdout, stderr }: Ended = await toy().run('complete', '--', ...words)
  expect(code, stderr).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  return [lines.slice(0, -1).map((line) => line.split('\t')[0] ?? ''), lines.at(-1) ?? '']
}

const NO_FILES = ':4'
const FILES = ':0'

describe('completion', () => {
  test.each<[string[], string[], string]>([
    [['bui'], ['build'], NO_FILES],
    [['archive', 'ch'], ['check'], NO_FILES],
    [['build', 'al'], ['alpha'], NO_FILES],
    [['build', 'alpha', 'be'], ['beta'], NO_FILES],
    [['build', 'bootstrap/a'], ['bootstrap/alpha'], NO_FILES],
    [['build', 'boot'], ['bootstrap/alpha', 'bootstrap/beta'], NO_FILES],
    [['build', '--keep-f'], ['--keep-failed'], NO_FILES],
    [['list', 'boot'], ['bootstrap'], NO_FILES],
    [['completion', 'fi'], ['fish'], NO_FILES],
    [['changes', ''], [], FILES],
    [['build', '--output', ''], [], FILES],
  ])('of %j is %j', async (words, expected, files) => {
    const [found, directive] = await complete(...words)
    expect(found).toEqual(expected)
    expect(directive).toBe(files)
  })

  test('names commands, and none that help does not show', async () => {
    const [commands] = await complete('')
    expect(commands).toContain('build')
    expect(commands).not.toContain('complete')
  })

  test('leaves faults of recipes to the commands', async () => {
    const { write } = toy()
    await write({ 'layers/product/broken/recipe.yaml': 'name: [' })
    const [found] = await complete('build', 'al')
    expect(found).toEqual([])
    await write({ 'layers/product/broken': undefined })
  })

  test('is known for bash, zsh and fish only', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await toy().run('completion', shell)
      expect(code).toBe(0)
      expect(stdout).toContain('fixpoint')
    }
    const { code, stderr } = await toy().run('completion', 'csh')
    expect(code).toBe(2)
    expect(stderr).toContain('bash, zsh, fish')
  })

  test('may be read by bash more than once', async () => {
    const { stdout: script } = await toy().run('completion', 'bash')
    const { stderr } = await execa('bash', ['--norc', '-c', `${script}\n${script}`])
    expect(stderr).toBe('')
    expect(script).toContain('complete -F')
  })

  test('works in bash itself', async (context) => {
    const library = '/usr/share/bash-completion/bash_completion'
    if (!existsSync(library)) context.skip('bash-completion is not installed')
    const { stdout: script } = await toy().run('completion', 'bash')
    const asked = `
      source ${library}
      ${script}
      COMP_LINE='fixpoint archive ch'; COMP_POINT=\${#COMP_LINE}
      COMP_WORDS=(fixpoint archive ch); COMP_CWORD=2
      $(complete -p fixpoint | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      printf '%s\\n' "\${COMPREPLY[@]}"
    `
    const { stdout } = await execa('bash', ['--norc', '-c', asked], { cwd: toy().folder })
    expect(stdout.trim()).toMatch(/^check\b/)
  })
})

test('the manual page needs no layers and no store', async () => {
  const { code, stdout } = await toy().runWith(
    { globals: ['--layers', join(toy().folder, 'none.yaml')] },
    'man',
  )
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\.TH FIXPOINT 1\n/)
})
