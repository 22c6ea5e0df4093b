import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { MOUNT_POINTS } from '../../../src/sandbox/bwrap.ts'
import { ETC_FILES } from '../../../src/sandbox/constants.ts'
import {
  artifactOf,
  failureOf,
  freshStore,
  id,
  readArtifact,
  sharedStore,
  storesWithTools,
} from '../../support/rig.ts'
import { toyBuild, toyMetadata, toyRecipe, TOOLS } from '../../support/toy.ts'

const shared = sharedStore()
const withTools = storesWithTools()

/** What a step of a host layer prints. */
async function printed(script: string): Promise<string> {
  const result = await toyBuild(
    shared(),
    toyMetadata(toyRecipe('host/probe', `{ ${script}\n} > $OUT/printed`)),
    ['host/probe'],
  )
  return readArtifact(shared(), result, 'host/probe', 'printed')
}

/** A folder of the machine that nothing may change; `same` tells whether it is as it was. */
async function precious(): Promise<{ folder: string; same: () => boolean }> {
  const root = await mkdtemp(join(tmpdir(), 'fixpoint-test-'))
  onTestFinished(() => removeTree(root))
  const folder = join(root, 'folder')
  mkdirSync(folder)
  writeFileSync(join(root, 'file'), 'precious')
  for (const path of [folder, join(root, 'file')]) utimesSync(path, 1e9, 1e9)
  const look = (): string =>
    execFileSync('find', [root, '-mindepth', '1', '-printf', '%P %y %m %T@ %s\n'], {
      encoding: 'utf8',
    }) + readFileSync(join(root, 'file'), 'utf8')
  const before = look()
  return { folder, same: () => look() === before }
}

describe('what is not the step’s own in /proc', () => {
  it.runIf(process.getuid?.() === 0)(
    'cannot be written, also when root runs the engine',
    async () => {
      const file = '/proc/sys/kernel/printk_ratelimit_burst'
      const before = readFileSync(file, 'utf8')
      const said = await printed(
        `cat ${file}; if echo $(cat ${file}) > ${file}; then echo written; fi 2> /dev/null`,
      )
      expect(said).toBe(before)
    },
  )

  it('holds not one file that may be written', async () => {
    // Opening is the test: access(2) does not know of read-only mounts below a file's mode.
    const script = `files=$(find /proc -maxdepth 4 -path '/proc/[0-9]*' -prune -o \\
        -type f -print 2> /dev/null) || :
      for f in $files; do
      if ( : >> "$f" ) 2> /dev/null; then echo "$f"; fi; done`
    expect(await printed(script)).toBe('')
  })

  it.each(['kcore', 'kmsg', 'kpagecount', 'slabinfo', 'vmallocinfo', 'timer_list'])(
    '%s says nothing',
    async (name) => {
      expect(await printed(`cat /proc/${name} 2> /dev/null || :`)).toBe('')
    },
  )
})

describe('the machine’s devices', () => {
  it.each(['null', 'zero', 'full', 'random', 'urandom', 'tty'])(
    'keep their modes and times: %s',
    async (name) => {
      // The mode that it has: nothing is lost where this is let through.
      const script = `chmod $(stat -c %a /dev/${name}) /dev/${name} && echo changed || :
        touch -c -d @0 /dev/${name} && echo touched || :`
      expect(await printed(`{ ${script}\n} 2> /dev/null`)).toBe('')
    },
  )

  it('are not what a step has as input or inherits, and can be used', async () => {
    const script = `for fd in /proc/self/fd/*; do
        case $(readlink $fd) in /dev/*) chmod $(stat -L -c %a $fd) $fd && echo $fd ;; esac
      done || :
      echo x > /dev/null; head -c 2 /dev/zero | od -An -tx1; cat <&0`
    expect(await printed(`{ ${script}\n} 2> /dev/null`)).toBe(' 00 00\n')
  })
})

describe('system calls', () => {
  /** Codes of errors of calls of x86-64, made by perl; 0 for success. */
  async function results(calls: readonly string[]): Promise<string[]> {
    const lines = calls.map((call) => `syscall(${call}) < 0 ? $!+0 : 0`).join(', ')
    const said = await printed(`perl -e 'my $s = "x\\0"; print join(" ", ${lines})'`)
    return said.split(' ')
  }

  it('that reach the keys of whoever started the engine are not there', async () => {
    const session = '-3, $s'
    const calls = [
      '250, 0, -3, 0',
      `250, 1, $s`,
      `248, $s, $s, $s, 1, ${session}`,
      `249, $s, $s, 0, -3`,
    ]
    expect(await results(calls)).toEqual(['38', '38', '38', '38'])
  })

  it('make no user namespace, whose root could mount the machine’s control groups', async () => {
    const user = '0x10000000'
    expect(await results([`272, ${user}`, `56, ${user}|17, 0, 0, 0, 0`, '435, $s, 0'])).toEqual([
      '1',
      '1',
      '38',
    ])
    expect(await results(['272, 0x400'])).toEqual(['0'])
  })

  it('open no sockets but those that a namespace divides', async () => {
    const families = [40, 38, 17, 1, 2, 10, 16]
    expect(await results(families.map((family) => `41, ${String(family)}, 2, 0`))).toEqual([
      ...['97', '97', '97'],
      ...['0', '0', '0', '0'],
    ])
  })

  it('cannot be made past the filter', async () => {
    expect(await results(['425, 1, $s', '0x40000000 + 39'])).toEqual(['38', '38'])
  })
})

describe('a pipe that one action had', () => {
  it('is no other’s, whatever was done to it', async () => {
    const metadata = toyMetadata(
      toyRecipe('host/first', 'touch $OUT/x; chmod 0 /run/jobserver /proc/self/fd/1'),
      toyRecipe('host/second', ': <> /run/jobserver; echo said; touch $OUT/y', {
        inputs: [id('host/first')],
      }),
    )
    const toy = await freshStore()
    artifactOf(await toyBuild(toy, metadata, ['host/second']), 'host/second')
  })
})

describe('processes that a step leaves behind', () => {
  it('have ended when the next step begins, and before anything is packed', async () => {
    const toy = await freshStore()
    const steps = [
      {
        name: 'leave',
        script: `for i in 1 2 3 4 5 6 7 8; do
            (setsid sh -c 'trap "" TERM HUP; while :; do echo >> $OUT/f'$i'; done' \\
              > /dev/null 2>&1 &)
          done
          while [ ! -s $OUT/f8 ]; do :; done`,
      },
      {
        name: 'look',
        script:
          'sum() { cat $OUT/f? | cksum; }; before=$(sum); for i in 1 2 3; do [ "$(sum)" = ' +
          '"$before" ]; done; ls -d /proc/[0-9]* | wc -l > $OUT/count',
      },
    ]
    const result = await toyBuild(toy, toyMetadata(toyRecipe('host/left', '', { steps })), [
      'host/left',
    ])
    // The shell that is process 1, the step's, ls and wc.
    expect(Number(await readArtifact(toy, result, 'host/left', 'count'))).toBeLessThan(8)
  })

  it('and its temporary files are gone when the next step begins', async () => {
    const toy = await freshStore()
    const steps = [
      {
        name: 'leave',
        script: `for folder in /tmp /dev/shm /run; do
          mkdir -p $folder/.deep/er $folder/..two; echo x > $folder/.deep/er/file
          ln -s /nowhere $folder/link
          chmod 0 $folder/.deep/er; chmod 0 $folder/.deep
        done; rm -rf $SRC; mkdir $SRC`,
      },
      {
        name: 'look',
        script: `find /tmp /dev/shm /run -mindepth 1 > $OUT/found; pwd > $OUT/folder
          touch $SRC/here; ls > $OUT/here`,
      },
    ]
    const result = await toyBuild(toy, toyMetadata(toyRecipe('host/left', '', { steps })), [
      'host/left',
    ])
    const read = (name: string) => readArtifact(toy, result, 'host/left', name)
    expect(await read('found')).toBe('/run/jobserver\n')
    expect(await read('folder')).toBe('/build/src\n')
    expect(await read('here')).toBe('here\n')
  })

  it('cannot keep a step from ending, though they hold its output open', async () => {
    const script = '(setsid sh -c \'trap "" TERM HUP; while :; do sleep 1; done\' &); exit 3'
    const result = await toyBuild(await freshStore(), toyMetadata(toyRecipe('host/held', script)), [
      'host/held',
    ])
    expect(failureOf(result, 'host/held').message).toContain('status 3')
  })
})

describe('an input with something else where the sandbox mounts', () => {
  const points = [...MOUNT_POINTS, 'etc']

  it.each(points)(
    '/%s as a link is refused by name, and nothing of the machine is touched',
    async (point) => {
      const { folder, same } = await precious()
      const metadata = toyMetadata(
        TOOLS,
        toyRecipe('base/evil', `ln -s ${folder} $OUT/${point}`, { inputs: [id('host/tools')] }),
        toyRecipe('base/user', 'echo x > $OUT/x', { inputs: [id('host/tools'), id('base/evil')] }),
      )
      const failure = failureOf(
        await toyBuild(await withTools(), metadata, ['base/user']),
        'base/user',
      )
      expect(failure).toMatchObject({ code: 'mount-point-claimed', kind: 'buildFailed' })
      expect(failure.message).toContain('base/evil')
      expect(same()).toBe(true)
    },
  )

  it.each([
    ['usr', 'ln -s FOLDER $OUT/usr'],
    ['etc', 'ln -s FOLDER $OUT/etc'],
    ['etc/alternatives', 'mkdir $OUT/etc; ln -s FOLDER $OUT/etc/alternatives'],
  ])('/%s in a host layer is refused', async (_point, script) => {
    const { folder, same } = await precious()
    const metadata = toyMetadata(
      toyRecipe('host/evil', script.replace('FOLDER', folder)),
      toyRecipe('host/user', ':', { inputs: [id('host/evil')] }),
    )
    const failure = failureOf(
      await toyBuild(await freshStore(), metadata, ['host/user']),
      'host/user',
    )
    expect(failure).toMatchObject({ code: 'mount-point-claimed' })
    expect(same()).toBe(true)
  })

  it('a manifest that is a link is refused where an image is made', async () => {
    const { folder, same } = await precious()
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe('base/evil', `ln -s ${folder}/../file $OUT/manifest.json`, {
        inputs: [id('host/tools')],
      }),
      toyRecipe('base/image', ':', { image: true, inputs: [id('host/tools'), id('base/evil')] }),
    )
    const failure = failureOf(
      await toyBuild(await withTools(), metadata, ['base/image']),
      'base/image',
    )
    expect(failure).toMatchObject({ code: 'mount-point-claimed' })
    expect(same()).toBe(true)
  })

  it('names of its own for user and host are kept, also as a link', async () => {
    const { folder, same } = await precious()
    const toy = await withTools()
    const metadata = toyMetadata(
      TOOLS,
      toyRecipe(
        'base/names',
        `mkdir $OUT/etc; echo own > $OUT/etc/hosts; ln -s ${folder}/x $OUT/etc/passwd; ` +
          `chmod 555 $OUT/etc`,
        {
          inputs: [id('host/tools')],
        },
      ),
      toyRecipe('base/user', 'cat /etc/hosts /etc/group > $OUT/read', {
        inputs: [id('host/tools'), id('base/names')],
      }),
    )
    const result = await toyBuild(toy, metadata, ['base/user'])
    expect(await readArtifact(toy, result, 'base/user', 'read')).toBe(
      `own\n${ETC_FILES['group'] ?? ''}`,
    )
    expect(same()).toBe(true)
  })
})

describe('names that a recipe gives', () => {
  it.each(['../escaped', 'a/b', '..', '.', ''])(
    'a source called "%s" is laid out nowhere',
    async (name) => {
      const toy = await freshStore()
      const { digest } = await toy.store.trees.pack(await folderWithFile())
      const source = { kind: 'file' as const, name, sha256: digest, from: [], to: undefined }
      const metadata = toyMetadata(toyRecipe('host/named', 'touch $OUT/x', { sources: [source] }))
      expect(failureOf(await toyBuild(toy, metadata, ['host/named']), 'host/named')).toMatchObject({
        code: 'unsafe-path',
      })
    },
  )

  it('a step may be called like anything that the engine has', async () => {
    const toy = await freshStore()
    const steps = ['first', 'run', 'output', 'last'].map((name) => ({
      name,
      script: `echo ${name} >> $OUT/trace`,
    }))
    const result = await toyBuild(toy, toyMetadata(toyRecipe('host/steps', '', { steps })), [
      'host/steps',
    ])
    expect(await readArtifact(toy, result, 'host/steps', 'trace')).toBe(
      'first\nrun\noutput\nlast\n',
    )
  })

  it('a file of the checkout that became a link meanwhile is not followed', async () => {
    const { folder } = await precious()
    const path = join(folder, 'link')
    symlinkSync('../file', path)
    const toy = await freshStore()
    const { digest } = await toy.store.trees.pack(await folderWithFile())
    const metadata = toyMetadata(
      toyRecipe('host/files', 'touch $OUT/x', {
        files: [{ name: 'link', path, digest, executable: false }],
      }),
    )
    expect(failureOf(await toyBuild(toy, metadata, ['host/files']), 'host/files')).toMatchObject({
      code: 'unsafe-path',
    })
  })
})

describe('the log', () => {
  it('keeps its beginning when a step opens its output by name', async () => {
    const toy = await freshStore()
    const script =
      'echo first; echo second > /dev/stderr; echo third > /dev/stdout; echo fourth > ' +
      '/proc/self/fd/2; touch $OUT/x'
    await toyBuild(toy, toyMetadata(toyRecipe('host/loud', script)), ['host/loud'])
    const log = await toy.store.logs.newest(id('host/loud'))
    expect(readFileSync(log!, 'utf8')).toBe('==> build\nfirst\nsecond\nthird\nfourth\n')
  })

  it('has a bound, and the step that goes beyond it fails by that name', async () => {
    const toy = await freshStore()
    const result = await toyBuild(
      toy,
      toyMetadata(toyRecipe('host/flood', 'while :; do cat /usr/bin/*; done')),
      ['host/flood'],
    )
    expect(failureOf(result, 'host/flood').message).toContain('MiB to its log')
    const log = await toy.store.logs.newest(id('host/flood'))
    expect(statSync(log!).size).toBeLessThan(257 << 20)
  })
})

async function folderWithFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-'))
  onTestFinished(() => removeTree(folder))
  writeFileSync(join(folder, 'file'), 'text')
  return folder
}
