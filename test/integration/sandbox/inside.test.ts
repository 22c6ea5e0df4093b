import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { PROC_FILES, constantEnvironment } from '../../../src/sandbox/constants.ts'
import { requireSandbox } from '../../../src/sandbox/probe.ts'
import { failureOf, id, readArtifact, sharedStore } from '../../support/rig.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS } from '../../support/toy.ts'

const shared = sharedStore()

/** What a script prints when it is a step of a host layer's recipe. */
async function printed(script: string): Promise<string> {
  const result = await toyBuild(
    shared(),
    toyMetadata(toyRecipe('host/probe', `{ ${script}\n} > $OUT/printed`)),
    ['host/probe'],
  )
  return readArtifact(shared(), result, 'host/probe', 'printed')
}

/** The failure of a script above the host layers. */
async function failing(script: string): Promise<ReturnType<typeof failureOf>> {
  const metadata = toyMetadata(
    TOOLS,
    toyRecipe('base/undeclared', 'mkdir -p $OUT/usr/share; echo 1 > $OUT/usr/share/undeclared'),
    toyRecipe('base/probe', script, { inputs: [id('host/tools')] }),
  )
  return failureOf(await toyBuild(shared(), metadata, ['base/probe']), 'base/probe')
}

describe('inside the sandbox', () => {
  it('can be set up here', () => {
    expect(requireSandbox).not.toThrow()
  })

  it('user, group, host and folder are constant', async () => {
    expect(await printed('id -u; id -g; cat /proc/sys/kernel/hostname; pwd; umask')).toBe(
      '1000\n1000\nfixpoint\n/build/src\n0022\n',
    )
  })

  it('no capability is held and none can be won', async () => {
    const lines = await printed(
      "grep -E '^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs)' /proc/self/status",
    )
    expect(lines.replaceAll('\t', '')).toBe(
      'CapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\n' +
        'CapAmb:0000000000000000\nNoNewPrivs:1\n',
    )
  })

  it('the variables are the constant ones and the budget of cores', async () => {
    const lines = (await printed('env')).trim().split('\n')
    // These the shell makes by itself.
    const own = lines.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))
    const wanted = { ...constantEnvironment(true), MAKEFLAGS: ' -j2 --jobserver-auth=8,9' }
    expect(own.sort()).toEqual(
      Object.entries(wanted)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    )
  })

  it('files of /proc that tell of the machine are constant, and /sys is not there', async () => {
    expect(
      await printed('cat /proc/cpuinfo /proc/version /proc/cmdline; ls -d /sys 2>&1 || :'),
    ).toBe(
      `${PROC_FILES['cpuinfo'] ?? ''}${PROC_FILES['version'] ?? ''}` +
        `${PROC_FILES['cmdline'] ?? ''}ls: cannot access '/sys': No such file or directory\n`,
    )
  })

  it('only its own processes are there', async () => {
    const pids = (await printed('cd /proc; echo [0-9]*')).trim().split(' ').map(Number)
    expect(Math.max(...pids)).toBeLessThan(20)
  })

  it('addresses are not random', async () => {
    const [first, second] = (
      await printed(
        "cat /proc/self/personality; grep -E 'stack|vdso' /proc/self/maps; echo =; cat " +
          "/proc/self/personality; grep -E 'stack|vdso' /proc/self/maps",
      )
    ).split('=\n')
    expect(first).toMatch(/^00040000\n/)
    expect(second).toBe(first)
  })

  it('there is no input, and no file that the engine has open', async () => {
    expect(await printed('wc -c; readlink /proc/self/fd/0')).toBe('0\n/dev/null\n')
    const open = (await printed('find /proc/self/fd -lname "*" -printf "%f %l\\n"'))
      .trim()
      .split('\n')
    // The output of errors covers what the one who runs the tests has left open; 3 and more are
    // the folders that find reads.
    const [, output = 'none'] = /^2 (.*)$/m.exec(open.join('\n')) ?? []
    expect(
      open.filter(
        (line) =>
          !/^([012] |\d+ (\/run\/jobserver|\/build\/src|\/proc\/\d+\/fd)$)/.test(line) &&
          !line.endsWith(` ${output}`),
      ),
    ).toEqual([])
  })

  it('only its work can be written to', async () => {
    const script =
      'for path in / /usr /etc /sources /patches /files /steps /dev /proc /build /build/src ' +
      '/build/obj /out /tmp /run; do if (: > $path/x) 2> /dev/null; then rm $path/x; echo ' +
      '$path; fi; done'
    expect((await printed(script)).trim().split('\n')).toEqual([
      '/build',
      '/build/src',
      '/build/obj',
      '/out',
      '/tmp',
      '/run',
    ])
  })

  it('devices are few', async () => {
    expect((await printed('ls /dev')).trim().split('\n')).toEqual(
      [
        'console',
        'core',
        'fd',
        'full',
        'null',
        'ptmx',
        'pts',
        'random',
        'shm',
        'stderr',
        'stdin',
        'stdout',
        'tty',
        'urandom',
        'zero',
      ].filter((name) => name !== 'console'),
    )
  })

  it('there is no network but a loop of its own', async () => {
    let connections = 0
    const server = createServer(() => connections++).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await printed("sed -n 's/ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev")).toBe('lo\n')
    const result = await toyBuild(
      shared(),
      toyMetadata(
        toyRecipe('host/caller', `exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} || exit 1'`),
      ),
      ['host/caller'],
    )
    expect(failureOf(result, 'host/caller')).toMatchObject({
      code: 'step-failed',
      message: expect.stringContaining('refused') as string,
    })
    expect(connections).toBe(0)
    server.close()
  })
})

describe('above the host layers', () => {
  it.each([
    '/usr/include',
    '/usr/include/stdio.h',
    '/etc/alternatives',
    '/usr/bin/gcc',
    '/home',
    '/var',
    '/root',
  ])('%s of the host is not there', async (path) => {
    expect(await failing(`[ ! -e ${path} ] || exit 0; cat ${path}`)).toMatchObject({
      code: 'step-failed',
      message: expect.stringContaining(`${path}: No such file or directory`) as string,
    })
  })

  it('an input that is not declared is not there', async () => {
    expect(await failing('cat /usr/share/undeclared')).toMatchObject({
      code: 'step-failed',
      message: expect.stringContaining('No such file') as string,
    })
  })

  it('inputs and their needs are there, read-only, as they are in the artifact', async () => {
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe(
        'base/data',
        'mkdir -p $OUT/var/open $OUT/var/locked; echo data > $OUT/var/locked/data; chmod ' +
          '1777 $OUT/var/open; chmod 555 $OUT/var/locked',
        { inputs: [id('host/tools')], needs: [id('base/more')] },
      ),
      toyRecipe('base/more', 'mkdir -p $OUT/usr/share; echo more > $OUT/usr/share/more', {
        inputs: [id('host/tools')],
      }),
      toyRecipe(
        'base/probe',
        'cat /var/locked/data /usr/share/more > $OUT/read; find /var /usr/share/more ' +
          '-printf "%p %m %TY-%Tm-%Td\\n" > $OUT/found; if echo x > /var/locked/data; then ' +
          'exit 1; fi 2> /dev/null',
        { inputs: [id('host/tools'), id('base/data')] },
      ),
    )
    const result = await toyBuild(shared(), metadata, ['base/probe'])
    expect(await readArtifact(shared(), result, 'base/probe', 'read')).toBe('data\nmore\n')
    const found = await readArtifact(shared(), result, 'base/probe', 'found')
    expect(found.trim().split('\n').sort()).toEqual([
      '/usr/share/more 644 2000-01-01',
      '/var 755 2000-01-01',
      '/var/locked 555 2000-01-01',
      '/var/locked/data 644 2000-01-01',
      '/var/open 1777 2000-01-01',
    ])
  })

  it('a path claimed twice names path and both recipes', async () => {
    const metadata = toyMetadata(
      TOOLS,
      ...['base/one', 'base/two'].map((name) =>
        toyRecipe(name, 'mkdir -p $OUT/usr/share; echo same > $OUT/usr/share/file', {
          inputs: [id('host/tools')],
        }),
      ),
      toyRecipe('base/both', ':', { inputs: [id('host/tools'), id('base/one'), id('base/two')] }),
    )
    expect(failureOf(await toyBuild(shared(), metadata, ['base/both']), 'base/both')).toMatchObject(
      {
        code: 'path-claimed-twice',
        kind: 'buildFailed',
        message: expect.stringMatching(/"\/usr\/share\/file".*base\/one.*base\/two/) as string,
      },
    )
  })

  it('an input of a host layer must not hide the libraries of the host', async () => {
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe('host/user', ':', { inputs: [id('host/tools')] }),
      toyRecipe('host/link', 'ln -s usr/bin $OUT/bin'),
      toyRecipe('host/linked', 'sh -c ": > $OUT/made"', { inputs: [id('host/link')] }),
    )
    const result = await toyBuild(shared(), metadata, ['host/user', 'host/linked'], {
      keepGoing: true,
    })
    expect(
      [...result.failures].map(([name, error]) => [name, (error as { code?: string }).code]),
    ).toEqual([['host/user', 'path-claimed-twice']])
  })
})
