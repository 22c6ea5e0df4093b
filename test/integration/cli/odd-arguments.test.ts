import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { sharedToy } from '../../support/cli.ts'

const toy = sharedToy({ 'some.txt': 'text\n' }, async ({ folder, run }) => {
  await execa('mkfifo', [join(folder, 'fifo')])
  await symlink('/dev/zero', join(folder, 'device'))
  await mkdir(join(folder, 'folder'))
  expect((await run('build', 'alpha')).code).toBe(0)
})

/** A hang ends with 124. */
const BOUNDED = { wrap: ['timeout', '30'] }

describe.each(['fifo', 'device', 'folder'])(
  'what is a %s is refused at once, wherever a file belongs:',
  (odd) => {
    test.each([
      [['boot', odd]],
      [['diff', odd, 'some.txt']],
      [['diff', 'some.txt', odd]],
      [['changes', odd, odd]],
      [['rebuild', '--image', odd]],
    ])('%j', async (words) => {
      const { code, stderr } = await toy().runWith(BOUNDED, ...words)
      expect(code, stderr).toBe(2)
      expect(stderr).toMatch(/^error: /)
    })
  },
)

describe.each(['fifo', 'device'])('what is a %s is no mirror and no image:', (odd) => {
  test.each([[['fetch', '--from', odd]], [['build', 'alpha', '--mirror', odd]]])(
    '%j',
    async (words) => {
      const { code, stderr } = await toy().runWith(BOUNDED, ...words)
      expect(code, stderr).toBe(2)
    },
  )
})

describe('an empty value is refused, exit code 2, and nothing is made:', () => {
  test.each([
    ['build', 'alpha', '--store', ''],
    ['build', 'alpha', '--layers', ''],
    ['build', 'alpha', '--output', ''],
    ['mirror', 'prune', 'folder', '--keep', ''],
    ['mirror', 'serve', 'folder', '--address', ''],
    ['fetch', 'alpha', '--from', 'folder', '--from', ''],
  ])('%s %s %s %s %s', async (...words) => {
    const { code, stderr } = await toy().runWith({ globals: [] }, ...words)
    expect(code, stderr).toBe(2)
    expect(stderr).toMatch(/^error: .*"--\w+"/)
  })
})

describe('numbers out of bounds, exit code 2:', () => {
  const words = ['build', 'alpha']
  test.each([
    ['-j', '0'],
    ['-j', '-1'],
    ['-j', '1.5'],
    ['-j', '4097'],
    ['-j', '100000'],
    ['-j', '1e400'],
    ['-j', ''],
    ['--memory', '0'],
    ['--memory', '99999999999999999999'],
  ])('%s %s', async (option, value) => {
    const { code, stderr } = await toy().run(...words, option, value)
    expect(code, stderr).toBe(2)
  })

  test.each(['-1', '65536', '8080x', '1e3', '0x10', ''])('port %j', async (value) => {
    const { code, stderr } = await toy().run('mirror', 'serve', 'folder', '--port', value)
    expect(code, stderr).toBe(2)
  })

  test('the largest number of cores is none', async () => {
    expect((await toy().run(...words, '-j', '4096')).code).toBe(0)
  })
})
