import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { visible } from '../base/visible.ts'
import { MOST_CORES } from '../build/jobserver.ts'
import { SCHEMA_NAMES } from '../metadata/format/reference.ts'
import type { BuildFlags } from './commands/build.ts'
import type { RebuildFlags } from './commands/rebuild.ts'
import { Engine, type GlobalOptions } from './engine.ts'

/** The command line: one tree that help and completion are printed from. */
export function createProgram(): Command {
  const program = new Command('fixpoint').description(
    'Builds bootable disk images from source that can rebuild themselves, bit for bit',
  )
  for (const option of globalOptions()) program.addOption(option)
  program
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('(fixpoint --help lists the commands)')
    .configureOutput({ writeErr: (text) => process.stderr.write(visible(text, { lines: true })) })

  buildOptions(
    program.command('build').argument('[target...]', 'recipes: name or layer/name', ['tiny']),
  )
    .description('make sure targets are built; images are put into the output folder')
    .option('-n, --dry-run', 'say what would run and why not more is known')
    .option('-o, --output <folder>', 'where images are put (default: "out")')
    .option('--without-mirror', 'images that hold their closure come without the sources')
    .option(
      '--from <step>',
      'go on in the kept tree of one failed recipe; the result is tainted and never recorded',
    )
    .action(
      run(async () => {
        const { buildCommand } = await import('./commands/build.ts')
        const { resumeCommand } = await import('./commands/resume.ts')
        return (engine: Engine, words: string[], flags: BuildFlags & { from?: string }) =>
          flags.from === undefined
            ? buildCommand(engine, words, flags)
            : resumeCommand(engine, words, flags.from, flags)
      }),
    )
  program
    .command('fetch')
    .argument('[target...]', 'recipes; default: all')
    .option('--offline', 'folders only')
    .addOption(
      new Option(
        '--from <place>',
        'a mirror folder, or an image, to fetch from first; may be repeated',
      ).argParser(collect),
    )
    .option('--to <folder>', 'make this a mirror folder that holds them too')
    .description('put the sources of targets, and of all that they are built from, into the store')
    .action(run(async () => (await import('./commands/fetch.ts')).fetchCommand))
  buildOptions(program.command('verify').argument('<target...>'))
    .option('--second <folder>', 'where the second build is done')
    .description('build targets again from an empty store under other conditions, and compare')
    .action(run(async () => (await import('./commands/verify.ts')).verifyCommand))
  buildOptions(program.command('rebuild').argument('[image]', 'recipe of the image', 'appliance'))
    .addOption(
      new Option(
        '--only <recipes>',
        'build only these (separated by commas), from what is installed',
      ).conflicts('output'),
    )
    .option('--image <file>', 'on any host: the image in this file rebuilds itself')
    .addOption(
      new Option(
        '--against <file>',
        'compare with this file or disk (default: the disk that the system runs from)',
      ).conflicts('image'),
    )
    .option('-o, --output <folder>', 'where the image that was built is put (default: nowhere)')
    .description(
      'build the image that this system runs from again, from its own sources, and compare',
    )
    .action(
      run(async () => {
        const { rebuildCommand } = await import('./commands/rebuild.ts')
        const { rebuildImageCommand } = await import('./commands/rebuild-image.ts')
        return (engine: Engine, word: string, flags: RebuildFlags & { image?: string }) =>
          flags.image === undefined
            ? rebuildCommand(engine, word, flags)
            : rebuildImageCommand(engine, flags.image, word, flags)
      }),
    )
  program
    .command('boot')
    .argument('<image>')
    .option('--bios', 'boot by BIOS (default)')
    .addOption(new Option('--uefi', 'boot by UEFI').conflicts('bios'))
    .addOption(
      new Option('--disk <bus>', 'how the image is attached')
        .choices(['virtio', 'ahci', 'nvme', 'usb'])
        .default('virtio'),
    )
    .option('--memory <size>', 'as QEMU takes it', '1G')
    .option('--smp <count>', 'processors', positiveInteger, 2)
    .option('--writable', 'let the guest change the image')
    .description('boot an image in QEMU, its serial console on this terminal; Ctrl-A X leaves')
    .action(run(async () => (await import('./commands/boot.ts')).bootCommand))
  program
    .command('show')
    .argument('<recipe>')
    .option('--origin', 'file and line that each field comes from')
    .description('a recipe after extends, amendments, style and templates')
    .action(run(async () => (await import('./commands/inspect.ts')).showCommand))
  program
    .command('diff')
    .argument('<a>')
    .argument('<b>')
    .description('compare two stored artifacts by digest, or two files')
    .action(run(async () => (await import('./commands/diff.ts')).diffCommand))
  program
    .command('changes')
    .argument('<old>', "an image's record, the .json beside it")
    .argument('<new>', 'that of a later one')
    .description('which packages differ between two images, and why')
    .action(run(async () => (await import('./commands/changes.ts')).changesCommand))
  program
    .command('graph')
    .argument('[target...]')
    .option('--dot', 'for Graphviz')
    .description('what depends on what')
    .action(run(async () => (await import('./commands/inspect.ts')).graphCommand))
  program
    .command('log')
    .argument('<recipe>')
    .description(
      'the log of its last action; on a terminal its control characters are shown as \\xNN, in a pipe it is as it is',
    )
    .action(run(async () => (await import('./commands/inspect.ts')).logCommand))
  program
    .command('why')
    .argument('<recipe>')
    .description('how its last two actions differ')
    .action(run(async () => (await import('./commands/inspect.ts')).whyCommand))
  program
    .command('lint')
    .description('what is untidy or wrong in the recipes, though valid')
    .action(run(async () => (await import('./commands/metadata.ts')).lintCommand))
  program
    .command('seeds')
    .argument('<target...>')
    .description(
      'what among the inputs is not source code in the strict sense, and why it is there',
    )
    .action(run(async () => (await import('./commands/seeds.ts')).seedsCommand))
  program
    .command('schema')
    .addArgument(
      new Argument('[name]', 'as JSON Schema; without: all for people').choices(SCHEMA_NAMES),
    )
    .description('the format of the metadata files')
    .action(run(async () => (await import('./commands/metadata.ts')).schemaCommand))
  program
    .command('doctor')
    .description('what this host lacks for building and booting, and the remedy')
    .action(run(async () => (await import('./commands/doctor.ts')).doctorCommand))
  program
    .command('shell')
    .argument('<recipe>')
    .argument('[command...]')
    .passThroughOptions()
    .description("a shell, or a command, in the recipe's sandbox")
    .action(run(async () => (await import('./commands/shell.ts')).shellCommand))
  const store = program.command('store').description('look after the store')
  store
    .command('verify')
    .description('hash everything in it')
    .action(run(async () => (await import('./commands/store.ts')).storeVerifyCommand))
  store
    .command('gc')
    .option('-n, --dry-run', 'only tell what would go')
    .option('--force', 'also artifacts of recipes that the layers in effect do not have')
    .description(
      'remove what no recipe of the layers in effect uses: artifacts of earlier versions, sources, unpacked trees; and all trees kept of failed actions, damaged blobs and unfinished downloads',
    )
    .action(run(async () => (await import('./commands/store.ts')).storeGcCommand))
  for (const command of [...program.commands, ...store.commands])
    for (const option of globalOptions()) command.addOption(option.hideHelp())
  return program
}

/**
 * Options of every command. They are taken before its name and behind: who has typed the command
 * adds `--json` at its end.
 */
function globalOptions(): Option[] {
  return [
    new Option(
      '--layers <file>',
      "the layers.yaml to work on (default: that of the working folder, else the engine's own)",
    ),
    new Option(
      '--store <folder>',
      'the store (default: $FIXPOINT_STORE, configuration, $XDG_CACHE_HOME/fixpoint)',
    ),
    new Option(
      '--json',
      'events and results as NDJSON on standard output; logs and schemas stay what they are',
    ),
  ]
}

function buildOptions(command: Command): Command {
  return command
    .option('-j, --jobs <cores>', 'cores that all actions together use (default: all)', cores)
    .option(
      '--memory <bytes>',
      'memory that running actions may use together (default: 85 % of it)',
      positiveInteger,
    )
    .option('-k, --keep-going', 'after a failure go on with what does not depend on it')
    .option('-K, --keep-failed', 'keep the tree of a failed action for `shell` and `build --from`')
    .option('--offline', 'fetch from folders and the store only')
    .addOption(
      new Option(
        '--mirror <place>',
        'a mirror folder, or an image, to fetch from first; may be repeated',
      ).argParser(collect),
    )
}

function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value]
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Wanted a whole number above 0.')
  return value
}

function cores(text: string): number {
  const value = positiveInteger(text)
  if (value > MOST_CORES) throw new InvalidArgumentError(`Wanted at most ${String(MOST_CORES)}.`)
  return value
}

/** A command: gets the engine, and what commander parsed, as its own declaration says. */
type Runner = (engine: Engine, ...parsed: never[]) => Promise<void>

/**
 * Wraps a command: gives it an engine made from the global options, and closes that in the end. A
 * command is loaded when it runs: all of them together would take longer to load than a build with
 * nothing to do takes.
 */
function run(load: () => Promise<Runner>): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const self = args.at(-1) as Command
    const command = await load()
    const engine = await Engine.open(self.optsWithGlobals<GlobalOptions>())
    try {
      await command(engine, ...(args.slice(0, -1) as never[]))
      await engine.checkOutput()
    } catch (error) {
      throw await engine.causeOf(error)
    } finally {
      await engine.close()
    }
  }
}
