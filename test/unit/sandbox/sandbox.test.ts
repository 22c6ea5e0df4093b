import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { sandboxCommand } from '../../../src/sandbox/bwrap.ts'
import { constantEnvironment } from '../../../src/sandbox/constants.ts'
import { unionOf, type Part } from '../../../src/sandbox/sysroot.ts'
import type { Entry } from '../../../src/store/artifact/listing.ts'

const SPEC = {
  root: '/place/root',
  mounts: [
    { from: '/place/build', to: '/build', writable: true },
    { from: '/place/proc/cpuinfo', to: '/proc/cpuinfo' },
  ],
  env: { A: '1', B: 'two words' },
  folder: '/build/src',
  command: ['/bin/sh', '-c', 'echo --dev-bind / /'],
}

describe('the sandbox’s command', () => {
  const words = sandboxCommand(SPEC)
  const line = words.join(' ')

  it('sets limits and switches address randomisation off in front of bubblewrap', () => {
    expect(words.slice(0, 2)).toEqual(['sh', '-c'])
    expect(words.slice(words.indexOf('setarch')).slice(0, 4)).toEqual([
      'setarch',
      'linux64',
      '-R',
      'bwrap',
    ])
  })

  it.each([
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-net',
    '--as-pid-1',
    '--die-with-parent',
    '--new-session',
    '--clearenv',
  ])('has %s', (word) => {
    expect(words).toContain(word)
  })

  it('is an ordinary user on a constant host', () => {
    expect(line).toContain('--uid 1000 --gid 1000 --hostname fixpoint')
  })

  it('sets each variable after all were cleared', () => {
    expect(words.indexOf('--clearenv')).toBeLessThan(words.indexOf('--setenv'))
    expect(line).toContain('--setenv A 1 --setenv B two words')
  })

  it('shows the root read-only, then what is mounted over it; nothing is writable that was not asked for', () => {
    expect(line).toMatch(
      /--ro-bind \/place\/root \/ --dev \/dev --proc \/proc .*--bind \/place\/build \/build --ro-bind \/place\/proc\/cpuinfo \/proc\/cpuinfo --remount-ro \/dev --remount-ro \/proc /,
    )
    const options = words.slice(0, words.lastIndexOf('--'))
    expect(options.filter((word) => word === '--bind')).toHaveLength(1)
    expect(options.filter((word) => /^--(dev-bind|share)/.test(word))).toEqual([])
  })

  it('ends with folder and command', () => {
    expect(words.slice(words.indexOf('--chdir'))).toEqual([
      '--chdir',
      '/build/src',
      '--',
      ...SPEC.command,
    ])
  })

  it('has the filter of system calls as an open file', () => {
    const filtered = sandboxCommand({ ...SPEC, filter: '/place/filter' })
    expect(filtered.join(' ')).toContain('--seccomp 4 --chdir')
    expect(filtered[2]).toMatch(/^file=\$1\nshift\nexec 4< "\$file"\n/)
    expect(filtered.slice(3, 5)).toEqual(['sh', '/place/filter'])
  })

  it('keeps the terminal for a shell only', () => {
    expect(sandboxCommand(SPEC, { terminal: true })).toEqual(
      words.filter((word) => word !== '--new-session'),
    )
  })
})

describe('the constant environment', () => {
  it('is the same but for the order of places where programs are looked for', () => {
    expect(constantEnvironment(false)).toMatchInlineSnapshot(`
      {
        "FILES": "/files",
        "HOME": "/tmp",
        "LC_ALL": "C",
        "LOGNAME": "builder",
        "OBJ": "/build/obj",
        "OUT": "/out",
        "PATCHES": "/patches",
        "PATH": "/usr/bin:/bootstrap/bin",
        "PERL_HASH_SEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "SHELL": "/bin/sh",
        "SOURCES": "/sources",
        "SOURCE_DATE_EPOCH": "946684800",
        "SRC": "/build/src",
        "TERM": "dumb",
        "TMPDIR": "/tmp",
        "TZ": "UTC",
        "USER": "builder",
      }
    `)
    expect(constantEnvironment(true)).toEqual({
      ...constantEnvironment(false),
      PATH: '/bootstrap/bin:/usr/bin',
    })
  })
})

describe('a union', () => {
  const folder = (path: string, mode = 0o755): Entry => ({ type: 'folder', path, mode })
  const file = (path: string, text = ''): Entry => ({
    type: 'file',
    path,
    mode: 0o644,
    size: text.length,
    sha256: digestOf(text),
  })
  const link = (path: string, target: string): Entry => ({ type: 'link', path, target })
  const part = (recipe: string, ...listing: Entry[]): Part => ({
    recipe: recipe as RecipeId,
    tree: `/trees/${recipe}`,
    listing,
  })

  it('has each path once, folders of equal mode joined, whatever the order', () => {
    const parts = [
      part('a/a', folder('usr'), file('usr/a')),
      part('a/b', folder('usr'), file('usr/b')),
    ]
    const paths = (union: ReturnType<typeof unionOf>): string[] => [...union.keys()].sort()
    expect(paths(unionOf(parts))).toEqual(['usr', 'usr/a', 'usr/b'])
    expect(paths(unionOf([...parts].reverse()))).toEqual(['usr', 'usr/a', 'usr/b'])
    expect(unionOf(parts).get('usr/b')?.part.recipe).toBe('a/b')
  })

  it.each<[string, Entry, Entry]>([
    ['two files, even equal ones', file('usr/x', 'same'), file('usr/x', 'same')],
    ['folders of two modes', folder('usr/x', 0o755), folder('usr/x', 0o1777)],
    ['a folder and a file', folder('usr/x'), file('usr/x')],
    ['a folder and a link', folder('usr/x'), link('usr/x', 'y')],
    ['two links, even equal ones', link('usr/x', 'y'), link('usr/x', 'y')],
  ])(
    'of %s is refused, naming path and both recipes, in one way for either order',
    (_name, one, two) => {
      const messages = [
        [part('a/one', folder('usr'), one), part('a/two', folder('usr'), two)],
        [part('a/two', folder('usr'), two), part('a/one', folder('usr'), one)],
      ].map((parts) => {
        try {
          unionOf(parts)
        } catch (error) {
          expect(error).toMatchObject({ code: 'path-claimed-twice' })
          return (error as Error).message
        }
        return undefined
      })
      expect(messages[0]).toMatch(/"\/usr\/x" is in a\/one .* and in a\/two /)
      expect(messages[1]).toBe(messages[0])
    },
  )

  it("puts nothing through another artifact's link, nor into a folder that nobody has", () => {
    const through = [part('a/one', link('bin', '/etc')), part('a/two', file('bin/x'))]
    for (const parts of [through, through.toReversed()])
      expect(() => unionOf(parts)).toThrow(
        expect.objectContaining({
          code: 'path-claimed-twice',
          message: expect.stringContaining('"/bin"') as string,
        }) as Error,
      )
    expect(() => unionOf([part('a/one', file('bin/x'))])).toThrow(
      expect.objectContaining({ code: 'artifact-parent', kind: 'buildFailed' }) as Error,
    )
  })
})
