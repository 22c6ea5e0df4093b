import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseReceipt } from '../../../src/report/receipts/receipt.ts'
import {
  HAS_CHROMIUM,
  openBrowser,
  openFile,
  tooWide,
  type Browser,
  type Opened,
} from '../../support/browser.ts'
import {
  diskStyle,
  jsonLines,
  makes,
  recipe,
  sharedToy,
  step,
  TOOLS_RECIPE,
} from '../../support/cli.ts'
import { waitUntil } from '../../support/rig.ts'
import { toySigner } from '../../support/receipts.ts'

const IN = 'inputs: [bootstrap/tools]'

/** words -> lines -> disk, which also holds a file with an odd name. */
const toy = sharedToy(
  {
    'layers/styles/disk.yaml': diskStyle('cat "$MANIFEST" > "$OUT/{{name}}.img"'),
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/words/recipe.yaml': makes('words', 'plain', IN),
    'layers/product/lines/recipe.yaml': recipe(
      'lines',
      'inputs: [bootstrap/tools, product/words]',
      'style: plain',
      step(
        'mkdir -p "$OUT/usr/share/odd"',
        'cat /usr/share/words > "$OUT/usr/share/lines"',
        `echo x > "$OUT/usr/share/odd/<img src=x onerror=alert(1)>\\"'"`,
      ),
    ),
    'layers/product/disk/recipe.yaml': recipe(
      'disk',
      IN,
      'style: disk',
      'contents: [product/lines, product/words]',
    ),
  },
  async ({ run }) => {
    const { code, stderr } = await run('build', 'disk', '-o', 'out', '--receipts', 'receipts')
    expect(code, stderr).toBe(0)
  },
)

const at = (name: string): string => join(toy().folder, name)

/** The one file of receipts that the build wrote. */
async function builtReceipts(): Promise<string> {
  const names = await readdir(at('receipts'))
  return at(`receipts/${names.find((name) => name.endsWith('.jsonl'))!}`)
}

describe('the command', () => {
  test('puts the page beside the record, of an image or of its record', async () => {
    const { run } = toy()
    const { code, stdout, stderr } = await run('--json', 'report', 'out/disk.img')
    expect(code, stderr).toBe(0)
    const text = await readFile(at('out/disk.html'), 'utf8')
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      type: 'report',
      file: 'out/disk.html',
      bytes: Buffer.byteLength(text),
      changed: [],
    })
    expect((await run('report', 'out/disk.json', '-o', 'new/folder/page.html')).code).toBe(0)
    expect(await readFile(at('new/folder/page.html'), 'utf8')).toBe(text)
  })

  test('writes the same bytes wherever and whenever it runs', async () => {
    const { run, runWith, folder, store } = toy()
    expect((await run('report', 'out/disk.json', '-o', 'one.html')).code).toBe(0)
    const globals = ['--layers', join(folder, 'layers/layers.yaml'), '--store', store]
    const env = { TZ: 'Pacific/Kiritimati', LC_ALL: 'de_DE.UTF-8', COLUMNS: '40' }
    const wrap = ['setarch', '-R']
    const how = { env, globals, wrap }
    expect((await runWith(how, 'report', 'out/disk.json', '-o', 'two.html')).code).toBe(0)
    expect(await readFile(at('two.html'), 'utf8')).toBe(await readFile(at('one.html'), 'utf8'))
  })

  test('says what the store does not have', async () => {
    const { runWith, folder } = toy()
    const globals = ['--layers', join(folder, 'layers/layers.yaml'), '--store', at('other')]
    const { code, stderr } = await runWith({ globals }, 'report', 'out/disk.json', '-o', 'o.html')
    expect(code, stderr).toBe(0)
    const text = await readFile(at('o.html'), 'utf8')
    expect(text).toContain('The store has none of the packages of this image')
    expect(text).toContain('product&#x2F;lines')
  })

  test.each([
    ['what is missing', 'missing.json', undefined],
    ['what is no record', 'bad.json', '{"recipe": 5}'],
    ['a record with a size below nothing', 'minus.json', 'minus'],
  ])('refuses %s', async (_, name, text) => {
    const record = await readFile(at('out/disk.json'), 'utf8')
    if (text !== undefined)
      await writeFile(
        at(name),
        text === 'minus' ? record.replace(/"size": \d+/, '"size": -1') : text,
      )
    const { code, stderr } = await toy().run('report', name, '-o', 'refused.html')
    expect(code).toBe(2)
    expect(stderr).toContain(name)
    await expect(readFile(at('refused.html'))).rejects.toThrow()
  })
})

test('refuses an image that is not that of its record, and its inputs as output', async () => {
  const { run } = toy()
  const before = await readFile(at('out/disk.json'), 'utf8')
  await mkdir(at('junk'))
  await writeFile(at('junk/disk.json'), before)
  await writeFile(at('junk/disk.img'), 'junk')
  const junk = await run('report', 'junk/disk.img')
  expect([junk.code, junk.stderr]).toEqual([2, expect.stringContaining('junk/disk.json')])
  expect((await readdir(at('junk'))).sort()).toEqual(['disk.img', 'disk.json'])
  const receipts = await builtReceipts()
  const kept = await readFile(receipts, 'utf8')
  await writeFile(at('trusted'), '')
  const more = ['--receipts', 'receipts', '--signers', 'trusted']
  for (const output of ['out/disk.img', 'out/disk.json', receipts, 'trusted']) {
    const { code, stderr } = await run('report', 'out/disk.img', ...more, '-o', output)
    expect([code, stderr]).toEqual([2, expect.stringContaining('which is an input')])
  }
  expect(await readFile(receipts, 'utf8')).toBe(kept)
  expect(await readFile(at('out/disk.json'), 'utf8')).toBe(before)
})

/** Paths of what a process has open. */
function opened(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((name) => {
    try {
      return readlinkSync(join(folder, name))
    } catch {
      return [] // closed meanwhile
    }
  })
}

test('Ctrl-C ends it: 130, and no page', async () => {
  const { start } = toy()
  await mkdir(at('large'))
  await writeFile(at('large/disk.json'), await readFile(at('out/disk.json')))
  await writeFile(at('large/disk.img'), '')
  // Holes that take seconds to read.
  await truncate(at('large/disk.img'), 64 * 2 ** 30)
  const child = start('report', 'large/disk.img')
  const exit = once(child, 'exit')
  await waitUntil(() => opened(child.pid!).includes(at('large/disk.img')))
  child.kill('SIGINT')
  expect(await exit).toEqual([130, null])
  expect((await readdir(at('large'))).sort()).toEqual(['disk.img', 'disk.json'])
})

describe('receipts', () => {
  test('count by their signers, at a time that is stated', async () => {
    const { run } = toy()
    const signer = toySigner()
    const file = await builtReceipts()
    await writeFile(`${file}.sig`, signer.sign(await readFile(file, 'utf8')))
    await writeFile(at('signers'), `alice ${signer.line}\n`)
    const receipts = ['--receipts', 'receipts', '--signers', 'signers', '-o', 'r.html']
    const { code, stderr } = await run('report', 'out/disk.json', ...receipts)
    expect(code, stderr).toBe(0)
    const page = await readFile(at('r.html'), 'utf8')
    expect(page).toContain('3 of 3 artifacts were made by others')
    const fingerprint = signer.fingerprint.slice('SHA256:'.length, 12)
    expect(page).toContain(fingerprint.replaceAll('/', '&#x2F;'))

    await writeFile(at('signers'), `alice valid-before="20300101Z" ${signer.line}\n`)
    const untimed = await run('report', 'out/disk.json', ...receipts)
    expect(untimed.code).toBe(2)
    expect(untimed.stderr).toContain('--at')
    const late = await run('report', 'out/disk.json', ...receipts, '--at', '20310101Z')
    expect(late.code, late.stderr).toBe(0)
    const expired = await readFile(at('r.html'), 'utf8')
    expect(expired).toContain('0 of 3 artifacts were made by others')
    expect(expired).toContain('no longer valid')
  })

  test('that contradict are on the page, and fail the command', async () => {
    const { run } = toy()
    const lines = (await readFile(await builtReceipts(), 'utf8')).trimEnd().split('\n')
    const line = lines.find((one) => parseReceipt(one).recipe === 'product/words')!
    const { artifact } = parseReceipt(line)
    const lie = line.replaceAll(
      artifact,
      artifact.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    )
    await writeFile(at('lie.intoto.jsonl'), `${lie}\n`)
    const words = ['--receipts', 'lie.intoto.jsonl', '-o', 'lie.html']
    const { code, stderr } = await run('report', 'out/disk.json', ...words)
    expect(code).toBe(5)
    expect(stderr).toContain('product/words')
    expect(await readFile(at('lie.html'), 'utf8')).toContain('Two artifacts are said to come from')
  })
})

describe.skipIf(!HAS_CHROMIUM)('in Chromium', () => {
  let browser: Browser
  let file: string

  beforeAll(async () => {
    browser = await openBrowser()
    file = at('browser.html')
    const { code, stderr } = await toy().run('report', 'out/disk.json', '-o', file)
    expect(code, stderr).toBe(0)
  })

  afterAll(async () => {
    await browser.close()
  })

  const open = (width: number, colorScheme?: 'light' | 'dark'): Promise<Opened> =>
    openFile(browser, file, width, colorScheme)

  test('opens in less than two seconds, and asks for nothing', async () => {
    const { page, took, trouble } = await open(1280)
    expect(took).toBeLessThan(2000)
    expect(await page.locator('h1').textContent()).toBe('disk')
    expect(trouble).toEqual([])
    await page.close()
  })

  test.each([360, 768, 1024, 1600])('does not scroll sideways at %d pixels', async (width) => {
    const { page } = await open(width)
    expect(await tooWide(page)).toEqual([])
    await page.close()
  })

  test('has names in rows in place of the drawing on small screens, and they answer', async () => {
    const { page } = await open(360)
    expect(await page.locator('#graph svg').isVisible()).toBe(false)
    await page.locator('.chip', { hasText: 'lines' }).click()
    expect(await page.locator('#focus-name').textContent()).toBe('lines 1.0')
    expect(await page.locator('.chip.self').textContent()).toContain('product/lines')
    await page.close()
    const { page: wide } = await open(1280)
    expect(await wide.locator('#graph svg').isVisible()).toBe(true)
    expect(await wide.locator('.chip').first().isVisible()).toBe(false)
    await wide.close()
  })

  test('is dark where the system is, and by its own switch, by keyboard', async () => {
    const ground = (page: Page): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor')
    const { page } = await open(1280, 'light')
    const light = await ground(page)
    const { page: other } = await open(1280, 'dark')
    const dark = await ground(other)
    expect(light).not.toBe(dark)
    await page.locator('#theme-auto').focus()
    await page.keyboard.press('ArrowRight')
    expect(await ground(page)).toBe(light)
    await page.keyboard.press('ArrowRight')
    expect(await ground(page)).toBe(dark)
    await page.close()
    await other.close()
  })

  test('finds a recipe by keyboard, and shows what it uses and what uses it', async () => {
    const { page, trouble } = await open(1280)
    await page.locator('#find').focus()
    await page.keyboard.type('line')
    expect(await page.locator('#found li').allTextContents()).toEqual(['product/lines'])
    expect(await page.locator('#find').getAttribute('aria-expanded')).toBe('true')
    await page.keyboard.press('ArrowDown')
    expect(await page.locator('#find').getAttribute('aria-activedescendant')).toBe('option-0')
    await page.keyboard.press('Enter')
    expect(await page.locator('#focus-name').textContent()).toBe('lines 1.0')
    expect(await page.locator('#uses li').allTextContents()).toEqual([
      'bootstrap/tools',
      'product/words',
    ])
    expect(await page.locator('#users li').allTextContents()).toEqual(['product/disk'])
    expect(await page.locator('#said').textContent()).toContain('product/lines: uses 2, used by 1')
    expect(await page.locator('.node.self title').textContent()).toContain('product/lines')
    expect(await page.locator('svg .node.users').count()).toBe(1)
    expect(await page.locator('.chip.direct-uses').count()).toBe(2)
    await page.keyboard.press('Escape')
    expect(await page.locator('#focus').isVisible()).toBe(false)
    expect(await page.locator('.focused').count()).toBe(0)
    expect(trouble).toEqual([])
    await page.close()
  })

  test('goes from a table and from the lists to other recipes', async () => {
    const { page } = await open(1280)
    await page.locator('#packages summary').first().click()
    await page.locator('#packages .name', { hasText: 'words' }).click()
    expect(await page.locator('#focus-name').textContent()).toBe('words 1.0')
    await page.locator('#users button', { hasText: 'lines' }).click()
    expect(await page.locator('#focus-name').textContent()).toBe('lines 1.0')
    expect(await page.evaluate('document.activeElement.id')).toBe('unfocus')
    await page.keyboard.press('Enter')
    expect(await page.locator('#focus').isVisible()).toBe(false)
    await page.close()
  })

  test('shows the timeline for another number of cores', async () => {
    const { page } = await open(1280)
    expect(await page.locator('.plan:visible').count()).toBe(1)
    await page.locator('.cores input').first().focus()
    await page.keyboard.press('Space')
    expect(await page.locator('.plan-1').isVisible()).toBe(true)
    expect(await page.locator('.plan:visible').count()).toBe(1)
    await page.close()
  })

  test('takes no name of a file for an element', async () => {
    const { page } = await open(1280)
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.locator('[title*="onerror=alert(1)"]').count()).toBeGreaterThan(0)
    await page.close()
  })

  test('can be used by keyboard alone: each place that has the focus shows it', async () => {
    const { page } = await open(1280)
    const seen = new Set<string>()
    for (let press = 0; press < 40; press++) {
      await page.keyboard.press('Tab')
      const [what, shown] = await page.evaluate<[string, boolean]>(`(() => {
        const { activeElement: one } = document
        const shown = one.matches('.switch input') ? one.nextElementSibling : one
        const style = getComputedStyle(shown)
        return [one.id || one.textContent.trim().slice(0, 30) || one.getAttribute('aria-label'),
          one === document.body || style.outlineStyle !== 'none']
      })()`)
      expect(shown, what).toBe(true)
      seen.add(what)
    }
    for (const wanted of ['Skip to the content', 'theme-auto', 'find', 'Packages as a table'])
      expect([...seen]).toContain(wanted)
    await page.close()
  })
})
