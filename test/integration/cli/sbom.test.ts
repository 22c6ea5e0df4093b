import { link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { loadMetadata } from '../../../src/metadata/load.ts'
import { recordOf } from '../../support/bills.ts'
import { diskStyle, jsonLines, makes, recipe, sharedToy, TOOLS_RECIPE } from '../../support/cli.ts'
import { cycloneDxFaults, readCycloneDx } from '../../support/cyclonedx.ts'
import { id } from '../../support/rig.ts'
import { spdxElements, spdxFaults } from '../../support/spdx.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'

const IN = 'inputs: [bootstrap/tools]'
const MAIN = join(CHECKOUT, 'dist/src/cli/main.js')

/** An image of one package, which has a patch and a CPE name. */
const toy = sharedToy(
  {
    'layers/styles/disk.yaml': diskStyle('cat "$MANIFEST" > "$OUT/{{name}}.img"'),
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/words/recipe.yaml': makes(
      'words',
      'plain',
      'sources: [{tree: [text], name: own}]',
      IN,
    ).replace('summary:', 'cpe: a:example:words\nsummary:'),
    'layers/product/words/patches/first.patch':
      'One word more.\n--- a/text\n+++ b/text\n@@ -1 +1 @@\n-one\n+two\n',
    text: 'one\n',
    'layers/product/disk/recipe.yaml': recipe(
      'disk',
      IN,
      'style: disk',
      'contents: [product/words]',
    ),
  },
  async ({ run, folder }) => {
    const built = await run('build', 'disk', '--output', join(folder, 'out'))
    if (built.code !== 0) throw new Error(built.stderr)
  },
)

const image = (): string => join(toy().folder, 'out/disk.img')
const bill = async (...words: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await toy().run('sbom', ...words)
  expect(code, stderr).toBe(0)
  return stdout
}

describe('the bill of an image that was built', () => {
  it('is that of its file, with all that it was built from', async () => {
    const text = await bill(image())
    expect(cycloneDxFaults(text)).toEqual([])
    const { metadata, components } = readCycloneDx(text)
    expect(metadata.component.hashes).toMatchObject([
      { content: digestOf(await readFile(image())) },
    ])
    expect(components.map(({ name, scope }) => [name, scope])).toEqual([
      ['tools', 'excluded'],
      ['words', 'required'],
      ['own', 'required'],
    ])
    expect(components[1]).toMatchObject({
      cpe: 'cpe:2.3:a:example:words:1.0:*:*:*:*:*:*:*',
      pedigree: {
        patches: [{ diff: { url: expect.stringMatching(/^patches\/first/) as string } }],
      },
    })
  })

  it('has the same content in both formats', async () => {
    const text = await bill(image(), '--format', 'spdx')
    expect(spdxFaults(text)).toEqual([])
    const packages = spdxElements(text).filter(({ type }) => type === 'software_Package')
    const { metadata, components } = readCycloneDx(await bill(image()))
    expect(packages.map((one) => 'software_packageUrl' in one && one.software_packageUrl)).toEqual(
      [metadata.component, ...components].map(({ purl }) => purl),
    )
  })

  it.each(['cyclonedx', 'spdx'])('has the same bytes for everyone, as %s', async (format) => {
    const { folder, runWith } = toy()
    const first = await bill(image(), '--format', format)
    expect(await bill(image().replace('.img', '.json'), '--format', format)).toBe(first)
    const globals = ['--layers', join(folder, 'layers/layers.yaml')]
    const other = await runWith(
      {
        globals: [...globals, '--store', join(folder, 'empty-store')],
        env: { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', HOME: '/nowhere', USER: 'canary' },
      },
      ...['sbom', image(), '--format', format],
    )
    expect(other.stdout, other.stderr).toBe(first)
    for (const canary of [folder, 'canary', process.version]) expect(first).not.toContain(canary)
  })

  it('is the same when the image is built again elsewhere', async () => {
    const { folder, runWith } = toy()
    const again = join(folder, 'again')
    const globals = ['--layers', join(folder, 'layers/layers.yaml'), '--store', `${again}-store`]
    const built = await runWith({ globals }, 'build', 'disk', '--output', again)
    expect(built.code, built.stderr).toBe(0)
    expect(await bill(join(again, 'disk.img'))).toBe(await bill(image()))
  })

  it('goes into a file, whole, in place of an older one', async () => {
    const file = join(toy().folder, 'new/folder/disk.cdx.json')
    await bill(image(), '-o', file)
    await writeFile(file, 'old')
    expect(await bill(image(), '-o', file)).toContain(': 0 source files, 1 folder of the checkout')
    const lines = jsonLines(await bill('--json', image(), '-o', file))
    expect(lines.at(-1)).toEqual(
      expect.objectContaining({
        ...{ type: 'sbom', image: 'product/disk', format: 'cyclonedx', file },
        ...{ packages: 2, installed: 1, sources: 1, folders: 1 },
      }),
    )
    expect(await readFile(file, 'utf8')).toBe(await bill(image()))
  })
})

describe('standard output by its name', () => {
  it('is "-", too', async () => {
    expect(await bill(image(), '-o', '-')).toBe(await bill(image()))
  })

  it.each(['> "$0"', '| cat > "$0"'])('gets the bill and nothing else: %s', async (end) => {
    const out = join(await temporaryFolder(), 'out')
    const words = [process.execPath, MAIN, '--layers', join(toy().folder, 'layers/layers.yaml')]
    const command = [...words, '--store', toy().store, 'sbom', image(), '-o', '/dev/stdout']
    await execa('sh', ['-c', `"$@" ${end}`, out, ...command])
    expect(await readFile(out, 'utf8')).toBe(await bill(image()))
  })
})

it('is written by several at once', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'new/bill')
  await Promise.all(Array.from({ length: 4 }, () => bill(image(), '-o', file)))
  expect(await readFile(file, 'utf8')).toBe(await bill(image()))
  expect(await readdir(join(folder, 'new'))).toEqual(['bill'])
})

describe('no bill is written', () => {
  const refused = async (status: number, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await toy().run('sbom', ...words)
    expect(code, stderr).toBe(status)
    expect(stdout).toBe('')
    return stderr
  }

  /** The image and its record in a folder of their own, where a test may change them. */
  const copied = async (): Promise<string> => {
    const folder = await temporaryFolder()
    for (const name of ['disk.img', 'disk.json'])
      await writeFile(join(folder, name), await readFile(join(toy().folder, 'out', name)))
    return join(folder, 'disk.img')
  }

  it('of an image that is not the one of its record', async () => {
    const path = await copied()
    await writeFile(path, 'other bytes')
    const record = path.replace('.img', '.json')
    expect(await refused(2, path)).toContain(`"${record}"`)
    expect(await bill(record)).toBe(await bill(image()))
  })

  it('of an image whose recipes changed: the first that did is named', async () => {
    const { write } = toy()
    await write({ text: 'one more\n' })
    const error = await refused(2, image())
    await write({ text: 'one\n' })
    expect(error).toContain('product/words')
  })

  it('in place of the image or its record, whatever they are called', async () => {
    const path = await copied()
    const record = path.replace('.img', '.json')
    await link(record, `${record}.hard`)
    await symlink('disk.img', `${path}.link`)
    const before = await readFile(record, 'utf8')
    for (const name of [path, record, `${record}.hard`, `${path}.link`])
      for (const named of [path, record])
        expect(await refused(2, named, '-o', name)).toContain('which is an input')
    expect(await readFile(record, 'utf8')).toBe(before)
    expect(await readFile(path, 'utf8')).toBe(await readFile(image(), 'utf8'))
  })

  it('where no folder or file can be made: the reason is named', async () => {
    const folder = await temporaryFolder()
    await symlink('nowhere', join(folder, 'link'))
    for (const path of ['/proc/x', '/proc/x/y', join(folder, 'link/z')])
      expect(await refused(6, image(), '-o', path)).not.toMatch(/^\s+at /m)
  })

  it('without a record, into a folder, or in a format that does not exist', async () => {
    const { folder } = toy()
    expect(await refused(2, join(folder, 'none.img'))).toContain('none.json')
    await mkdir(join(folder, 'a-folder'))
    for (const name of ['a-folder', 'new-folder/'])
      expect(await refused(2, image(), '-o', join(folder, name))).toContain(name)
    expect(await refused(2, image(), '--format', 'csv')).toContain('cyclonedx, spdx')
  })
})

describe('the bill of an image as large as the appliance', () => {
  it.each(['cyclonedx', 'spdx'])('takes at most 3 s of CPU, as %s', async (format) => {
    const folder = await temporaryFolder()
    const layers = join(CHECKOUT, 'layers/layers.yaml')
    const record = recordOf(await loadMetadata(layers), id('appliance/appliance'))
    const path = join(folder, 'appliance.json')
    await writeFile(path, JSON.stringify(record))
    const command = [MAIN, '--layers', layers, '--store', join(folder, 'store'), 'sbom', path]
    // The second line of `times`: user and system time of the children.
    const script = '"$@" > "$0" && times'
    const { stdout } = await execa('sh', [
      ...['-c', script, join(folder, 'bill'), process.execPath, ...command, '--format', format],
    ])
    const spent = /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s/.exec(stdout)!.slice(1).map(Number)
    expect(spent[0]! * 60 + spent[1]! + spent[2]! * 60 + spent[3]!).toBeLessThan(3)
    const text = await readFile(join(folder, 'bill'), 'utf8')
    expect(format === 'spdx' ? spdxFaults(text) : cycloneDxFaults(text)).toEqual([])
  })
})
