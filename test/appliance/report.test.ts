import { mkdtemp, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { removeTree } from '../../src/base/remove-tree.ts'
import { HAS_CHROMIUM, openBrowser, openFile, tooWide } from '../support/browser.ts'
import { CHECKOUT } from '../support/tree.ts'

let folder: string

const at = (name: string): string => join(folder, name)

async function fixpoint(...words: string[]): Promise<void> {
  const main = join(CHECKOUT, 'dist/src/cli/main.js')
  await execa(process.execPath, [main, ...words], { cwd: CHECKOUT })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-'))
  await fixpoint('build', 'appliance', '-o', folder)
  await fixpoint('report', at('appliance.json'), '-o', at('report.html'))
})

afterAll(async () => {
  await removeTree(folder)
})

test('the page of the appliance is at most 1.5 MB, and the same bytes each time', async () => {
  expect((await stat(at('report.html'))).size).toBeLessThanOrEqual(1_500_000)
  await fixpoint('report', at('appliance.json'), '-o', at('again.html'))
  expect(await readFile(at('again.html'), 'utf8')).toBe(await readFile(at('report.html'), 'utf8'))
})

test.skipIf(!HAS_CHROMIUM)('it opens at once, complains of nothing, and fits screens', async () => {
  const browser = await openBrowser()
  for (const scheme of ['light', 'dark'] as const)
    for (const width of [360, 1600]) {
      const { page, took, trouble } = await openFile(browser, at('report.html'), width, scheme)
      expect(took).toBeLessThan(2000)
      expect(await tooWide(page)).toEqual([])
      expect(trouble).toEqual([])
      await page.close()
    }
  await browser.close()
})
