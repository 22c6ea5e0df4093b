import { execa } from 'execa'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { CHECKOUT, checkoutFiles, type TextFile } from '../support/tree.ts'

/** Folders of each folder that has an order: each imports from itself and those before it. */
const ROOMS = JSON.parse(await readFile(join(CHECKOUT, '.ci/rooms.json'), 'utf8')) as Record<
  string,
  readonly string[]
>

let everything: TextFile[]
let code: TextFile[]

beforeAll(async () => {
  everything = (await checkoutFiles()).filter(({ path }) => path !== 'test/unit/tidy.test.ts')
  code = everything.filter(({ path }) => /^(src|qemu)\/.*\.ts$/.test(path))
})

/** `path:line: text` of every line that `pattern` matches. */
function places(files: readonly TextFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
      ),
  )
}

describe('the top level', () => {
  test('holds what it should and nothing else', async () => {
    const allowed = [
      ...[
        'package.json',
        'tsconfig.json',
        'src',
        'layers',
        'appliance',
        'qemu',
        'test',
        'Makefile',
      ],
      // Usual, or made here.
      ...[
        'package-lock.json',
        'tsconfig.build.json',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'CONTRIBUTING.md',
        'docs',
      ],
      ...['node_modules', 'dist', 'out', 'coverage'],
    ]
    const found = await readdir(CHECKOUT)
    expect(found.filter((name) => !name.startsWith('.') && !allowed.includes(name))).toEqual([])
  })
})

describe('the code', () => {
  test('is in files of at most 300 lines, blank ones and comments not counted', () => {
    const isCode = (line: string): boolean => !/^\s*(\/\/|\/\*|\*|$)/.test(line)
    const long = code.filter(({ text }) => text.split('\n').filter(isCode).length > 300)
    expect(long.map(({ path }) => path)).toEqual([])
  })

  /** Folders of `parent` that `path` and its imports are in, as `.ci/rooms.json` orders them. */
  const wrongImports = (parent: string, order: readonly string[]): string[] =>
    code.flatMap(({ path, text }) => {
      if (!path.startsWith(`${parent}/`)) return []
      const rankOf = (file: string): number => {
        const [folder = '', below] = file.slice(parent.length + 1).split('/')
        // Files beside the folders come after all of them.
        return below === undefined ? order.length : order.indexOf(folder)
      }
      const imported = [...text.matchAll(/from '(\.[^']+)'/g)]
        .map(([, to = '']) => join(dirname(path), to))
        .filter((file) => file.startsWith(`${parent}/`))
      return imported
        .filter((file) => rankOf(file) > rankOf(path))
        .map((file) => `${path} -> ${file}`)
    })

  test.each(Object.entries(ROOMS))('of %s imports only from folders before it', (...room) => {
    expect(wrongImports(...room)).toEqual([])
  })

  test('of qemu/ imports base only, and only the command line imports qemu/', () => {
    const wrong = code.flatMap(({ path, text }) => {
      const [, folder] = path.split('/')
      return [...text.matchAll(/from '(\.[^']+)'/g)]
        .map(([, to = '']) => join(dirname(path), to))
        .filter((file) =>
          path.startsWith('qemu/')
            ? file.startsWith('src/') && !file.startsWith('src/base/')
            : file.startsWith('qemu/') && folder !== 'cli',
        )
        .map((file) => `${path} -> ${file}`)
    })
    expect(wrong).toEqual([])
  })

  test.each(Object.entries(ROOMS))('of %s is in folders that have a rank', (parent, order) => {
    const folders = code
      .filter(({ path }) => path.startsWith(`${parent}/`))
      .map(({ path }) => path.slice(parent.length + 1).split('/'))
      .flatMap(([folder = '', ...below]) => (below.length > 0 ? [folder] : []))
    expect([...new Set(folders)].filter((folder) => !order.includes(folder))).toEqual([])
  })

  test('of src/ has its order in docs/architecture.md', () => {
    const page = everything.find(({ path }) => path === 'docs/architecture.md')?.text ?? ''
    const rows = [...page.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, folder = '']) => folder)
    const known = ROOMS['src'] ?? []
    expect(rows.filter((folder) => known.includes(folder))).toEqual(
      known.filter((folder) => code.some(({ path }) => path.startsWith(`src/${folder}/`))),
    )
  })

  test.each([
    {
      banned: /\.(localeCompare|toLocale\w+)\(|\bIntl\./,
      where: /./,
      instead: 'byCodeUnit of src/base/order.ts: no locale has a say',
    },
    {
      banned: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/,
      where: /./,
      instead: 'a counter, or mkdtemp: nothing here is left to chance',
    },
    {
      banned: /\bDate\.now\(|\bnew Date\(\)/,
      where: /^(?!src\/(cli\/|build\/clock\.ts$))/,
      instead: 'the clock that is handed in as `now`; build/clock.ts is about that of the machine',
    },
    {
      banned: /\bprocess\.env\b/,
      where: /^(?!src\/(cli\/|fetch\/environment\.ts$))/,
      instead: 'an option that src/cli hands in',
    },
    {
      banned: /(?<![.#\w])console\.(log|error|warn|info|debug|table|dir|trace)\(/,
      where: /./,
      instead: 'an event, or in src/cli process.stdout.write',
    },
    {
      banned: /\bprocess\.std(out|err)\b/,
      where: /^(?!src\/cli\/)/,
      instead: 'an event: src/cli is the only place that prints',
    },
    {
      banned: /\bsetTimeout\(\s*resolve|timers\/promises/,
      where: /^(?!src\/(fetch\/|cli\/commands\/log\.ts$))/,
      instead:
        'the event that is waited for (only fetch waits before it retries, and `log -f` for a ' +
        'file to grow)',
    },
    {
      // `fixpoint store 1` is the mark in a store.
      banned:
        /\bfixpoint (?!store 1\b)[a-z]|[ `]--(layers|store|offline|from|to|against|only|second|mirror|without-mirror|output|image|keep-failed|force|bios|json)\b/,
      where: /^(?!src\/cli\/)/,
      instead: 'facts of the error: src/cli/view/hints.ts says what to type',
    },
  ])('calls nothing that is banned; use $instead', ({ banned, where }) => {
    const inForce = code
      .filter(({ path }) => where.test(path))
      .map(({ path, text }) => ({ path, text: withoutComments(text) }))
    expect(places(inForce, banned)).toEqual([])
  })
})

/** The text with its comments blanked out, line by line. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*/g, (comment) => comment.replace(/[^\n]/g, ' '))
}

describe('the tree', () => {
  test('has nothing left to do in it', () => {
    // Patches quote what others left to do; so does the tutorial, which holds one.
    const own = everything.filter(
      ({ path }) => !/\.patch$|^package-lock\.json$|^docs\/tutorial\.md$/.test(path),
    )
    expect(places(own, /\b(TODO|FIXME|XXX)\b/)).toEqual([])
  })

  test('names no package registry: places come from the configuration of apt and npm', async () => {
    const { stdout: npm } = await execa('npm', ['config', 'get', 'registry'], { cwd: CHECKOUT })
    const apt = await Promise.all(['/etc/apt/sources.list', '/etc/apt/sources.list.d'].map(readAll))
    const configured = [...`${npm}\n${apt.join('\n')}`.matchAll(/https?:\/\/([a-z0-9.-]+)/gi)].map(
      ([, host = '']) => host,
    )
    const hosts = configured.filter(
      (host) => host.includes('.') && !/^(127\.|localhost$)/.test(host),
    )
    // Machines may be set up for a mirror of their own; those names say what all the others look
    // like.
    const usual =
      /(?:registry|deb|ftp|snapshot|security|archive|mirrors?|ports|packages)(?:\.[a-z]{2})?\.(?:debian|ubuntu|npmjs|yarnpkg|kernel)\.[a-z]+/
    const pattern = new RegExp(
      [usual.source, ...hosts.map((host) => host.replaceAll('.', '\\.'))].join('|'),
      'i',
    )
    expect(places(everything, pattern)).toEqual([])
  })
})

/** The text of a file, or of all files of a folder; nothing when it is not there. */
async function readAll(path: string): Promise<string> {
  const files = await readdir(path).catch(() => undefined)
  if (files === undefined) return readFile(path, 'utf8').catch(() => '')
  return (
    await Promise.all(files.map((file) => readFile(join(path, file), 'utf8').catch(() => '')))
  ).join('\n')
}

describe('lines', () => {
  const WIDTH = 100

  /**
   * Patches are text of others. Files beside a recipe are in its key, so that a line break costs
   * everyone a build. npm writes its lock. Kits are kept as they were made. Messages of protocols
   * are written by protoc-gen-es.
   */
  const OTHERS =
    /\.patch$|^(layers|appliance)\/.*\/files\/|^test\/data\/|^package-lock\.json$|_pb\.ts$/
  /** Prettier keeps the head of a test in one line, whatever its title; so the title counts. */
  const TITLE = /^\s*(?:it|test|describe)\((['"]).{1,100}\1, (?:async )?\([^()]*\) => \{$/
  /** A regular expression that is a line of its own. */
  const PATTERN = /^\s*\/\S.*\/[a-z]*(?:,|\.test\()?$/

  /** The text without the lines of YAML's block scalars: scripts of steps, which are in keys. */
  const withoutScripts = (text: string): string => {
    let within = Infinity
    const lines = text.split('\n').map((line) => {
      const indent = line.search(/\S/)
      if (indent > within) return ''
      if (indent !== -1) within = /: [|>][-+]?$/.test(line) ? indent : Infinity
      return line
    })
    return lines.join('\n')
  }

  /** A character that takes two code units is one column. */
  const columnsOf = (line: string): number => Array.from(line).length

  /** Whether a line has a word, such as an address or a digest, that fits into no line. */
  const isUnbreakable = (line: string): boolean =>
    line.split(/\s+/).some((word) => line.search(/\S/) + word.length > WIDTH)

  test(`have at most ${WIDTH} columns, where they can be broken`, async () => {
    const own = (await checkoutFiles()).filter(({ path }) => !OTHERS.test(path))
    const long = own.flatMap(({ path, text }) =>
      (path.endsWith('.yaml') ? withoutScripts(text) : text).split('\n').flatMap((line, index) => {
        const fits = columnsOf(line) <= WIDTH || isUnbreakable(line)
        const isCode = path.endsWith('.ts') && (TITLE.test(line) || PATTERN.test(line))
        return fits || isCode ? [] : [`${path}:${index + 1}: ${line.trim()}`]
      }),
    )
    expect(long).toEqual([])
  })
})

describe('the run-time dependencies', () => {
  interface Locked {
    readonly dev?: boolean
    readonly resolved?: string
    readonly hasInstallScript?: boolean
    readonly os?: readonly string[]
    readonly cpu?: readonly string[]
    readonly integrity?: string
  }
  let locked: [string, Locked][]

  beforeAll(async () => {
    const lock = JSON.parse(await readFile(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, Locked>
    }
    locked = Object.entries(lock.packages).filter(([path]) => path !== '')
  })

  const runTime = (): [string, Locked][] => locked.filter(([, { dev }]) => dev !== true)

  test('and all others are locked by digest and not by address', () => {
    expect(
      locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    ).toEqual([])
    expect(
      locked
        .filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true)
        .map(([path]) => path),
    ).toEqual([])
  })

  test('run nothing when they are installed and are for every machine', () => {
    const wrong = runTime().filter(
      ([, { hasInstallScript, os, cpu }]) =>
        hasInstallScript === true || os !== undefined || cpu !== undefined,
    )
    expect(wrong.map(([path]) => path)).toEqual([])
  })
})
