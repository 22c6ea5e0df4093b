import { execa } from 'execa'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { commandLine, recipe, type Toy } from '../../support/cli.ts'
import { waitUntil } from '../../support/rig.ts'
import type { Tree } from '../../support/trees.ts'

const makeToy = commandLine()

/** A toy of the program that opens the menu: what is typed becomes the fragment. */
const MENU = recipe(
  'kconfig-menu',
  'style: plain',
  'steps:',
  '  build: |',
  '    install -D -m 755 "$FILES/kconfig-menu" "$OUT/bootstrap/bin/kconfig-menu"',
)
const PROGRAM = `#!/bin/sh
set -eu
echo "$TERM $*; $(cat prepared)"
printf 'Option? '
read -r answer
$MENUCONFIG
case $answer in
  stay) trap '' HUP; echo staying; exec sleep 600 ;;
  none) : > "$OBJ/fragment" ;;
  nothing) ;;
  link) ln -s /etc/passwd "$OBJ/fragment" ;;
  *) echo "$answer" > "$OBJ/fragment" ;;
esac
`

const STYLE = `name: kconfig
summary: A toy
extends: plain
env:
  MENUCONFIG: '[ -t 0 ]'
steps:
  prepare: 'echo ready > prepared'
  configure: cat {{config}} > .config
  install: install -D .config "$OUT/etc/config"
`

/** Layers with a recipe that has a fragment, below the folder `at`; `machine` is theirs. */
function layersAt(at: string, machine: string): Tree {
  return {
    [`${at}/layers.yaml`]: [
      `machine: ${machine}`,
      'host-layers: [bootstrap, base]',
      'layers: [bootstrap, base]\n',
    ].join('\n'),
    [`${at}/machines/${machine}.yaml`]: 'arch: x86_64\n',
    [`${at}/styles/kconfig.yaml`]: STYLE,
    [`${at}/base/kconfig-menu/recipe.yaml`]: MENU,
    [`${at}/base/kconfig-menu/files/kconfig-menu`]: PROGRAM,
    [`${at}/bootstrap/box/recipe.yaml`]: recipe(
      'box',
      'style: kconfig',
      'config: [own.config] # ours',
    ),
    [`${at}/bootstrap/box/files/own.config`]: 'CONFIG_A=y\n',
  }
}

/** Two layers of a user on top of such. */
const MINE: Tree = {
  ...layersAt('theirs', 'other'),
  'layers/layers.yaml': 'include: ../theirs/layers.yaml\nlayers: [first, own]\n',
  'layers/first': undefined,
  'layers/own': undefined,
}

const BOX = 'layers/bootstrap/box'

/** Opens the menu on a pseudo terminal, and types when it asks. */
async function menu(
  toy: Toy,
  typed: string,
  ...words: readonly string[]
): Promise<{ code: number; shown: string }> {
  const child = toy.startOnTerminal('menuconfig', ...words)
  const exit = once(child, 'close') as Promise<[number]>
  let shown = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
  await waitUntil(() => shown.includes('Option? ') || child.exitCode !== null)
  child.stdin!.write(`${typed}\n`)
  const [code] = await exit
  return { code, shown }
}

describe('menuconfig', () => {
  test('adds what was chosen to a recipe of the user, as its last fragment', async () => {
    const toy = await makeToy(layersAt('layers', 'toy'))
    const { code, shown } = await menu(toy, 'CONFIG_B=y', 'box')
    expect(code, shown).toBe(0)
    expect(shown).toContain('/steps/configure /files/own.config; ready')
    expect(shown).toContain('/files/menu.config')
    const yaml = await readFile(join(toy.folder, BOX, 'recipe.yaml'), 'utf8')
    expect(yaml).toContain('\nconfig: [own.config, menu.config] # ours\n')
    const built = await toy.run('build', 'box')
    expect(built.code, built.stderr).toBe(0)
    const again = await menu(toy, 'CONFIG_C=y', 'box')
    expect(again.shown).toContain('/files/own.config /files/menu.config; ready')
    expect((await readdir(join(toy.folder, BOX, 'files'))).sort()).toEqual([
      'menu-2.config',
      'menu.config',
      'own.config',
    ])
    expect(await readFile(join(toy.folder, BOX, 'files/menu-2.config'), 'utf8')).toBe(
      'CONFIG_C=y\n',
    )
  })

  test("amends a recipe of others in the user's last layer, and adds to that", async () => {
    const toy = await makeToy(MINE)
    const words = ['box', '--fragment']
    expect((await menu(toy, 'CONFIG_B=y', ...words, 'net.config')).code).toBe(0)
    const amend = join(toy.folder, 'layers/own/box/amend.yaml')
    const text = 'amends: bootstrap/box\nappend:\n  config: [net.config]\n'
    expect(await readFile(amend, 'utf8')).toBe(text)
    expect((await menu(toy, 'CONFIG_C=y', ...words, 'usb.config')).code).toBe(0)
    expect(await readFile(amend, 'utf8')).toBe(text.replace('net.config', 'net.config, usb.config'))
    expect(await readFile(join(toy.folder, 'theirs/bootstrap/box/recipe.yaml'), 'utf8')).toContain(
      'config: [own.config] # ours',
    )
  })

  test('ends the menu when the terminal is gone', async () => {
    const toy = await makeToy(layersAt('layers', 'toy'))
    const child = toy.startOnTerminal('menuconfig', 'box')
    let shown = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
    await waitUntil(() => shown.includes('Option? '))
    child.stdin!.write('stay\n')
    await waitUntil(() => shown.includes('staying'))
    child.kill('SIGKILL')
    const running = () => execa('pgrep', ['-f', toy.folder], { reject: false })
    while ((await running()).stdout !== '') await setTimeout(50)
  })

  test('writes nothing when nothing was changed', async () => {
    const toy = await makeToy(MINE)
    const { code, shown } = await menu(toy, 'none', 'box', '--json')
    expect(code).toBe(0)
    expect(shown).toMatch(/\{"type":"fragment",[^\n]*"options":\[\]/)
    expect(await readdir(join(toy.folder, 'layers/own'))).toEqual([])
  })

  test.each([
    ['the menu leaves no fragment', 'nothing', /fragment|ENOENT/],
    ['something else is in its place', 'link', /link/],
  ])('leaves the layers as they were when %s', async (_, typed, reason) => {
    const toy = await makeToy(MINE)
    const { code, shown } = await menu(toy, typed, 'box')
    expect(code).not.toBe(0)
    expect(shown).toMatch(reason)
    expect(await readdir(join(toy.folder, 'layers/own'))).toEqual([])
  })

  test('undoes what the layers would not load with, or apply before others', async () => {
    const first: Tree = {
      'layers/first/box/amend.yaml': '# first\nset:\n  config: [own.config]\n',
      'layers/own/box/amend.yaml': 'append:\n  config: [late.config]\n',
      'layers/own/box/files/late.config': '',
    }
    const toy = await makeToy({ ...MINE, ...first })
    const { code, shown } = await menu(toy, 'CONFIG_B=y', 'box', '--layer', 'first')
    expect(code).not.toBe(0)
    expect(shown).toContain('others would apply after it')
    const folder = join(toy.folder, 'layers/first/box')
    expect(await readdir(folder)).toEqual(['amend.yaml'])
    expect(await readFile(join(folder, 'amend.yaml'), 'utf8')).toBe(
      first['layers/first/box/amend.yaml'],
    )
  })

  test('says before the menu what could not be written after it', async () => {
    const toy = await makeToy({
      ...MINE,
      'theirs/bootstrap/none/recipe.yaml': recipe('none', 'style: plain'),
      'theirs/bootstrap/other/recipe.yaml': recipe(
        'other',
        'style: plain',
        'config: [x]',
        'steps:',
        '  build: cat {{config}}',
      ),
      'theirs/bootstrap/other/files/x': '',
      'layers/own/box/amend.yaml': 'append: {config: [x]}\n',
      'layers/own/box/files/x': '',
    })
    for (const [code, ...words] of [
      ['no-config', 'none'],
      ['config-style', 'other'],
      ['fragment-there', 'box', '--fragment', 'own.config'],
      ['bad-name', 'box', '--fragment', '../x'],
      ['unknown-target', 'box', '--layer', 'bootstrap'],
    ] as const) {
      const { stderr, code: status } = await toy.run('menuconfig', ...words, '--json')
      expect(status).toBe(2)
      expect(stderr, code).toContain(code === 'no-config' ? 'has no "config"' : '')
      expect(existsSync(join(toy.folder, 'layers/own/other'))).toBe(false)
    }
  })

  test('refuses to wait for keys where there is no terminal', async () => {
    const { start, store } = await makeToy(MINE)
    const child = start('menuconfig', 'box')
    const [stderr, exit] = [text(child.stderr!), once(child, 'exit')]
    expect(await exit).toEqual([2, null])
    expect(await stderr).toContain('needs a terminal')
    expect(await readdir(join(store, 'index'))).toEqual([])
  })
})
