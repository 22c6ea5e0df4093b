import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newPlace, withVersion } from '../../../src/author/new-place.ts'
import { packageAt } from '../../../src/author/package-file.ts'
import { FixpointError } from '../../../src/base/error.ts'

/** What `from:` gets for a place. */
function template(word: string): string {
  const place = newPlace(word)
  const named = packageAt(place.parsed)
  return named === undefined ? place.written : withVersion(place, named.version)
}

describe('the version in a place', () => {
  test.each([
    // Never in scheme, host and port.
    ['http://127.0.0.1:8321/foo-1.tar.gz', 'http://127.0.0.1:8321/foo-{{version}}.tar.gz'],
    ['https://v2.example/2/a-2.tgz', 'https://v2.example/{{version}}/a-{{version}}.tgz'],
    ['https://h-1/x1/foo-1.tgz', 'https://h-1/x1/foo-{{version}}.tgz'],
    // In folders, as a word.
    [
      'https://h/dl/v1.2.3/foo-1.2.3/foo_1.2.3.orig.tar.xz',
      'https://h/dl/v{{version}}/foo-{{version}}/foo_{{version}}.orig.tar.xz',
    ],
    ['https://h/foo@1.2/foo-1.2.tgz', 'https://h/foo@{{version}}/foo-{{version}}.tgz'],
    [
      'https://h/1.2.3/1.2/11.2/foo-1.2.tgz',
      'https://h/1.2.3/{{version}}/11.2/foo-{{version}}.tgz',
    ],
    ['https://h/1.2/1x2/foo-1.2.tgz', 'https://h/{{version}}/1x2/foo-{{version}}.tgz'],
    // In the name of a file only where it is the version.
    ['https://h/libfoo1-1.tar.gz', 'https://h/libfoo1-{{version}}.tar.gz'],
    ['https://h/x11-11-2.tar.gz?v=2', 'https://h/x11-{{version}}.tar.gz?v=2'],
    ['https://h/foo-1.0%2Bgit.tar.gz', 'https://h/foo-1.0%2Bgit.tar.gz'],
    ['debian:lib1/lib1_1.orig.tar.gz', 'debian:lib1/lib1_{{version}}.orig.tar.gz'],
    ['npm:a1@1', 'npm:a1@{{version}}'],
    ['npm:@types2/a-2-b@2.0.0', 'npm:@types2/a-2-b@{{version}}'],
    ['file:/v1/lib1/foo-1.tar', 'file:/v{{version}}/lib1/foo-{{version}}.tar'],
    ['file:///1/foo-1.tar', 'file:///{{version}}/foo-{{version}}.tar'],
    ['https://h/1/page.html', 'https://h/1/page.html'],
  ])('%s', (place, wanted) => {
    expect(template(place)).toBe(wanted)
  })

  test('is that of the package where npm has it', () => {
    expect(packageAt(newPlace('npm:@a/b-2-c@1.0.0').parsed)).toEqual({
      name: 'b-2-c',
      version: '1.0.0',
    })
  })
})

describe('a place', () => {
  test.each([
    ['dist/foo-1.tar.gz', `file:${resolve('dist/foo-1.tar.gz')}`],
    ['file:../foo-1.tar.gz', `file:${resolve('../foo-1.tar.gz')}`],
    ['./a:b-1.tar', `file:${resolve('a:b-1.tar')}`],
    ['debian:foo/foo_1.tar.gz', 'debian:foo/foo_1.tar.gz'],
  ])('%s is %s', (word, written) => {
    expect(newPlace(word).written).toBe(written)
  })

  test.each([
    'debian:foo',
    'npm:',
    'npm:foo',
    'ftp://x/foo-1.tgz',
    'htps://x/foo-1.tgz',
    'file://host/foo-1.tgz',
    'https://h/',
    'https://h/%2e%2e',
    'file:/a/{{b}}/foo-1.tar',
  ])('%s is refused', (word) => {
    expect(codeOf(() => newPlace(word))).toBe('source-place')
  })

  test.each(['http://user:secret@h/foo-1.tgz', 'https://secret@h/', 'https://:secret@h/a'])(
    '%s is refused, and its secret is not shown',
    (word) => {
      expect(codeOf(() => newPlace(word))).toBe('source-credentials')
      expect(() => newPlace(word)).toThrow(/^(?!.*secret)/)
    },
  )
})

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return error instanceof FixpointError ? error.code : String(error)
  }
  return undefined
}
