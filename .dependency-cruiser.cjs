// Rooms in the order of the data's way: each may import from itself and from those before it.
const ROOMS = require('./.ci/rooms.json')

const later = Object.entries(ROOMS).flatMap(([top, order]) =>
  order.slice(0, -1).map((room, index) => ({
    name: `${top}/${room}-imports-no-later-room`,
    severity: 'error',
    comment: `Move what both need into ${top}/${room}, or into a room before it`,
    from: { path: `^${top}/${room}/` },
    to: { path: `^${top}/(${order.slice(index + 1).join('|')})/` },
  })),
)

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...later,
    {
      name: 'qemu-only-for-cli',
      severity: 'error',
      comment: 'Booting images is no part of building them: only the command line uses qemu/',
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
        pathNot: ['\\.test\\.ts$', '^test/vitest\\.config\\.ts$', '^test/support/reporter\\.ts$'],
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
