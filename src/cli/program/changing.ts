import type { Command } from 'commander'
import type { UpgradeFlags } from '../commands/upgrade.ts'
import { suites } from './options.ts'
import { run } from './run.ts'

/** Adds the commands that change recipes. */
export function addChangingCommands(program: Command): void {
  program.commandsGroup('Change:')
  program
    .command('edit')
    .argument('<recipe>')
    .argument('[folder]', 'the tree to make, which is not there yet; default: the name')
    .description("a recipe's sources, unpacked and patched, as a git repository")
    .action(run(async () => (await import('../commands/edit.ts')).editCommand))
  program
    .command('patch')
    .argument('<recipe>')
    .argument('[folder]', 'a tree that `edit` made; default: the name')
    .description('write the commits of such a tree as patches of the recipe')
    .option('--layer <layer>', 'the layer that gets them')
    .action(run(async () => (await import('../commands/patch.ts')).patchCommand))
  program
    .command('menuconfig')
    .argument('<recipe>')
    .description('its configuration as a menu; what changes there becomes a fragment of it')
    .option('--fragment <name>', 'name of the new file in files/; default: menu.config')
    .option('--layer <layer>', 'the layer that gets it')
    .action(run(async () => (await import('../commands/menuconfig.ts')).menuconfigCommand))
  program
    .command('upgrade')
    .argument('<recipe>')
    .argument('[version]', 'default: the newest that `outdated` finds')
    .description('state another version, fetch its sources, and state their digests')
    .addOption(suites())
    .hook('preAction', (_, command) => {
      if (command.args.length > 1 && command.opts<UpgradeFlags>().suite !== undefined)
        command.error("error: option '--suite <name>' cannot be used with argument 'version'")
    })
    .action(run(async () => (await import('../commands/upgrade.ts')).upgradeCommand))
  addOutdated(program)
  const layer = ['--layer <layer>', 'one of your layers; default: the last'] as const
  const source = program.command('source').description('sources of recipes')
  source
    .command('add')
    .argument('<place>', 'a place as in `from:`, or a file')
    .description('fetch a file, and write a recipe with its digest to fill in')
    .option('--name <name>', 'name of the recipe; default: that of the package')
    .option(...layer)
    .action(run(async () => (await import('../commands/source-add.ts')).sourceAddCommand))
  source
    .command('list')
    .argument('<package>', 'debian:PACKAGE or npm:NAME')
    .description('places of the newest versions of a package, for `source add`')
    .addOption(suites())
    .action(run(async () => (await import('../commands/source-list.ts')).sourceListCommand))
  const make = program.command('new').description('make a layer, a recipe or an image to fill in')
  make
    .command('layer')
    .argument('<name>')
    .argument('[folder]', 'the folder that gets `layers`', '.')
    .description("a layer on top of the engine's own")
    .action(run(async () => (await import('../commands/new.ts')).newLayerCommand))
  make
    .command('recipe')
    .argument('<name>')
    .description('a recipe of files beside the layers')
    .option(...layer)
    .option('--style <style>', 'its style', 'plain')
    .action(run(async () => (await import('../commands/new.ts')).newRecipeCommand))
  make
    .command('image')
    .argument('<name>')
    .argument('[recipe...]', 'packages to add to those of the other image')
    .description('an image that extends tiny or another image')
    .option('--extends <image>', 'the image that it extends', 'system/tiny')
    .option(...layer)
    .action(run(async () => (await import('../commands/new.ts')).newImageCommand))
}

function addOutdated(program: Command): void {
  program
    .command('outdated')
    .argument('[recipe...]', 'recipes or layers; default: all')
    .description('which sources have newer versions in Debian and npm; writes nothing')
    .addOption(suites())
    .option('--all', 'also those that have no newer version')
    .option('--offline', 'refused, as versions are looked up where sources come from')
    .action(run(async () => (await import('../commands/outdated.ts')).outdatedCommand))
}
