import { Argument, type Command, Option } from 'commander'
import { SCHEMA_NAMES } from '../../metadata/format/file-kinds.ts'
import { FORMATS } from '../../report/sbom/formats.ts'
import { mirrorOption, positiveInteger, time } from './options.ts'
import { run } from './run.ts'

/** Adds the commands that print what recipes, images or this host are. */
export function addLookingCommands(program: Command): void {
  program.commandsGroup('Look:')
  addRecipeCommands(program)
  addBuiltCommands(program)
  program
    .command('doctor')
    .description('what this host is missing to build and boot, and how to install it')
    .action(run(async () => (await import('../commands/doctor.ts')).doctorCommand))
}

function addRecipeCommands(program: Command): void {
  program
    .command('list')
    .argument('[layer...]')
    .description('the recipes, with version and summary')
    .option('--images', 'images only')
    .action(run(async () => (await import('../commands/list.ts')).listCommand))
  program
    .command('search')
    .argument('<word...>')
    .description('recipes with all these words in name, version or summary')
    .action(run(async () => (await import('../commands/list.ts')).searchCommand))
  program
    .command('tree')
    .argument('<recipe>')
    .description('what a recipe depends on, as a tree')
    .option('--reverse', 'what depends on it')
    .option('--depth <levels>', 'at most so many levels below it', positiveInteger)
    .action(run(async () => (await import('../commands/tree.ts')).treeCommand))
  program
    .command('show')
    .argument('<recipe>')
    .description('what a recipe is; with --json all of it, after extends, amendments and style')
    .option('--origin', 'file and line that each field comes from')
    .action(run(async () => (await import('../commands/show.ts')).showCommand))
  program
    .command('graph')
    .argument('[target...]')
    .description('each dependency as a line, to process further')
    .option('--dot', 'for Graphviz')
    .action(run(async () => (await import('../commands/graph.ts')).graphCommand))
  program
    .command('lint')
    .description('problems in recipes that are valid')
    .option('--fix', 'first mend order of fields, quotes of versions, and the end of files')
    .action(run(async () => (await import('../commands/lint.ts')).lintCommand))
  program
    .command('schema')
    .addArgument(
      new Argument('[name]', 'as JSON Schema; without: all for people').choices(SCHEMA_NAMES),
    )
    .description('the format of the metadata files')
    .action(run(async () => (await import('../commands/schema.ts')).schemaCommand))
  program
    .command('seeds')
    .argument('<target...>')
    .description('which inputs are not source code in the strict sense, and why they are there')
    .action(run(async () => (await import('../commands/seeds.ts')).seedsCommand))
}

function addBuiltCommands(program: Command): void {
  program
    .command('log')
    .argument('<recipe>')
    .description(
      'the log of its last action; a terminal gets control characters as \\xNN, a pipe as they are',
    )
    .option('-f, --follow', 'print what is added to it, until Ctrl-C')
    .action(run(async () => (await import('../commands/log.ts')).logCommand))
  program
    .command('why')
    .argument('<recipe>')
    .description('how the last two actions of a recipe differ')
    .action(run(async () => (await import('../commands/why.ts')).whyCommand))
  program
    .command('diff')
    .argument('<a>')
    .argument('<b>')
    .description('compare two stored artifacts by digest, or two files')
    .action(run(async () => (await import('../commands/diff.ts')).diffCommand))
  program
    .command('changes')
    .argument('<old>', "an image's record, the .json beside it")
    .argument('<new>', 'that of a later one')
    .description('which packages differ between two images, and why')
    .action(run(async () => (await import('../commands/changes.ts')).changesCommand))
  program
    .command('legal')
    .argument('<image>', 'an image file, or its record')
    .argument('<folder>', 'the new folder')
    .description(
      'write the licenses of an image, their texts, and recipes and patches of copyleft parts',
    )
    .option('--sources', 'copy the source files of copyleft parts, too')
    .option('--offline', 'fetch missing sources from folders only')
    .addOption(mirrorOption('--mirror'))
    .action(run(async () => (await import('../commands/legal.ts')).legalCommand))
  program
    .command('receipts')
    .argument('<record>', "an image's record, the .json beside it")
    .argument('<receipts...>', 'files of receipts, or folders of them')
    .description('how many others made the artifacts of an image from the same inputs')
    .option('--signers <file>', 'whose signatures count, as in ssh-keygen(1), ALLOWED SIGNERS')
    .option('--require <count>', 'fail unless each artifact has so many builders', positiveInteger)
    .option('--at <time>', 'judge signatures at this time, YYYYMMDD[HHMM[SS]][Z], not now', time)
    .action(run(async () => (await import('../commands/receipts.ts')).receiptsCommand))
  program
    .command('sbom')
    .argument('<image>', 'an image, or its record, the .json beside it')
    .description('the bill of materials of an image: packages, sources, licenses, patches')
    .addOption(new Option('--format <format>').choices(FORMATS).default('cyclonedx'))
    .option('-o, --output <file>', 'where it is put (default: standard output)')
    .action(run(async () => (await import('../commands/sbom.ts')).sbomCommand))
  program
    .command('size')
    .argument('<image>', 'an image, or its record, the .json beside it')
    .description('what takes the space in an image: packages, folders, partitions')
    .option('--files', 'the largest files, in place of packages and folders')
    .option('--most <rows>', 'rows of each list', positiveInteger, 20)
    .option('--depth <levels>', 'levels of folders that are listed', positiveInteger, 2)
    .action(run(async () => (await import('../commands/size.ts')).sizeCommand))
  program
    .command('report')
    .argument('<image>', 'an image, or its record, the .json beside it')
    .description('a page for the browser: contents, timeline, dependencies, sources, licenses')
    .option('-o, --output <file>', 'where the page is put (default: beside the record, as .html)')
    .option('--receipts <paths...>', 'files of receipts, or folders of them: who built the same')
    .option('--signers <file>', 'whose signatures count, as in ssh-keygen(1), ALLOWED SIGNERS')
    .option('--at <time>', 'judge signatures at this time, YYYYMMDD[HHMM[SS]][Z]', time)
    .action(run(async () => (await import('../commands/report.ts')).reportCommand))
}
