import type { Command } from 'commander'
import type { MirrorPruneFlags } from '../commands/mirror-prune.ts'
import { mirrorOption, port } from './options.ts'
import { run } from './run.ts'

/** Adds the commands for mirror folders. */
export function addMirrorCommands(program: Command): void {
  const mirror = program
    .command('mirror')
    .description('folders with all sources, and a SHA256SUMS, that builds fetch from')
  addFilling(mirror)
  mirror
    .command('check')
    .argument('<folder>')
    .description('read every file of a mirror, and name those that are damaged or not listed')
    .action(run(async () => (await import('../commands/mirror-check.ts')).mirrorCheckCommand))
  mirror
    .command('copy')
    .argument('<from>')
    .argument('<to>', 'a mirror, or a new or empty folder')
    .description('copy what is missing or damaged in the second mirror; read each copy back')
    .action(run(async () => (await import('../commands/mirror-copy.ts')).mirrorCopyCommand))
  addPrune(mirror)
  mirror
    .command('serve')
    .argument('<folder>')
    .description('serve a mirror by HTTP to other machines, read-only, until Ctrl-C')
    .option('--address <address>', 'listen at this address or name', '127.0.0.1')
    .option('--port <number>', '0: a free one', port, 8080)
    .action(run(async () => (await import('../commands/mirror-serve.ts')).mirrorServeCommand))
}

function addFilling(mirror: Command): void {
  mirror
    .command('create')
    .argument('<folder>', 'new or empty, or a mirror that is not finished')
    .argument('[target...]', 'recipes; default: all')
    .description('make a mirror of the sources of targets, and of all that they are built from')
    .option('--offline', 'fetch missing sources from folders only')
    .addOption(mirrorOption('--from'))
    .action(run(async () => (await import('../commands/mirror-fill.ts')).mirrorCreateCommand))
  mirror
    .command('update')
    .argument('<folder>', 'a mirror')
    .argument('[target...]', 'recipes; default: all')
    .description('add the sources that a mirror does not have; nothing is removed')
    .option('--offline', 'fetch missing sources from folders only')
    .addOption(mirrorOption('--from'))
    .action(run(async () => (await import('../commands/mirror-fill.ts')).mirrorUpdateCommand))
}

function addPrune(mirror: Command): void {
  mirror
    .command('prune')
    .argument('<folder>', 'a mirror')
    .requiredOption('--keep <file...>', 'images or their records, kits, and files layers.yaml')
    .option('-n, --dry-run', 'only print what would be removed')
    .description('remove the sources that nothing given with --keep names')
    .action(
      run(async () => {
        const { mirrorPruneCommand } = await import('../commands/mirror-prune.ts')
        return async (context, folder: string, flags: MirrorPruneFlags) =>
          mirrorPruneCommand(context, folder, flags)
      }),
    )
}
