import { describe, expect, test } from 'vitest'
import { commandLine } from '../../support/cli.ts'

const toy = commandLine()

describe('what only the host or an argument can bring about is no bug:', () => {
  test.each([
    ['a store that cannot be made', 6, ['--store', '/proc/x', 'build', '-n', 'alpha']],
    ['a store that is a file', 6, ['--store', '/etc/passwd', 'build', '-n', 'alpha']],
    ['a store below a device', 6, ['--store', '/dev/null/x', 'build', '-n', 'alpha']],
    ['a mirror folder that cannot be made', 6, ['mirror', 'create', '/proc/x', 'alpha']],
    ['a mirror folder that is a file', 6, ['mirror', 'create', '/etc/passwd', 'alpha']],
    ['a mirror that is a file', 2, ['mirror', 'check', '/etc/passwd']],
    ['a folder that is no mirror', 2, ['mirror', 'update', '/etc', 'alpha']],
    ['a mirror to serve that is not there', 2, ['mirror', 'serve', '/no/such/folder']],
    ['folders to compare', 2, ['diff', '/etc', '/etc']],
    ['a folder as image', 2, ['rebuild', '--image', '/etc']],
    ['a folder as source of sources', 2, ['fetch', 'alpha', '--from', '/no/such/folder']],
    ['a text file as a disk to boot', 2, ['boot', '/etc/passwd']],
    ['a record that is not there', 2, ['changes', '/no/such.json', '/no/such.json']],
  ])('%s', async (_, wanted, words) => {
    const { run } = await toy()
    const { code, stderr } = await run(...words)
    expect({ code, stderr }).toEqual({
      code: wanted,
      stderr: expect.stringMatching(/^error: Cannot /) as string,
    })
    expect(stderr).not.toMatch(/bug|\n {4}at /)
  })

  test('a folder as layers', async () => {
    const { runWith } = await toy()
    const { code, stderr } = await runWith({ globals: ['--layers', '/etc'] }, 'graph')
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('"/etc": it must be a regular file') as string,
    })
  })
})

describe('standard output on a full disk', () => {
  test.each([['graph'], ['show', 'alpha'], ['build', '--json', '-n', 'alpha'], ['schema']])(
    '%s',
    async (...words) => {
      const { runWith } = await toy()
      const { code, stderr } = await runWith(
        { wrap: ['sh', '-c', 'exec "$@" >/dev/full', 'sh'] },
        ...words,
      )
      expect({ code, stderr }).toEqual({
        code: 6,
        stderr: 'error: Cannot write to standard output: the disk is full\n',
      })
    },
  )

  test('standard error there changes nothing', async () => {
    const { runWith } = await toy()
    const wrap = ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh']
    expect((await runWith({ wrap }, 'graph')).code).toBe(0)
    expect((await runWith({ wrap }, 'graph', 'nosuch')).code).toBe(2)
    expect((await runWith({ wrap }, 'nosuch')).code).toBe(2)
  })
})
