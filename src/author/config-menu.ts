import { closeSync, readFileSync } from 'node:fs'
import { beneath } from '../base/beneath.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Action } from '../build/executor.ts'
import type { Workspace } from '../build/workspace.ts'
import { PATHS } from '../sandbox/constants.ts'

/** The recipe of the program that opens the menu. Its needs are what that runs. */
export const MENU = 'base/kconfig-menu' as RecipeId

/** The step that makes the configuration of the fragments. */
const STEP = 'configure'

/** Most bytes of a fragment: all options of Linux have a quarter. */
const MAX_FRAGMENT = 4 << 20

/** How a recipe's menu is opened in its sandbox. */
export interface MenuCommand {
  /** Steps that come first. */
  readonly stepsBefore: readonly string[]
  readonly words: readonly string[]
}

/**
 * How the menu of an action is opened that has {@link MENU} among its inputs. `config` are the
 * recipe's fragments. Fails with `config-style`.
 */
export function menuCommand(
  { recipe, document }: Pick<Action, 'recipe' | 'document'>,
  config: readonly string[],
): MenuCommand {
  const names = document.steps.map(({ name }) => name)
  if (document.env['MENUCONFIG'] === undefined || !names.includes(STEP))
    throw new FixpointError(
      'config-style',
      `Cannot open a menu for ${recipe}: its style has no variable MENUCONFIG and step ${STEP}`,
    )
  return {
    stepsBefore: ['unpack', 'patch', ...names.slice(0, names.indexOf(STEP))],
    words: [
      'kconfig-menu',
      `${PATHS.steps}/${STEP}`,
      ...config.map((name) => `${PATHS.files}/${name}`),
    ],
  }
}

/**
 * The statements that the program wrote after the menu was closed; none when nothing was changed.
 * Fails with `menu-failed`, also where what ran in the sandbox left something else there.
 */
export function readMenuFragment(
  { folder }: Pick<Workspace, 'folder'>,
  recipe: RecipeId,
  status: number,
): string {
  if (status !== 0)
    throw new FixpointError(
      'menu-failed',
      `Cannot configure ${recipe}: its menu ended with status ${status}`,
    )
  return beneath(folder, `build/obj/fragment`, (at, name) => {
    const { fd, stat } = at.openFile(name)
    try {
      if (stat.size > MAX_FRAGMENT)
        throw new FixpointError(
          'menu-failed',
          `Cannot configure ${recipe}: its menu left a fragment of ${stat.size} bytes`,
        )
      return readFileSync(fd, 'utf8')
    } finally {
      closeSync(fd)
    }
  })
}
