// Folders in the order of the data's way: each imports from itself and from those before it only.
const rooms = require('./.ci/rooms.json')

const later = Object.entries(rooms).flatMap(([parent, order]) =>
  order.slice(0, -1).map((folder, index) => {
    const after = order.slice(index + 1)
    return {
      name: `${parent.replace('/', '-')}-${folder}-imports-no-later-folder`,
      severity: 'error',
      comment: `${parent}/${folder} comes before ${after.join(', ')}: move what both need down`,
      from: { path: `^${parent}/${folder}/` },
      to: { path: `^${parent}/(${after.join('|')})/` },
    }
  }),
)

// What stands in a folder beside its rooms is their door, and comes after all of them.
const doors = Object.keys(rooms)
  .filter((parent) => parent !== 'src')
  .map((parent) => ({
    name: `${parent.replace('/', '-')}-rooms-do-not-use-their-door`,
    severity: 'error',
    comment: `Files of ${parent} itself come after its folders: move what both need down`,
    from: { path: `^${parent}/[^/]+/` },
    to: { path: `^${parent}/[^/]+\\.ts$` },
  }))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...later,
    ...doors,
    {
      name: 'qemu-only-for-cli',
      severity: 'error',
      comment: 'Only the command line uses qemu/: building an image does not boot it',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^qemu/' },
    },
    {
      name: 'qemu-stands-on-base',
      severity: 'error',
      comment: 'qemu/ boots any image: it knows errors, and nothing of the engine',
      from: { path: '^qemu/' },
      to: { path: '^src/', pathNot: '^src/base/' },
    },
    {
      name: 'no-tests-in-engine',
      severity: 'error',
      comment: 'What the engine needs belongs to the engine',
      from: { path: '^(src|qemu)/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Move what both files need into a third',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing imports this file and it imports nothing: remove it',
      from: {
        orphan: true,
        pathNot: [
          '\\.test\\.ts$',
          '^test/vitest\\.config\\.ts$',
          '^test/support/reporter\\.ts$',
          // Runs in browsers: it is read as a text.
          '^src/report/page/page\\.js$',
        ],
      },
      to: {},
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'The import leads nowhere',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-packages-in-engine',
      severity: 'error',
      comment: 'The appliance holds run-time dependencies only',
      from: { path: '^(src|qemu)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
