import type { Command } from 'commander'
import { run } from './run.ts'

/** Adds the commands that look after the store. */
export function addKeepingCommands(program: Command): void {
  program.commandsGroup('Keep:')
  const store = program.command('store').description('look after the store')
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
  const archive = program.command('archive').description('look after kits for archives')
  archive
    .command('repair')
    .argument('<kit>')
    .option('--from <copy...>', 'other copies, be they damaged; mirror folders; images')
    .option('--to <folder>', 'make a whole kit there, and only read the damaged one')
    .option('-n, --dry-run', 'only print what is bad, and what would repair it')
    .description(
      'repair a kit: by whole files from the kit, copies, images, mirrors and the store; then by ' +
        'blocks of damaged copies and by parity; old files go to its folder "damaged"',
    )
    .action(run(async () => (await import('../commands/archive-repair.ts')).archiveRepairCommand))
}
