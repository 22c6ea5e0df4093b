import { describe, expect, test } from 'vitest'
import { examineHost } from '../../../../src/cli/doctor/examine.ts'
import type { Finding } from '../../../../src/cli/doctor/finding.ts'
import type { FolderTraits, Host, Ran } from '../../../../src/cli/doctor/host.ts'
import { MANIFEST_PATH } from '../../../../src/image/manifest.ts'
import { findingsText } from '../../../../src/cli/doctor/text.ts'

const GIB = 2 ** 30

/** A host that lacks nothing but what a test takes from it. */
interface Scenario extends Partial<Pick<Host, 'node' | 'root' | 'memory'>> {
  readonly absent?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  /** Programs that fail, and what they say. */
  readonly failing?: Readonly<Record<string, string>>
  readonly folder?: Partial<FolderTraits>
  readonly kvm?: boolean
}

const DEBIAN = { '/etc/os-release': 'PRETTY_NAME="x"\nID=ubuntu\nID_LIKE=debian\n' }

function hostOf({
  absent = [],
  files = DEBIAN,
  failing = {},
  folder = {},
  ...rest
}: Scenario): Host {
  const run = (command: string, args: readonly string[]): Promise<Ran> => {
    const name = args.includes('bwrap') ? 'bwrap' : command
    return Promise.resolve({ ok: failing[name] === undefined, output: failing[name] ?? '' })
  }
  return {
    ...{ node: '20.19.0', root: false, memory: 8 * GIB, run },
    find: (program) =>
      Promise.resolve(absent.includes(program) ? undefined : `/usr/bin/${program}`),
    read: (path) => Promise.resolve(files[path]),
    readable: () => Promise.resolve(!absent.includes('firmware')),
    tryFolder: () =>
      Promise.resolve({ freeBytes: 100 * GIB, hardLinks: true, runs: true, ...folder }),
    withTemporary: (use) => use('/tmp/file'),
    ...rest,
  }
}

async function examine(scenario: Scenario = {}): Promise<Finding[]> {
  const accelerator = (): Promise<'kvm' | 'tcg'> =>
    Promise.resolve(scenario.kvm === false ? 'tcg' : 'kvm')
  return examineHost({ store: '/store', host: hostOf(scenario), accelerator })
}

async function faults(scenario: Scenario): Promise<Finding[]> {
  return (await examine(scenario)).filter(({ status }) => status !== 'ok')
}

describe('examineHost', () => {
  test('finds nothing wrong with a host that has everything', async () => {
    expect(await faults({})).toEqual([])
  })

  test.each(['20.18.3', '18.20.0'])('wants a newer Node than %s', async (node) => {
    expect(await faults({ node })).toMatchObject([
      { code: 'node', status: 'missing', purpose: 'build' },
    ])
  })

  test.each(['20.19.0', '22.0.0'])('takes Node %s', async (node) => {
    expect(await faults({ node })).toEqual([])
  })

  test('sends a running image to another machine for what it lacks', async () => {
    const files = { [`/${MANIFEST_PATH}`]: '{}' }
    const [fault] = await faults({ files, absent: ['qemu-system-x86_64'] })
    expect(fault?.purpose).toBe('boot')
    expect(fault?.remedy).toMatch(/another machine/)
  })

  test('gives the command for each missing program', async () => {
    expect(await faults({ absent: ['xz', 'qemu-system-x86_64'] })).toMatchObject([
      {
        code: 'xz',
        status: 'missing',
        purpose: 'build',
        remedy: 'sudo apt-get install --no-install-recommends xz-utils',
      },
      {
        code: 'qemu',
        status: 'missing',
        purpose: 'boot',
        remedy: 'sudo apt-get install --no-install-recommends qemu-system-x86',
      },
    ])
  })

  test('needs no sudo for root', async () => {
    expect(await faults({ root: true, absent: ['m4'] })).toMatchObject([
      { remedy: 'apt-get install --no-install-recommends m4' },
    ])
  })

  test('knows no command on other systems', async () => {
    const [fault] = await faults({ absent: ['bwrap'], files: { '/etc/os-release': 'ID=fedora\n' } })
    expect(fault?.remedy).toMatch(/"bubblewrap".*package manager/)
  })

  test('finds UEFI firmware missing, for booting only', async () => {
    expect(await faults({ absent: ['firmware'] })).toMatchObject([
      { code: 'uefi', purpose: 'boot', status: 'missing' },
    ])
  })

  test('finds that no static program can be linked', async () => {
    const found = await faults({
      failing: { cc: 'note\n/usr/bin/ld: cannot find -lc\ncollect2: error' },
    })
    expect(found).toMatchObject([
      { code: 'static-c', message: expect.stringContaining('cannot find -lc') as string },
    ])
  })

  test('does not try a compiler that is not there', async () => {
    expect((await faults({ absent: ['c++'] })).map(({ code }) => code)).toEqual(['c++'])
  })

  test.each([
    [
      'user-namespaces',
      '/proc/sys/user/max_user_namespaces',
      '0',
      'user.max_user_namespaces=15000',
    ],
    [
      'user-namespaces',
      '/proc/sys/kernel/unprivileged_userns_clone',
      '0',
      'kernel.unprivileged_userns_clone=1',
    ],
    [
      'apparmor',
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '1',
      'kernel.apparmor_restrict_unprivileged_userns=0',
    ],
  ])(
    'finds the setting that forbids the sandbox: %s, %s',
    async (code, file, value, assignment) => {
      const [fault, ...more] = await faults({
        failing: { bwrap: 'bwrap: Permission denied' },
        files: { [file]: value },
      })
      expect(more).toEqual([])
      expect(fault).toMatchObject({
        code,
        status: 'missing',
        remedy: expect.stringContaining(`sudo sysctl -w ${assignment}`) as string,
      })
    },
  )

  test.each([
    ['proc', "bwrap: Can't mount proc on /newroot/proc: Operation not permitted"],
    ['sandbox', 'bwrap: Creating new namespace failed: Operation not permitted'],
  ])('explains a container that forbids the sandbox: %s', async (code, output) => {
    expect(await faults({ failing: { bwrap: output } })).toMatchObject([
      { code, message: expect.stringContaining(output) as string },
    ])
  })

  test('finds personality(2) blocked', async () => {
    const found = await faults({
      failing: { setarch: 'setarch: failed to set personality: Operation not permitted' },
    })
    expect(found).toMatchObject([{ code: 'personality', status: 'missing' }])
  })

  test('examines the store and its file system', async () => {
    expect(await faults({ folder: { freeBytes: 3 * GIB } })).toMatchObject([
      { code: 'disk', status: 'warning' },
    ])
    expect(await faults({ folder: { hardLinks: false, runs: false } })).toMatchObject([
      { code: 'hard-links' },
      { code: 'noexec' },
    ])
    expect(await faults({ folder: { problem: 'EACCES' } })).toMatchObject([
      { code: 'store', status: 'missing' },
    ])
  })

  test('warns of little memory', async () => {
    expect(await faults({ memory: 2 * GIB })).toMatchObject([{ code: 'memory', status: 'warning' }])
  })

  test('warns of emulation', async () => {
    expect(await faults({ kvm: false })).toMatchObject([
      { code: 'kvm', purpose: 'boot', status: 'warning' },
    ])
  })
})

describe('findingsText', () => {
  test('sums up', async () => {
    const last = async (scenario: Scenario): Promise<string | undefined> =>
      findingsText(await examine(scenario)).at(-1)
    expect(await last({})).toBe('This host can build and boot images')
    expect(await last({ absent: ['firmware'] })).toBe(
      'This host can build images but not boot all of them yet',
    )
    expect(await last({ absent: ['bwrap'] })).toBe('This host cannot build images yet')
  })

  test('puts the remedy beneath the fault', async () => {
    expect(findingsText(await examine({ absent: ['m4'] })).join('\n')).toContain(
      'missing  m4: m4 is not there; it builds gmp in the bootstrap\n           -> sudo apt-get',
    )
  })
})
