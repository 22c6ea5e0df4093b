import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeTree } from '../../../src/base/remove-tree.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { receiptLine } from '../../../src/report/receipts/receipt.ts'
import { loadMetadata } from '../../../src/metadata/load.ts'
import { recordOf } from '../../support/bills.ts'
import { cycloneDxFaults } from '../../support/cyclonedx.ts'
import { storedImage } from '../../support/image.ts'
import { receiptOf } from '../../support/receipts.ts'
import { spdxFaults } from '../../support/spdx.ts'
import { writeTreeAt } from '../../support/trees.ts'
import { CHECKOUT } from '../../support/tree.ts'

const LAYERS = join(CHECKOUT, 'layers/layers.yaml')
const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')

/** Where tiny was built, the store has the sources of what it holds. */
const hasSources = (await storedImage('tiny')) !== undefined

/** A product of somebody's own, as the tutorial makes it. */
const PRODUCT = {
  'layers/layers.yaml': `include: ${LAYERS}\nlayers: [product]\n`,
  'layers/product/hello/files/hello.c': 'int main(void) { return 0; }\n',
  'layers/product/hello/recipe.yaml': `name: hello
version: '1'
summary: A program of our own
license: MIT
inputs: [toolchain/gcc, toolchain/busybox]
style: plain
steps:
  build: '"$CC" $CFLAGS $LDFLAGS -o hello "$FILES/hello.c"'
  install: install -D hello "$OUT/usr/bin/hello"
`,
  'layers/product/device/recipe.yaml':
    'name: device\nsummary: The product\nextends: system/tiny\nappend:\n' +
    '  contents: [product/hello]\n',
}

let folder: string

/** Runs `fixpoint` on the product's layers; what it printed. */
async function fixpoint(...words: readonly string[]): Promise<string> {
  const layers = ['--layers', join(folder, 'layers/layers.yaml')]
  const { stdout } = await execa(process.execPath, [MAIN, ...layers, ...words], { cwd: folder })
  return stdout
}

/** The record that a build of the product would leave: its recipes and keys are the real ones. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-'))
  await writeTreeAt(folder, PRODUCT)
  const metadata = await loadMetadata(join(folder, 'layers/layers.yaml'))
  const record = recordOf(metadata, 'product/device' as RecipeId)
  await writeFile(join(folder, 'device.json'), JSON.stringify(record))
})

afterAll(() => removeTree(folder))

describe("the papers of a product's image", () => {
  it.each([
    ['cyclonedx', cycloneDxFaults],
    ['spdx', spdxFaults],
  ] as const)('a bill, valid as %s, that leaves nothing open', async (format, faultsOf) => {
    const text = `${await fixpoint('sbom', 'device.json', '--format', format)}\n`
    expect(faultsOf(text)).toEqual([])
    expect(text).not.toMatch(/NOASSERTION|"NONE"|undefined|null/)
    for (const name of ['product/hello', 'system/linux', 'system/busybox'])
      expect(text).toContain(name)
    expect(await fixpoint('sbom', 'device.json', '--format', format)).toBe(text.trimEnd())
  })

  it('a page with its own program', async () => {
    await fixpoint('report', 'device.json', '-o', 'device.html')
    expect(await readFile(join(folder, 'device.html'), 'utf8')).toContain('product&#x2F;hello')
  })

  it('what nobody has confirmed yet', async () => {
    await mkdir(join(folder, 'receipts'))
    await writeFile(
      join(folder, 'receipts/other.intoto.jsonl'),
      receiptLine(receiptOf('product/other')),
    )
    const words = ['receipts', 'device.json', 'receipts', '--require', '1']
    await expect(fixpoint(...words)).rejects.toMatchObject({
      // As an error of its own it says that the image, of which only the record is here, is not.
      exitCode: 2,
      stderr: expect.stringContaining('product/hello: 0 of 1') as string,
    })
  })

  it.skipIf(!hasSources)('a text of each license of what it holds', async () => {
    await fixpoint('legal', 'device.json', 'papers', '--offline')
    const rows = (await readFile(join(folder, 'papers/manifest.csv'), 'utf8')).trimEnd().split('\n')
    const held = new Set(rows.slice(1).map((row) => row.slice(0, row.indexOf(','))))
    expect(held).toContain('product/hello')
    for (const recipe of held) {
      const texts = join(folder, 'papers/licenses', recipe)
      // A recipe whose files are all in the checkout has the checkout's license.
      if (!rows.some((row) => row.startsWith(`${recipe},`) && /,[0-9a-f]{64},/.test(row))) continue
      expect(existsSync(texts) ? await readdir(texts) : [], recipe).not.toEqual([])
    }
    expect(rows.join('\n')).not.toMatch(/NOASSERTION|,,,,,,/)
  })
})
