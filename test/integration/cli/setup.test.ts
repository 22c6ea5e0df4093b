import { execa } from 'execa'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NEEDS } from '../../../src/cli/doctor/needs.ts'
import { CHECKOUT } from '../../support/tree.ts'

test('setup reads the table of needs as the engine does', async () => {
  const { stdout } = await execa(join(CHECKOUT, '.ci/setup'), ['--needs'])
  expect(stdout.split('\n')).toEqual(
    NEEDS.map((need) => [need.code, need.purpose, need.test, need.package].join('|')),
  )
})

test('every target of the Makefile has its line of help', async () => {
  const { stdout } = await execa('make', ['--no-print-directory', 'help'], { cwd: CHECKOUT })
  const named = stdout.split('\n').map((line) => /^ {2}make (\S+) +\S/.exec(line)?.[1])
  expect(named).toEqual([
    'help',
    'setup',
    'tiny',
    'appliance',
    'fixpoint',
    'test',
    'test-boot',
    'test-appliance',
    'lint',
    'boot',
    'bench',
    'clean',
  ])
})
