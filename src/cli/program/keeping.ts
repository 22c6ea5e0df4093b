import type { Command } from 'commander'
import { run } from './run.ts'

/** Adds the commands that look after the store. */
export function addKeepingCommands(program: Command): void {
  program.commandsGroup('Keep:')
  addCacheCommands(program)
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
    .description('write what this store made of targets, and of all they are built from')
    .action(run(async () => (await import('../commands/cache.ts')).cachePushCommand))
  cache
    .command('pull')
    .argument('<target...>')
    .description('bring targets from the caches; build nothing')
    .action(run(async () => (await import('../commands/cache.ts')).cachePullCommand))
  cache
    .command('check')
    .argument('<target...>')
    .description('compare what is stored with what every signer says of it')
    .action(run(async () => (await import('../commands/cache.ts')).cacheCheckCommand))
}
