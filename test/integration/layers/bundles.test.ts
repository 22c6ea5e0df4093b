import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { storedTree } from '../../support/image.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'
import { describeTree, writeTreeAt } from '../../support/trees.ts'

// The scripts with which recipes compile several files at once, on small trees.

const GCC_FILES = join(CHECKOUT, 'layers/bootstrap/gcc/files')
const busybox = await storedTree('toolchain/busybox')

let folder: string
beforeEach(async () => {
  folder = await temporaryFolder()
})

interface Ended {
  readonly status: number | null
  readonly out: string
  readonly error: string
}

function run(program: string, args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  return { status, out: stdout, error: stderr }
}

function text(path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}

// A cold build takes the host's awk, and the toolchain its own.
const AWKS: (readonly [string, readonly string[]])[] = [['awk', []]]
if (busybox !== undefined) AWKS.push([join(busybox, 'usr/bin/busybox'), ['awk']])

describe.each(AWKS)('bundle.awk, by %s', (program, first) => {
  const bundle = (): Ended =>
    run(program, [...first, '-f', join(GCC_FILES, 'bundle.awk'), 'Makefile.in', 'Makefile.in'])

  it('files of OBJS go into a bundle, those with flags or rules of their own do not', async () => {
    await writeTreeAt(folder, {
      'Makefile.in':
        'CFLAGS-flags.o += -DX\nwarned.o-warn = -Wno-error\nruled.o: made.h\n' +
        'OBJS = \\\n\tone.o \\\n\tflags.o \\\n\twarned.o \\\n\truled.o \\\n\tmade.o \\\n' +
        '\texplow.o \\\n\ttwo.o \\\n\tlast.o\nOTHER = \\\n\tone.o \\\n\ttwo.o\n',
      'one.cc': '#define LOCAL 1\nint one = LOCAL;\n',
      'flags.cc': 'int flags = X;\n',
      'warned.cc': 'int warned;\n',
      'ruled.cc': 'int ruled;\n',
      'explow.cc': 'int explow;\n',
      'two.cc': '#define LOCAL 2\nint two = LOCAL;\n',
      'last.cc': 'int last;\n',
    })
    expect(bundle()).toEqual({
      status: 0,
      out:
        'CFLAGS-flags.o += -DX\nwarned.o-warn = -Wno-error\nruled.o: made.h\n' +
        'OBJS = \\\n\tflags.o \\\n\twarned.o \\\n\truled.o \\\n\tmade.o \\\n\texplow.o \\\n' +
        '\tbundle-1.o \\\n\tlast.o\nOTHER = \\\n\tone.o \\\n\ttwo.o\n',
      error: '',
    })
    expect(text('bundle-1.cc').replace(/^(#define INCLUDE_\w+\n)+/, '')).toBe(
      '#include "one.cc"\n#undef LOCAL\n#include "two.cc"\n#undef LOCAL\n',
    )
    execFileSync('c++', ['-Werror', '-c', 'bundle-1.cc'], { cwd: folder })
  })

  it.each(['#undef SHARED', '#define SHARED 2'])(
    'a file that tests a macro which an earlier one undefines begins a bundle: %s',
    async (line) => {
      await writeTreeAt(folder, {
        'Makefile.in': 'OBJS = \\\n\tone.o \\\n\ttwo.o \\\n\tthree.o \\\n\tlast.o\n',
        'one.cc': `${line}\nint one;\n`,
        'two.cc': 'int two;\n',
        'three.cc': '#if defined(OTHER) || \\\n  defined(SHARED)\nint three;\n#endif\n',
        'last.cc': 'int last;\n',
      })
      expect(bundle().status).toBe(0)
      expect(text('bundle-1.cc')).toMatch(/#include "one.cc"\n[^]*#include "two.cc"\n$/)
      expect(text('bundle-2.cc')).toMatch(/#include "three.cc"\n$/)
    },
  )

  it.each(['OBJECTS = \\\n\tone.o \\\n\tlast.o\n', 'OBJS = \\\n\tmade.o \\\n\tlast.o\n'])(
    'nothing to bundle is an error: %j',
    async (makefile) => {
      await writeTreeAt(folder, { 'Makefile.in': makefile, 'one.cc': 'int one;\n' })
      expect(bundle()).toMatchObject({
        status: 1,
        error:
          'bundle.awk: Makefile.in: no list OBJS with files to bundle; has it another name now?\n',
      })
    },
  )
})

describe('the script in place of libtool', () => {
  beforeEach(async () => {
    await writeTreeAt(folder, {
      libtool: { mode: 0o755, data: readFileSync(join(GCC_FILES, 'libtool')) },
      'libtool.whole': { mode: 0o755, data: '#!/bin/sh\nprintf "%s|" "$@"\n' },
      'sub/a b.c': 'int a = VALUE;\n',
      'header.h': '',
      'wrong.c': 'int a = ;\n',
    })
  })

  it('the list of headers is for the object as make knows it', () => {
    const list = ['-include', 'header.h', '-MT', 'sub/a.lo', '-MD', '-MP', '-MF', 'sub/a.Tpo']
    const args = ['--tag=CC', '--mode=compile', 'cc', '-DVALUE=1', ...list]
    expect(run('./libtool', [...args, '-c', '-o', 'sub/a.lo', 'sub/a b.c']).status).toBe(0)
    expect(text('sub/a.Tpo')).toMatch(/^sub\/a\.lo: [^]* header\.h/)
    expect(existsSync(join(folder, 'sub/a.o'))).toBe(true)
  })

  it('compiles an object, and writes what libtool would', () => {
    const args = ['--tag=CC', '--mode=compile', 'cc', '-DVALUE=1', '-c', '-o', 'sub/a.lo']
    expect(run('./libtool', [...args, 'sub/a b.c'])).toEqual({ status: 0, out: '', error: '' })
    expect(existsSync(join(folder, 'sub/a.o'))).toBe(true)
    expect(text('sub/a.lo')).toBe(
      '# a.lo - a libtool object file\n# Generated by libtool\npic_object=none\n' +
        "non_pic_object='a.o'\n",
    )
  })

  it('a file that does not compile fails, and leaves nothing', () => {
    const args = ['--tag=CC', '--mode=compile', 'cc', '-c', '-o', 'wrong.lo', 'wrong.c']
    expect(run('./libtool', args)).toMatchObject({ status: 1, out: '' })
    expect(existsSync(join(folder, 'wrong.lo'))).toBe(false)
  })

  it.each([
    ['--tag=CC', '--mode=link', 'cc', '-o', 'lib.la', 'a.lo'],
    ['--tag=CC', '--mode=link', 'cc', '-o', 'compile:a.lo', 'a.lo'],
    ['--mode=compile', '--tag=CC', 'cc', '-c', 'a.c'],
    ['--silent', '--tag=CC', '--mode=compile', 'cc', '-c', '-o', 'a.lo', 'a.c'],
    ['--tag=CC', '--mode=compile', '--silent', 'cc', '-c', '-o', 'a.lo', 'a.c'],
    ['--tag=CC', '--mode=compile', 'cc', '-prefer-pic', '-c', '-o', 'a.lo', 'a.c'],
    ['--tag=CC', '--mode=compile', 'cc', '-static', '-c', '-o', 'a.lo', 'a.c'],
    ['--tag=CC', '--mode=compile', 'cc', '-Wc,-g', '-c', '-o', 'a.lo', 'a.c'],
    ['--tag', 'CC', '--mode', 'compile', 'cc', '-c', '-o', 'a.lo', 'a.c'],
    ['--version'],
    [],
  ])("all else is libtool's, with all words: %s %s %s %s", (...args) => {
    expect(run('./libtool', args)).toEqual({
      status: 0,
      out: args.length === 0 ? '|' : `${args.join('|')}|`,
      error: '',
    })
  })
})

describe('bundle.py', () => {
  const BUNDLE = join(CHECKOUT, 'layers/runtime/node/files/bundle.py')
  const bundle = (...parts: string[]): Ended => run('python3', [BUNDLE, ...parts])

  beforeEach(async ({ skip }) => {
    skip(spawnSync('python3', ['--version']).status !== 0, 'there is no python3')
    await writeTreeAt(folder, {
      'obj/deep/part.ninja':
        'cflags = -O1\nbuild obj/one.o: cxx src/one.cc || obj/before.stamp\n' +
        'build obj/two.o: cxx src/two.cc || $\n    obj/before.stamp\n' +
        'build obj/made.o: cxx src/made.cc || obj/before.stamp\n' +
        'build obj/part.a: alink obj/one.o obj/two.o obj/made.o\n',
      'src/one.cc': '#define LOCAL 1\nint one = LOCAL;\n',
      'src/two.cc': '#define LOCAL 2\nint two = LOCAL;\n',
    })
  })

  it('files of a folder go into a bundle, which stands for the first of them', () => {
    expect(bundle('part')).toEqual({
      status: 0,
      out: 'part: 2 files in 1 bundles\n',
      error: '',
    })
    expect(text('obj/deep/part.ninja')).toBe(
      'cflags = -O1\nbuild obj/made.o: cxx src/made.cc || obj/before.stamp\n' +
        'build obj/part.a: alink obj/part.0.o obj/made.o\n' +
        'build obj/part.0.o: cxx part.0.cc || obj/before.stamp\n',
    )
    expect(text('part.0.cc')).toBe(
      '#define _module _module_0\n#include "src/one.cc"\n#undef _module\n#undef LOCAL\n' +
        '#define _module _module_1\n#include "src/two.cc"\n#undef _module\n#undef LOCAL\n',
    )
  })

  it('a part that is in bundles stays as it is', async () => {
    bundle('part')
    const before = await describeTree(folder)
    expect(bundle('part')).toEqual({ status: 0, out: 'part: in bundles already\n', error: '' })
    expect(await describeTree(folder)).toEqual(before)
  })

  it.each(['#undef SHARED', '#define SHARED 2'])(
    'a file that tests a macro which an earlier one undefines begins a bundle: %s',
    async (line) => {
      await writeTreeAt(folder, {
        'obj/deep/part.ninja':
          'build obj/1.o: cxx src/1.cc\nbuild obj/2.o: cxx src/2.cc\n' +
          'build obj/3.o: cxx src/3.cc\nbuild obj/4.o: cxx src/4.cc\n' +
          'build obj/part.a: alink obj/1.o obj/2.o obj/3.o obj/4.o\n',
        'src/1.cc': `${line}\nint one;\n`,
        'src/2.cc': 'int two;\n',
        'src/3.cc': '#if defined(OTHER) || \\\n  defined(SHARED)\nint three;\n#endif\n',
        'src/4.cc': 'int four;\n',
      })
      expect(bundle('part').out).toBe('part: 4 files in 2 bundles\n')
      expect(text('part.0.cc')).toMatch(/src\/1.cc[^]*src\/2.cc/)
      expect(text('part.1.cc')).toMatch(/src\/3.cc[^]*src\/4.cc/)
    },
  )

  it.each([
    ['other', 'want one other.ninja below obj, found 0'],
    ['twice', 'want one twice.ninja below obj, found 2'],
    ['empty', 'obj/empty.ninja: no two files of one folder to bundle'],
  ])('a part that it cannot bundle is an error: %s', async (part, error) => {
    const built = 'build obj/part.a: alink obj/made.o\n'
    await writeTreeAt(folder, {
      'obj/empty.ninja': built,
      'obj/deep/twice.ninja': built,
      'obj/wide/twice.ninja': built,
    })
    expect(bundle(part)).toEqual({ status: 1, out: '', error: `bundle.py: ${error}\n` })
  })
})
