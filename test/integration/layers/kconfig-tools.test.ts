import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CHECKOUT } from '../../support/tree.ts'
import { storedTree } from '../../support/image.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { writeTreeAt } from '../../support/trees.ts'

const TOOLS = join(CHECKOUT, 'layers/base/kconfig-tools/files/usr/bin')

/** With the awk of builds where it is stored, else with the host's. */
const BUSYBOX = await storedTree('toolchain/busybox')
const PATH = `${BUSYBOX === undefined ? '' : `${BUSYBOX}/usr/bin:`}${process.env['PATH'] ?? ''}`

/** Runs a tool on fragments in a folder with these files. */
async function run(
  tool: string,
  files: Readonly<Record<string, string>>,
  ...fragments: readonly string[]
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const folder = await temporaryFolder()
  await writeTreeAt(folder, files)
  const { status, stdout, stderr } = spawnSync(
    join(TOOLS, tool),
    fragments.map((name) => join(folder, name)),
    {
      cwd: folder,
      env: { PATH, LC_ALL: 'C', FILES: join(folder, 'files'), SRCARCH: 'toy' },
      encoding: 'utf8',
    },
  )
  return { status, stdout, stderr }
}

describe('kconfig-merge', () => {
  it('prints the last statement of each option', async () => {
    const files = {
      'files/base':
        '# comment\n\nCONFIG_A=y\nCONFIG_B="a = b"\n# CONFIG_C is not set\nCONFIG_D=y\n',
      'files/more': 'CONFIG_C=m\n# CONFIG_A is not set\nCONFIG_E=0x10\nCONFIG_E=n\n',
    }
    expect(await run('kconfig-merge', files, 'files/base', 'files/more')).toEqual({
      status: 0,
      stdout:
        'CONFIG_B="a = b"\nCONFIG_D=y\nCONFIG_C=m\n# CONFIG_A is not set\n# CONFIG_E is not set\n',
      stderr: '',
    })
  })

  it.each(['CONFIG_A y', ' CONFIG_A=y', '#CONFIG_A is not set', '# CONFIG_A is not set.', 'A=y'])(
    'does not take "%s", which Kconfig would pass over',
    async (line) => {
      const { status, stderr } = await run('kconfig-merge', { 'files/x': `\n${line}\n` }, 'files/x')
      expect(status).toBe(1)
      expect(stderr).toContain(`files/x:2: `)
      expect(stderr).toContain(`"${line}"`)
    },
  )

  it('fails on a file that is not there', async () => {
    const { status, stderr } = await run('kconfig-merge', {}, 'files/none')
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'cannot read files/none\n' })
  })
})

/** Kconfig files with the constructs that hide an option. */
const KCONFIG = {
  Kconfig: [
    'mainmenu "Toy $(VERSION)"',
    'source "arch/$(SRCARCH)/Kconfig"',
    'config NET',
    '\tbool "Network"',
    '\thelp',
    '\t  if you want a network',
    '',
    '\t  config E1000 is no option here',
    'if NET',
    'menu "Cards"',
    '\tdepends on PCI && \\',
    '\t\t!EMBEDDED',
    'source "net/Kconfig"',
    'endmenu',
    'endif # NET',
    'choice',
    '\tprompt "Compression"',
    'config GZIP',
    '\tbool "gzip"',
    'config XZ',
    '\tbool "xz"',
    'endchoice',
    'config PLAIN',
    '\tbool "Plain"',
  ].join('\n'),
  'arch/toy/Kconfig': [
    'config PCI',
    '\tdef_bool y',
    'config CRC',
    '\ttristate',
    'config LIBRARY',
    '\tbool "Library"',
    'config USER',
    '\tbool "User"',
    '\tselect CRC if NET',
    '\tselect LIBRARY',
    'config AMOUNT',
    '\tint "Amount" if EXPERT',
    '\trange 1 9',
    'config EMBEDDED',
    '\tbool "Embedded"',
  ].join('\n'),
  'net/Kconfig': [
    'config E1000',
    '\ttristate "Intel"',
    '\tdepends on (VENDOR_INTEL || VENDOR_OTHER) && NET && $(cc-option,-m(x))',
    '\tdepends on LEVEL > 3 || PCI = y',
    '\tdepends on LEVEL != "x # y"',
  ].join('\n'),
}

describe('kconfig-check', () => {
  const check = (config: string, fragment: string) =>
    run('kconfig-check', { ...KCONFIG, '.config': config, 'files/own': fragment }, 'files/own')

  it('is silent when all options are as stated', async () => {
    const fragment = 'CONFIG_NET=y\n# CONFIG_E1000 is not set\nCONFIG_NAME="a b"\nCONFIG_XZ=n\n'
    const config = 'CONFIG_NET=y\nCONFIG_NAME="a b"\n# CONFIG_XZ is not set\nCONFIG_PCI=y\n'
    expect(await check(config, fragment)).toEqual({ status: 0, stdout: '', stderr: '' })
  })

  it('says which conditions do not hold, wherever they are', async () => {
    const config = 'CONFIG_PCI=y\nCONFIG_EMBEDDED=y\nCONFIG_MODULES=y\nCONFIG_LEVEL=2\n'
    const { status, stderr } = await check(config, '# why\nCONFIG_E1000=m\n')
    expect(status).toBe(1)
    expect(stderr.split('\n')).toEqual([
      'files/own:2: CONFIG_E1000=m is lost: it got n',
      '  net/Kconfig:1: config E1000',
      '  Kconfig:9: if NET [=n]',
      '  Kconfig:11: depends on PCI [=y] && !EMBEDDED [=y]',
      '  net/Kconfig:3: depends on (VENDOR_INTEL [=n] || VENDOR_OTHER [=n]) && NET [=n] && ' +
        '$(cc-option,-m(x))',
      'Kconfig did not take 1 of the options in the fragments: E1000',
      '',
    ])
  })

  it.each([
    [
      'CONFIG_CRC=y',
      '',
      ['arch/toy/Kconfig:3: config CRC', 'it has no prompt: other options set it'],
      ['selected by USER [=n]'],
    ],
    ['CONFIG_NONE=y', '', ['no Kconfig file has an option of that name']],
    [
      '# CONFIG_LIBRARY is not set',
      'CONFIG_LIBRARY=y\nCONFIG_USER=y',
      ['arch/toy/Kconfig:5: config LIBRARY', 'selected by USER [=y]'],
    ],
    ['CONFIG_GZIP=y', 'CONFIG_XZ=y', ['Kconfig:18: config GZIP', 'Kconfig:16: choice has XZ [=y]']],
    [
      'CONFIG_AMOUNT=10',
      'CONFIG_AMOUNT=9\nCONFIG_EXPERT=y',
      ['arch/toy/Kconfig:11: config AMOUNT', 'arch/toy/Kconfig:13: range 1 9'],
    ],
    [
      'CONFIG_AMOUNT=8',
      'CONFIG_AMOUNT=9',
      ['arch/toy/Kconfig:11: config AMOUNT', 'arch/toy/Kconfig:12: asked if EXPERT [=n]'],
      ['arch/toy/Kconfig:13: range 1 9'],
    ],
    ['CONFIG_PLAIN=m', 'CONFIG_PLAIN=y', ['Kconfig:23: config PLAIN', 'm needs MODULES [=n]']],
  ])('says why %s is lost', async (statement, config, ...reasons) => {
    const { status, stderr } = await check(`${config}\n`, `${statement}\n`)
    expect(status).toBe(1)
    expect(stderr.split('\n').slice(1, -2)).toEqual(reasons.flat().map((line) => `  ${line}`))
  })

  it('reads Kconfig files of busybox, and says when there is no .config', async () => {
    const files = {
      'Config.in': 'source net/Config.in\n',
      'net/Config.in':
        'config WGET\n\tbool "wget"\n\thelp\n\tFetches\nconfig TLS\n\tbool "tls"\n' +
        '\tdepends on WGET\n',
      'files/own': 'CONFIG_TLS=y\n',
    }
    const { stderr } = await run('kconfig-check', { ...files, '.config': '' }, 'files/own')
    expect(stderr).toContain('\n  net/Config.in:7: depends on WGET [=n]\n')
    const without = await run('kconfig-check', files, 'files/own')
    expect(without).toMatchObject({ status: 1, stderr: 'there is no .config\n' })
  })
})
