import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fileNameOf,
  isFileName,
  isInnerFolder,
  parsePlace,
  reservedName,
} from '../../../src/metadata/format/source-places.ts'
import { APP, faultsOf, loadRecipe, recipe, SHA } from '../../support/metadata.ts'

const LONG = 'n'.repeat(300)

/** A recipe with one source, its place in double quotes: escapes of YAML are understood. */
const from = (...places: readonly string[]) => ({
  [APP]: recipe(
    'app',
    `sources:\n  - sha256: ${SHA}\n` +
      `    from: [${places.map((place) => `"${place}"`).join(', ')}]\nstyle: auto`,
  ),
})

describe('parsePlace', () => {
  it.each([
    [
      'debian:musl/musl_1.2.5.orig.tar.gz',
      { kind: 'debian', package: 'musl', file: 'musl_1.2.5.orig.tar.gz' },
    ],
    ['npm:zod@4.4.3', { kind: 'npm', name: 'zod', version: '4.4.3' }],
    ['npm:@types/node@20.19.43', { kind: 'npm', name: '@types/node', version: '20.19.43' }],
    ['file:/srv/a b.tar', { kind: 'file', path: '/srv/a b.tar' }],
    ['file:///srv/a%20b.tar', { kind: 'file', path: '/srv/a%20b.tar' }],
  ])('%s', (text, place) => {
    expect(parsePlace(text)).toEqual(place)
  })

  it.each([
    'debian:musl',
    'debian:../etc/passwd',
    'debian:a/b/c',
    'npm:zod',
    'npm:@types/node',
    'npm:a/b@1',
    'ftp://127.0.0.1/x',
    'file:x',
    'http://',
    '',
  ])('refuses "%s"', (text) => {
    expect(parsePlace(text)).toBeUndefined()
  })
})

it('file names', () => {
  const names = [
    'debian:a/a_1.tar.xz',
    'npm:@scope/pkg@1.0.0',
    'http://127.0.0.1/x/y%2Bz.tgz?a=b',
    'file:/srv/f.tar',
  ].map((text) => {
    const place = parsePlace(text)
    return place && fileNameOf(place)
  })
  expect(names).toEqual(['a_1.tar.xz', 'pkg-1.0.0.tgz', 'y+z.tgz', 'f.tar'])
})

describe('a place that ends in no name of a file', () => {
  it.each([
    ['that leads out, escaped', 'https://h/..%2f..%2fetc%2fpasswd'],
    ['the folder above', 'https://h/x/%2e%2e'],
    ['the folder itself', 'https://h/x/.'],
    ['a NUL character', 'https://h/a%00b'],
    ['a slash', 'https://h/a%2fb'],
    ['a newline', 'https://h/a%0ab'],
    ['an escape', 'https://h/a%1bb'],
    ['a control character of two bytes', 'https://h/a%c2%9bb'],
    ['no UTF-8', 'https://h/a%ffb'],
    ['half a percent sign', 'https://h/a%2'],
    ['more than 255 bytes', `https://h/${LONG}`],
    ['more than 255 bytes once more', `npm:${LONG}@1`],
    ['nothing', 'https://h/x/'],
    ['a blank', 'https://h/a b'],
    ['a backslash', 'https://h/x\\\\y'],
    ['a tab', 'https://h/a\\tb'],
    ['the folder above, of a package', 'debian:x/..'],
    ['a newline, of a package', 'debian:x/a\\nb'],
    ['the folder above, as name of a package', 'npm:..@1'],
    ['the folder above, as scope', 'npm:@../x@1'],
    ['the folder above, as version', 'npm:x@..'],
    ['the folder above, of this machine', 'file:/x/..'],
    ['the folder above, beside the recipe', 'file:x/..'],
    ['the recipe’s folder', 'file:'],
    ['a folder', 'file:x/'],
    ['an escape, of this machine', 'file:/x/a\\u001bb'],
    ['a host', 'file://host/x'],
  ])('%s is refused at its place', async (_, place) => {
    expect(await faultsOf(from(place))).toEqual([`bad-place ${APP}:7:12`])
  })

  it('is refused behind a good one, and with a stated name', async () => {
    expect(await faultsOf(from('npm:a@1', 'npm:b@1', 'https://h/..%2fx'))).toEqual([
      `bad-place ${APP}:7:34`,
    ])
    const named = recipe(
      'app',
      `sources:\n  - sha256: ${SHA}\n    from: ['https://h/%2e%2e']\n    name: fine\nstyle: auto`,
    )
    expect(await faultsOf({ [APP]: named })).toEqual([`bad-place ${APP}:7:12`])
  })

  it('is one fault when its template has one', async () => {
    expect(await faultsOf(from('https://h/{{vresion}}'))).toEqual([`unknown-name ${APP}:7:23`])
  })
})

describe('names that the engine uses itself', () => {
  it.each(['SHA256SUMS', 'sha256sums', 'Sha256Sums', 'cd'.repeat(32)])(
    '%s is none of a source',
    async (name) => {
      expect(await faultsOf(from(`https://h/${name}`))).toEqual([`reserved-name ${APP}:7:12`])
      const stated = (text: string) => ({
        [APP]: recipe('app', `sources:\n  - ${text}\n    name: ${name}\nstyle: auto`),
      })
      expect(await faultsOf(stated(`sha256: ${SHA}\n    from: []`))).toEqual([
        `reserved-name ${APP}:8:11`,
      ])
      expect(await faultsOf(stated('tree: [layers]'))).toEqual([`reserved-name ${APP}:7:11`])
    },
  )

  it('a source may be called by its own digest', async () => {
    const found = await loadRecipe('high/app', from(`https://h/${SHA}`))
    expect(found.sources).toMatchObject([{ name: SHA }])
  })

  it.each(['unpack', 'patch'])('%s is no step of a style or a recipe', async (step) => {
    const style = `name: disk\nsummary: x\nsteps:\n  first: x\n  ${step}: x\n`
    expect(await faultsOf({ 'layers/styles/disk.yaml': style })).toEqual([
      'reserved-step layers/styles/disk.yaml:5:3',
    ])
    const text = recipe('app', `style: auto\nsteps:\n  ${step}: x`)
    expect(await faultsOf({ [APP]: text })).toEqual([`reserved-step ${APP}:7:3`])
  })

  it('a step may be called run', async () => {
    const style = 'name: disk\nsummary: x\nsteps:\n  run: x\n'
    expect(await faultsOf({ 'layers/styles/disk.yaml': style })).toEqual([])
  })
})

/** Texts that are made of what places are made of. */
const pieces = fc.constantFrom(
  ...[
    'debian:',
    'npm:',
    'https://',
    'http://',
    'file:',
    '/',
    '//',
    '..',
    '.',
    '@',
    '%2f',
    '%00',
    '%2e',
    '%',
    ':',
  ],
  ...['a', 'b.tar', '1.0', '\n', '\\', ' ', '\u0000', '\u009b', '?', '#', 'é'],
)
const places = fc.oneof(
  fc.string(),
  fc.array(pieces, { maxLength: 9 }).map((parts) => parts.join('')),
)

describe('any text', () => {
  it('is a place or none, and what it is called is one component or refused', () => {
    fc.assert(
      fc.property(places, (text) => {
        const place = parsePlace(text)
        if (place === undefined) return
        const name = fileNameOf(place)
        if (!isFileName(name)) return
        expect(name).not.toMatch(/[/\u0000-\u001f\u007f-\u009f]|^\.{0,2}$/)
        expect(isInnerFolder(name)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('is no name that leads elsewhere', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (name) => {
        if (!isFileName(name)) return
        expect(new URL(`file:///in/${encodeURIComponent(name)}`).pathname.split('/')).toHaveLength(
          3,
        )
        expect(reservedName(name, undefined) === undefined || /^[0-9a-z]+$/i.test(name)).toBe(true)
      }),
    )
  })
})
