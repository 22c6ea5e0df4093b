import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { CHECKOUT } from '../support/tree.ts'

it('the list of seeds to read is the one that is printed', async () => {
  const { stdout } = await execa(
    process.execPath,
    [join(CHECKOUT, 'dist/src/cli/main.js'), 'seeds', 'appliance'],
    {
      cwd: CHECKOUT,
    },
  )
  const page = await readFile(join(CHECKOUT, 'docs/seeds.md'), 'utf8')
  expect(page.slice(page.indexOf('\n## ') + 1).trimEnd()).toBe(stdout.trimEnd())
})
