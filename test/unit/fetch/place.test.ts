import { describe, expect, test } from 'vitest'
import {
  debianAddress,
  mirrorAddress,
  npmAddress,
  parsePlace,
  placeFileName,
  shownAddress,
} from '../../../src/fetch/place.ts'

describe('parsePlace', () => {
  test.each([
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

  test.each([
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

test('file names', () => {
  const names = [
    'debian:a/a_1.tar.xz',
    'npm:@scope/pkg@1.0.0',
    'http://127.0.0.1/x/y%2Bz.tgz?a=b',
    'file:/srv/f.tar',
  ].map((text) => {
    const place = parsePlace(text)
    return place && placeFileName(place)
  })
  expect(names).toEqual(['a_1.tar.xz', 'pkg-1.0.0.tgz', 'y+z.tgz', 'f.tar'])
})

test('pool paths', () => {
  expect(debianAddress('http://127.0.0.1/debian/', 'gmp', 'gmp_6.3.0+dfsg.orig.tar.xz')).toBe(
    'http://127.0.0.1/debian/pool/main/g/gmp/gmp_6.3.0%2Bdfsg.orig.tar.xz',
  )
  expect(debianAddress('http://127.0.0.1/debian', 'libcap2', 'f')).toBe(
    'http://127.0.0.1/debian/pool/main/libc/libcap2/f',
  )
  expect(debianAddress('http://127.0.0.1/debian-security', 'linux', 'f')).toBe(
    'http://127.0.0.1/debian-security/pool/updates/main/l/linux/f',
  )
  expect(debianAddress('file:/srv/debian', 'gmp', 'a+b')).toBe(
    'file:/srv/debian/pool/main/g/gmp/a+b',
  )
})

test('registry and mirror addresses', () => {
  expect(npmAddress('http://127.0.0.1:4873/', 'zod', '4.4.3')).toBe(
    'http://127.0.0.1:4873/zod/-/zod-4.4.3.tgz',
  )
  expect(npmAddress('http://127.0.0.1/npm', '@types/node', '20.1.0')).toBe(
    'http://127.0.0.1/npm/@types/node/-/node-20.1.0.tgz',
  )
  expect(mirrorAddress('http://127.0.0.1/m/', 'a+b c')).toBe('http://127.0.0.1/m/a%2Bb%20c')
})

test('a shown address holds no password', () => {
  expect(shownAddress(new URL('http://user:secret@127.0.0.1/x'))).toBe('http://127.0.0.1/x')
})
