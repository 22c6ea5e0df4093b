import type { Command } from 'commander'
import type { ArchiveCreateFlags } from '../commands/archive-create.ts'
import { addMirrorCommands } from './mirror.ts'
import { mirrorOption, percent } from './options.ts'
import { run } from './run.ts'

/** Adds the commands that look after the store, kits and mirrors. */
export function addKeepingCommands(program: Command): void {
  program.commandsGroup('Keep:')
  addArchive(program)
  addMirrorCommands(program)
  addCacheCommands(program)
  const store = program.command('store').description('check or clean the store')
  store
    .command('verify')
    .description('hash everything in it')
    .action(run(async () => (await import('../commands/store-verify.ts')).storeVerifyCommand))
  store
    .command('gc')
    .option('-n, --dry-run', 'only print what would be removed')
    .option('--force', 'also artifacts of recipes that the layers in effect do not have')
    .description(
      'remove what no recipe of the layers in effect uses: artifacts of earlier versions, ' +
        'sources, unpacked trees; and all trees kept of failed actions, damaged blobs and ' +
        'unfinished downloads',
    )
    .action(run(async () => (await import('../commands/store-gc.ts')).storeGcCommand))
}

function addArchive(program: Command): void {
  const archive = program
    .command('archive')
    .description('make, check, repair and restore kits: all that an image is rebuilt from')
  archive
    .command('create')
    .argument('<folder>', 'the kit, which is not there yet; with --tar, a file')
    .argument('[image...]', 'image files, or their records', ['out/appliance.img'])
    .description('make a kit of images, their sources, recipes and tools, and of parity')
    .option('--tar', 'make one tar file, which begins with the text README.txt')
    .option('--parity <percent>', 'how much of the kit can be lost and rebuilt', percent, 10)
    .option('--offline', 'fetch missing sources from folders only')
    .addOption(mirrorOption('--mirror'))
    .action(
      run(async () => {
        const { archiveCreateCommand } = await import('../commands/archive-create.ts')
        return async (context, folder: string, images: string[], flags: ArchiveCreateFlags) =>
          archiveCreateCommand(context, folder, images, flags)
      }),
    )
  archive
    .command('check')
    .argument('<kit>')
    .description('read every file of a kit, and name those that are damaged')
    .action(run(async () => (await import('../commands/archive-check.ts')).archiveCheckCommand))
  archive
    .command('add-copy')
    .argument('<kit>')
    .argument('<folder>', 'the copy, which is not there yet')
    .description('copy a whole kit, read the copy back, and note it in both')
    .requiredOption('--medium <kind>', 'such as hdd, usb, lto, bdr or remote')
    .requiredOption('--place <where>', 'where the copy is kept')
    .option('--label <text>', 'what is written on it')
    .action(
      run(async () => (await import('../commands/archive-add-copy.ts')).archiveAddCopyCommand),
    )
  archive
    .command('status')
    .argument('<kit>')
    .description('recorded copies and checks, and warnings')
    .action(run(async () => (await import('../commands/archive-status.ts')).archiveStatusCommand))
  archive
    .command('repair')
    .argument('<kit>')
    .option('--from <copy...>', 'other copies, even damaged ones; mirror folders; images')
    .option('--to <folder>', 'make a whole kit there, and only read the damaged one')
    .option('-n, --dry-run', 'only print what is bad, and what would repair it')
    .description(
      'repair a kit: by whole files from the kit, copies, images, mirrors and the store; then by ' +
        'blocks of damaged copies and by parity; old files go to its folder "damaged"',
    )
    .action(run(async () => (await import('../commands/archive-repair.ts')).archiveRepairCommand))
  archive
    .command('restore')
    .argument('<kit>')
    .requiredOption('--to <folder>', 'the folder to make')
    .option('--sources', 'copy the sources as well, instead of using those in the kit')
    .description(
      'make a place to build in: engine, programs, recipes and sources, all from the kit',
    )
    .action(run(async () => (await import('../commands/archive-restore.ts')).archiveRestoreCommand))
}

function addCacheCommands(program: Command): void {
  const cache = program.command('cache').description('share results with other machines')
  cache
    .command('keygen')
    .argument('<file>', 'a new file, named after the signer')
    .description('make the key of a signer; print the line for `keys:` in configurations')
    .action(run(async () => (await import('../commands/cache.ts')).cacheKeygenCommand))
  cache
    .command('push')
    .argument('<target...>')
    .option('--sources', 'also the sources that are in the store')
    .description('write results of targets, and of all that they are built from, to the cache')
    .action(run(async () => (await import('../commands/cache.ts')).cachePushCommand))
  cache
    .command('pull')
    .argument('<target...>')
    .description('fetch targets from the caches; build nothing')
    .action(run(async () => (await import('../commands/cache.ts')).cachePullCommand))
  cache
    .command('check')
    .argument('<target...>')
    .description('compare stored results with those of every signer')
    .action(run(async () => (await import('../commands/cache.ts')).cacheCheckCommand))
}
