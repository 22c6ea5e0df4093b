import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  APP,
  describeFault,
  faultsIn,
  faultsOf,
  recipe,
  VALID,
  writeTree,
  type Texts,
} from '../../support/metadata.ts'

/** Things that may lie where a file is wanted; none of them may be read, or waited for. */
const MAKERS: Readonly<Record<string, (path: string) => void | Promise<void>>> = {
  fifo: (path) => void execFileSync('mkfifo', [path]),
  socket: async (path) => {
    const server = createServer().listen(path)
    await once(server, 'listening')
    onTestFinished(() => void server.close())
  },
  folder: (path) => mkdirSync(path),
  'dangling link': (path) => symlinkSync('nowhere', path),
  'link to itself': (path) => symlinkSync(path, path),
  'link to a device': (path) => symlinkSync('/dev/zero', path),
  'file of a terabyte': (path) => {
    writeFileSync(path, '')
    truncateSync(path, 2 ** 40)
  },
}

/** Where the loader reads a file, and the fault that each kind is there: one for one. */
const USUAL = {
  fifo: 'special-file',
  socket: 'special-file',
  folder: 'special-file',
  'dangling link': 'symlink',
  'link to itself': 'symlink',
  'link to a device': 'symlink',
  'file of a terabyte': 'file-too-large',
}
const PLACES: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  // The user may name it by a link, so what that leads to counts.
  'layers/layers.yaml': { ...USUAL, 'link to a device': 'special-file' },
  'layers/machines/toy.yaml': USUAL,
  'layers/styles/plain.yaml': USUAL,
  [APP]: USUAL,
  'layers/high/tool/amend.yaml': USUAL,
  'layers/high/app/patches/x.patch': { ...USUAL, folder: 'unknown-file' },
  'layers/high/app/files/x': { ...USUAL, folder: undefined },
  'data/x': { ...USUAL, folder: undefined },
}

const TREE: Texts = {
  ...VALID,
  [APP]: recipe(
    'app',
    'sources:\n  - tree: [data]\n    name: data\ninputs: [low/tool]\nstyle: auto',
  ),
  'layers/high/app/patches/.keep': undefined,
  'data/y': '',
}

describe.each(Object.entries(PLACES))('in place of %s', (place, codes) => {
  it.each(Object.keys(MAKERS))('a %s is one fault', async (kind) => {
    const folder = await writeTree(TREE)
    mkdirSync(dirname(join(folder, place)), { recursive: true })
    rmSync(join(folder, place), { force: true })
    await MAKERS[kind]!(join(folder, place))
    const expected = codes[kind]
    const found = (await faultsIn(folder)).map((fault) => describeFault(fault, folder))
    expect(found).toEqual(expected === undefined ? [] : [`${expected} ${place}`])
  })
})

describe('a file that is included', () => {
  it.each([
    ['/dev/zero', 'special-file'],
    ['/dev/null', 'special-file'],
    ['/dev', 'special-file'],
    ['/', 'unsafe-file'],
    ['/proc/self/mem', 'unreadable-file'],
    ['gone.yaml', 'missing-file'],
    ['layers.yaml/x', 'missing-file'],
  ])('may not be %s', async (include, code) => {
    const texts = {
      'layers/layers.yaml': `include: ${include}\nmachine: toy\nlayers: [low, high]\n`,
    }
    const [fault] = await faultsIn(await writeTree({ ...VALID, ...texts }))
    expect(fault?.code).toBe(code)
  })

  it('may be a pipe in name only', async () => {
    const folder = await writeTree({
      ...VALID,
      'layers/layers.yaml': 'include: pipe\nmachine: toy\nlayers: [low]\n',
    })
    execFileSync('mkfifo', [join(folder, 'layers/pipe')])
    const codes = (await faultsIn(folder)).map((fault) => describeFault(fault, folder))
    expect(codes).toContain('special-file layers/pipe')
  })
})

describe('folders', () => {
  it('may hold what a command is about to write, or left when it was killed', async () => {
    const part = '.fixpoint-0123456789abcdef.part'
    const folder = await writeTree({
      ...VALID,
      [`layers/high/${part}/recipe.yaml`]: 'name: half',
      [`layers/high/app/${part}/0002.patch`]: 'half',
      [`layers/high/app/${part.replace('0', 'f')}`]: '',
    })
    expect(await faultsIn(folder)).toEqual([])
  })

  it.each(['layers/styles', 'layers/machines', 'layers/high/app/patches', 'layers/high/app/files'])(
    'that are a pipe or a link are one fault: %s',
    async (place) => {
      for (const [kind, code] of [
        ['fifo', 'special-file'],
        ['dangling link', 'symlink'],
      ] as const) {
        const folder = await writeTree(VALID)
        rmSync(join(folder, place), { recursive: true, force: true })
        await MAKERS[kind]!(join(folder, place))
        const found = (await faultsIn(folder)).map((fault) => describeFault(fault, folder))
        expect(found.filter((fault) => fault.includes(place))).toEqual([`${code} ${place}`])
      }
    },
  )

  it('of a source are not reached through a link', async () => {
    const folder = await writeTree({
      ...VALID,
      [APP]: recipe('app', 'sources:\n  - tree: [data/in/x]\n    name: data\nstyle: auto'),
      'elsewhere/x': 'x',
      'data/y': '',
    })
    symlinkSync('../elsewhere', join(folder, 'data/in'))
    expect((await faultsIn(folder)).map(({ code }) => code)).toEqual(['unsafe-file'])
  })

  it('nest only so deep', async () => {
    const deep = `layers/high/app/files/${'d/'.repeat(600)}`
    expect((await faultsOf({ [`${deep}x`]: '' })).map((fault) => fault.split(' ')[0])).toEqual([
      'bad-file-name',
    ])
  })
})

describe('names of files', () => {
  const BAD = ['a\nb', 'a\x1b[2Jb', 'a\x7f', 'a\u009bb', Buffer.from('a\xe4', 'latin1')]
  const FOLDERS = [
    'layers/high',
    'layers/styles',
    'layers/machines',
    'layers/high/app',
    'layers/high/app/files',
    'data',
  ]

  it.each(FOLDERS)('may not hold control characters, nor be no text: in %s', async (place) => {
    for (const name of BAD) {
      const folder = await writeTree({ ...TREE, 'layers/high/app/files/x': '' })
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/${place}/`), Buffer.from(name)]), '')
      const found = (await faultsIn(folder)).map((fault) => describeFault(fault, folder))
      expect(found).toEqual([`bad-file-name ${place}`])
    }
  })
})
