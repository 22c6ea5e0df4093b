import { type Command, Option } from 'commander'
import { BUSES } from '../../../qemu/machine.ts'
import type { BuildCommandFlags } from '../commands/build.ts'
import type { RebuildFlags } from '../commands/rebuild.ts'
import type { CommandContext } from '../context.ts'
import { forwarding, mirrorOption, oneMore, positiveInteger, withBuildOptions } from './options.ts'
import { run } from './run.ts'

/** Adds the commands that make something: artifacts, images, a second build, a machine. */
export function addMakingCommands(program: Command): void {
  program.commandsGroup('Make:')
  addBuild(program)
  addFetch(program)
  addVerify(program)
  addRebuild(program)
  addBoot(program)
  addWrite(program)
  addShell(program)
}

function addBuild(program: Command): void {
  const from = new Option(
    '--from <step>',
    'go on in the kept tree of one failed recipe; the result is tainted and never recorded',
  )
  const remoteOnly = new Option(
    '--remote-only',
    'run nothing here but recipes that see the host; what the server cannot run fails',
  )
  withBuildOptions(program.command('build'))
    .argument('[target...]', "recipes: name or layer/name; default: the project's, or tiny")
    .description('build what is missing in the store; put images into the output folder')
    .option('-n, --dry-run', 'print what would run, why, and for how long')
    .option('-o, --output <folder>', 'where images are put (default: "out")')
    .option('--no-cache', 'use no cache')
    .option('--local', 'run everything on this machine, even if a server is configured')
    .addOption(remoteOnly.conflicts('local'))
    .option('--without-mirror', 'leave the sources out of images that hold their closure')
    .addOption(from.conflicts('receipts'))
    .action(
      run(async () => {
        const { buildCommand } = await import('../commands/build.ts')
        type Flags = BuildCommandFlags & { readonly from?: string }
        return async (context: CommandContext, words: string[], flags: Flags) => {
          if (flags.from === undefined) return buildCommand(context, words, flags)
          const { resumeCommand } = await import('../commands/resume.ts')
          return resumeCommand(context, words, flags.from, flags)
        }
      }),
    )
}

function addFetch(program: Command): void {
  program
    .command('fetch')
    .argument('[target...]', 'recipes; default: all')
    .description('put the sources of targets, and of all that they are built from, into the store')
    .option('--offline', 'folders only')
    .addOption(mirrorOption('--from'))
    .action(run(async () => (await import('../commands/fetch.ts')).fetchCommand))
}

function addVerify(program: Command): void {
  withBuildOptions(program.command('verify'))
    .argument('<target...>')
    .description('build targets again from an empty store under other conditions, and compare')
    .option('--alone', 'build only the targets again, from what the store has')
    .option('--second <folder>', 'where the second build is done')
    .action(run(async () => (await import('../commands/verify.ts')).verifyCommand))
}

function addRebuild(program: Command): void {
  const only = new Option(
    '--only <recipes>',
    'build only these (separated by commas), from what is installed',
  )
  const against = new Option(
    '--against <file>',
    'compare with this file or disk (default: the disk that the system runs from)',
  )
  withBuildOptions(program.command('rebuild'))
    .argument('[image]', 'recipe of the image', 'appliance')
    .description('build the image that this system runs from again, from its own sources; compare')
    .addOption(only.conflicts('output'))
    .option('--image <file>', 'on any host: the image in this file rebuilds itself')
    .addOption(against.conflicts('image'))
    .option('-o, --output <folder>', 'where the image that was built is put (default: nowhere)')
    .action(
      run(async () => {
        const { rebuildCommand } = await import('../commands/rebuild.ts')
        type Flags = RebuildFlags & { readonly image?: string }
        return async (context: CommandContext, word: string, flags: Flags) => {
          if (flags.image === undefined) return rebuildCommand(context, word, flags)
          const { rebuildImageCommand } = await import('../commands/rebuild-image.ts')
          return rebuildImageCommand(context, flags.image, word, flags)
        }
      }),
    )
}

function addBoot(program: Command): void {
  program
    .command('boot')
    .argument('<image>')
    .argument('[qemu-argument...]', 'after "--": further arguments of QEMU')
    .description('boot an image in QEMU, its serial console on this terminal; Ctrl-A X leaves')
    .option('--bios', 'boot by BIOS (default)')
    .addOption(new Option('--uefi', 'boot by UEFI').conflicts('bios'))
    .addOption(
      new Option('--disk <bus>', 'how the image is attached').choices(BUSES).default('virtio'),
    )
    .option('--memory <size>', 'as QEMU takes it', '1G')
    .option('--smp <count>', 'processors', positiveInteger, 2)
    .option('--writable', 'let the guest change the image')
    .addOption(
      new Option(
        '--attach <file>',
        'a further disk, which the guest may write; may be repeated',
      ).argParser(oneMore),
    )
    .option(
      '--network',
      'a network card with DHCP and access through this host; the image needs a driver',
    )
    .addOption(
      new Option(
        '--port <host:guest>',
        'forward a TCP port of this host to the guest, such as 2222:22; may be repeated',
      ).argParser(forwarding),
    )
    .action(run(async () => (await import('../commands/boot.ts')).bootCommand))
}

function addWrite(program: Command): void {
  program
    .command('write')
    .argument('<image>', 'an image file, or a disk that holds an image')
    .argument('<disk>', 'the disk to overwrite, such as /dev/sdb')
    .description('write an image to a USB stick or disk, and read it back; all else there is lost')
    .option('-y, --yes', 'do not ask before the disk is overwritten')
    .option('-n, --dry-run', 'only print what would be written, and what would be lost')
    .action(run(async () => (await import('../commands/write.ts')).writeCommand))
}

function addShell(program: Command): void {
  program
    .command('shell')
    .argument('<recipe>')
    .argument('[command...]')
    .passThroughOptions()
    .description("run a shell or a command in the recipe's sandbox")
    .option('--tree <folder>', 'work in this folder, as `edit` makes one, in place of the sources')
    .action(run(async () => (await import('../commands/shell.ts')).shellCommand))
}
