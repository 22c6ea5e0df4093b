import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { sandboxCommand } from '../../../src/sandbox/bwrap.ts'
import { artifactOf, freshStore, readArtifact } from '../../support/rig.ts'
import { toyBuild, toyMetadata, toyRecipe } from '../../support/toy.ts'

/**
 * What a command prints in a sandbox over the machine's own root, started after `before` by a
 * shell.
 */
function inSandbox(before: string, script: string): string {
  const spec = {
    root: '/',
    mounts: [],
    env: { PATH: '/usr/bin' },
    folder: '/',
    command: ['/bin/sh', '-c', script],
  }
  return execFileSync('bash', ['-c', `${before}; exec "$@"`, 'bash', ...sandboxCommand(spec)], {
    encoding: 'utf8',
  })
}

const LIMITS = "grep -vE '^(Max pending signals|Max msgqueue size|Max processes)' /proc/self/limits"

describe('limits of the caller', () => {
  it.each([
    'ulimit -S -n 512',
    'ulimit -S -s 4096',
    'ulimit -S -s unlimited',
    'ulimit -S -c unlimited',
    'ulimit -S -f 100',
    'ulimit -S -v 4000000',
  ])('%s is not seen', (before) => {
    expect(inSandbox(before, LIMITS)).toBe(inSandbox(':', LIMITS))
  })

  it('bound the number of processes', () => {
    expect(
      Number(/Max processes +(\d+)/.exec(inSandbox(':', 'cat /proc/self/limits'))?.[1]),
    ).toBeLessThanOrEqual(8192)
  })

  it.each(['-f 100', '-n 64', '-s 100'])(
    'a hard limit (ulimit %s) that cannot be lifted is refused',
    (limit) => {
      // Root may lift any limit.
      const words =
        process.getuid?.() === 0
          ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
          : []
      const command = sandboxCommand({
        root: '/',
        mounts: [],
        env: {},
        folder: '/',
        command: ['/bin/sh', '-c', 'echo ran'],
      })
      const run = () =>
        execFileSync('bash', ['-c', `ulimit ${limit}; exec "$@"`, 'bash', ...words, ...command], {
          stdio: 'pipe',
        })
      expect(run).toThrow(`ulimit -H ${limit.split(' ')[0] ?? ''}`)
    },
  )

  it('leave no core file', async () => {
    const toy = await freshStore()
    const script = 'cd $OUT; touch x; sh -c "kill -SEGV \\$\\$" || :; ls > list'
    const result = await toyBuild(toy, toyMetadata(toyRecipe('host/core', script)), ['host/core'])
    expect(await readArtifact(toy, result, 'host/core', 'list')).toBe('list\nx\n')
  })
})

describe('a default ACL above the store', () => {
  const setfacl = ((): boolean => {
    try {
      execFileSync('setfacl', ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()

  it.runIf(setfacl)('has no say in the modes of what a step makes', async () => {
    const script = 'mkdir $OUT/folder; touch $OUT/folder/file'
    const digests = []
    for (const acl of [false, true]) {
      const toy = await freshStore()
      if (acl) execFileSync('setfacl', ['-R', '-m', 'd:u::rwx,d:g::rwx,d:o::rwx', toy.folder])
      const result = await toyBuild(toy, toyMetadata(toyRecipe('host/modes', script)), [
        'host/modes',
      ])
      digests.push(artifactOf(result, 'host/modes'))
    }
    expect(digests[1]).toBe(digests[0])
  })
})

describe('names', () => {
  it.each([
    ['localhost', 'getent hosts localhost | sed "s/ .*//"'],
    ['its own user', 'id -un; getent passwd builder | cut -d: -f3'],
    ['its own host', 'getent hosts fixpoint | sed "s/ .*//"'],
  ])('of %s resolve', async (_name, script) => {
    const toy = await freshStore()
    const result = await toyBuild(
      toy,
      toyMetadata(toyRecipe('host/names', `{ ${script}; } > $OUT/said`)),
      ['host/names'],
    )
    expect(await readArtifact(toy, result, 'host/names', 'said')).toMatch(
      /^(::1|127\.0\.0\.1|builder\n1000)\n$/,
    )
  })
})

describe('make of the host', () => {
  it('understands the jobserver, whatever its version', async () => {
    const toy = await freshStore()
    const script = 'printf "all: a b\\na b:\\n\\t@echo \\$@\\n" > Makefile; make > $OUT/said 2>&1'
    const result = await toyBuild(toy, toyMetadata(toyRecipe('host/made', script)), ['host/made'])
    expect(
      (await readArtifact(toy, result, 'host/made', 'said')).split('\n').sort().join(' ').trim(),
    ).toBe('a b')
  })
})

describe('programs that seed their tables', () => {
  it.each([
    ['python3', "-c 'print(list({str(n) for n in range(20)}))'"],
    ['perl', "-e 'my %h = map { $_ => 1 } 1..50; print keys %h'"],
  ])('%s orders them the same way each time', async (program, text) => {
    const toy = await freshStore()
    const script = `for i in 1 2 3 4; do ${program} ${text} > $OUT/$i; cmp $OUT/1 $OUT/$i; done`
    artifactOf(
      await toyBuild(toy, toyMetadata(toyRecipe('host/seeded', script)), ['host/seeded']),
      'host/seeded',
    )
  })
})
