import { expect, it } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { actionDocument, keyOf } from '../../../src/plan/action-document.ts'
import { APP, faultsOf, loadRecipe, loadTexts, recipe, type Texts } from '../../support/metadata.ts'

const FILES = 'layers/low/tool/files'

/** A recipe of the lower layer that has a fragment of its own. */
const TOOL: Texts = {
  'layers/low/tool/recipe.yaml': recipe(
    'tool',
    `style: plain\nconfig: ['{{name}}.config']\nsteps: {build: 'merge {{config}}'}`,
  ),
  [`${FILES}/tool.config`]: 'CONFIG_A=y\n',
}

function scriptOf({ steps }: { readonly steps: readonly { readonly script: string }[] }): string {
  return steps.at(-1)?.script ?? ''
}

it('gives scripts the paths of the fragments, in their order', async () => {
  const found = await loadRecipe('low/tool', TOOL)
  expect(found.config).toEqual(['tool.config'])
  expect(scriptOf(found)).toBe('merge "$FILES/tool.config"')
})

it('has no fragments where a recipe states none', async () => {
  const text = recipe('tool', `style: plain\nsteps: {build: 'merge {{config}}.'}`)
  const found = await loadRecipe('low/tool', { 'layers/low/tool/recipe.yaml': text })
  expect(found.config).toEqual([])
  expect(scriptOf(found)).toBe('merge .')
})

it('lets amendments and extending recipes append fragments', async () => {
  const change = 'append:\n  config: [network.config]\n'
  const amended = await loadRecipe('low/tool', {
    ...TOOL,
    'layers/high/tool/amend.yaml': change,
    'layers/high/tool/files/network.config': '',
  })
  const extended = await loadRecipe('high/other', {
    ...TOOL,
    'layers/high/other/recipe.yaml': `name: other\nextends: low/tool\n${change}`,
    'layers/high/other/files/network.config': '',
    'layers/high/other/files/other.config': '',
  })
  expect(amended.config).toEqual(['tool.config', 'network.config'])
  expect(extended.config).toEqual(['other.config', 'network.config'])
  expect(scriptOf(extended)).toBe('merge "$FILES/other.config" "$FILES/network.config"')
})

it('quotes names for the shell', async () => {
  const found = await loadRecipe('low/tool', {
    ...TOOL,
    'layers/low/tool/recipe.yaml': recipe(
      'tool',
      `style: plain\nconfig: ['a b', 'sub/$x"y']\nsteps: {build: 'merge {{config}}'}`,
    ),
    [`${FILES}/a b`]: '',
    [`${FILES}/sub/$x"y`]: '',
  })
  expect(scriptOf(found)).toBe('merge "$FILES/a b" "$FILES/sub/\\$x\\"y"')
})

it('names the place of a fragment that is no file of the recipe', async () => {
  const amend = 'layers/high/tool/amend.yaml'
  expect(
    await faultsOf({ ...TOOL, [amend]: 'append:\n  config: [net.config, to.config]\n' }),
  ).toEqual([`missing-file ${amend}:2:12`, `missing-file ${amend}:2:24`])
  expect(await faultsOf({ ...TOOL, [amend]: "set:\n  config: ['{{nome}}']\n" })).toEqual([
    `unknown-name ${amend}:2:13`,
  ])
})

it('does not take fragments that no script uses', async () => {
  const text = recipe('app', 'style: auto\nconfig: [x]')
  expect(await faultsOf({ [APP]: text, 'layers/high/app/files/x': '' })).toEqual([
    `unused-list ${APP}:6:1`,
  ])
})

it('has fragments in keys by what scripts say of them only', async () => {
  const { recipes, arch } = await loadTexts(TOOL)
  const tool = recipes.get('low/tool' as RecipeId)
  if (tool === undefined) throw new Error('low/tool is not there')
  const key = (changed: typeof tool) => keyOf(actionDocument(changed, arch, [], []))
  expect(key({ ...tool, config: [] })).toBe(key(tool))
})
