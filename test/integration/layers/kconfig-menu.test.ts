import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { storedTree } from '../../support/image.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'
import { writeTreeAt } from '../../support/trees.ts'

/** With the awk of builds where it is stored, else with the host's. */
const BUSYBOX = await storedTree('toolchain/busybox')
const PATH = `${BUSYBOX === undefined ? '' : `${BUSYBOX}/usr/bin:`}${process.env['PATH'] ?? ''}`

/** B is on where A is, unless stated; nobody sets C, which is what A is; D goes when A comes. */
const SOURCES = {
  'src/Kconfig':
    'config A\n\tbool "a"\nconfig B\n\tbool "b"\n\tdefault y\n\tdepends on A\n' +
    'config C\n\tbool\n\tdefault A\nconfig D\n\tbool "d"\n\tdefault y\n\tdepends on !A\n',
  'src/resolve':
    `awk '{ gsub(/# CONFIG_| is not set|CONFIG_/, ""); split($0, a, "=")\n` +
    `v[a[1]] = a[2] == "y" }\n` +
    `function say(o, on) { print on ? "CONFIG_" o "=y" : "# CONFIG_" o " is not set" }\n` +
    `END { say("A", v["A"]); if (v["A"]) { say("B", !("B" in v) || v["B"]); say("C", 1) }\n` +
    `  else say("D", !("D" in v) || v["D"]) }'\n`,
  step:
    'kconfig-merge "$FILES/own" ${FRAGMENT:+"$FRAGMENT"} > .config\n' +
    'sh resolve < .config > made\nmv made .config\n' +
    'kconfig-check "$FILES/own" ${FRAGMENT:+"$FRAGMENT"}\n',
  'files/own': 'CONFIG_D=y\n',
}

/** Runs the program with a shell's commands for a menu; the fragment, unless there is none. */
async function menu(
  commands: string,
  files: Readonly<Record<string, string>> = {},
): Promise<{ status: number | null; stderr: string; fragment: string | undefined }> {
  const folder = await temporaryFolder()
  for (const name of ['kconfig-tools', 'kconfig-menu'])
    cpSync(join(CHECKOUT, `layers/base/${name}/files`), join(folder, 'tools'), { recursive: true })
  await writeTreeAt(folder, { ...SOURCES, ...files, obj: undefined })
  const words = [join(folder, 'step'), join(folder, 'files/own')]
  const { status, stderr } = spawnSync(join(folder, 'tools/usr/bin/kconfig-menu'), words, {
    cwd: join(folder, 'src'),
    env: {
      ...{ PATH, LC_ALL: 'C', TERM: 'none', FILES: join(folder, 'files') },
      ...{ OBJ: join(folder, 'obj'), MENUCONFIG: commands },
    },
    encoding: 'utf8',
  })
  const path = join(folder, 'obj/fragment')
  return { status, stderr, fragment: existsSync(path) ? readFileSync(path, 'utf8') : undefined }
}

it('writes what leads to what was chosen, without options that nobody sets', async () => {
  const chosen = 'CONFIG_A=y\\n# CONFIG_B is not set\\nCONFIG_C=y\\n'
  expect(await menu(`printf '${chosen}' > .config`)).toEqual({
    status: 0,
    stderr: '',
    fragment: 'CONFIG_A=y\n# CONFIG_D is not set\n# CONFIG_B is not set\n',
  })
})

it('writes nothing when nothing is changed', async () => {
  expect(await menu(':')).toEqual({ status: 0, stderr: '', fragment: '' })
})

it('opens the menu also when an option is lost, so that it can be repaired', async () => {
  const files = { 'files/own': 'CONFIG_B=y\n' }
  const chosen = 'CONFIG_A=y\\nCONFIG_B=y\\nCONFIG_C=y\\n'
  const { status, stderr, fragment } = await menu(`printf '${chosen}' > .config`, files)
  expect(status).toBe(0)
  expect(stderr).toContain('files/own:1: CONFIG_B=y is lost')
  expect(fragment).toBe('CONFIG_A=y\nCONFIG_B=y\n')
})

it('says what does not come out as chosen', async () => {
  const { status, stderr } = await menu(`printf '# CONFIG_A is not set\\nCONFIG_B=y\\n' > .config`)
  expect(status).toBe(0)
  expect(stderr).toMatch(/do not come out as they were in the menu:\nCONFIG_B=y\n/)
})

it.each([
  ['the menu fails', 'exit 3', {}, 3],
  ['a fragment has a fault', ':', { 'files/own': 'what\n' }, 1],
])('leaves no fragment when %s', async (_, commands, files, wanted) => {
  const { status, fragment } = await menu(commands, files)
  expect({ status, fragment }).toEqual({ status: wanted, fragment: undefined })
})
