import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { parseSums } from '../../../src/fetch/mirror/list.ts'
import { claimedNames, mirrorNames, provenName } from '../../../src/fetch/names.ts'

const DIGEST = digestOf('x')

test('names that a mirror may use', () => {
  const from = [
    'debian:a/a_1.orig.tar.gz',
    'http://127.0.0.1/dl/a-1.tar.gz',
    'npm:@s/a@1',
    'file:/srv/a-1.tar.gz',
    'bad:',
  ]
  expect(mirrorNames({ kind: 'file', name: 'a.tgz', sha256: DIGEST, from, to: '.' })).toEqual([
    DIGEST,
    'a.tgz',
    'a_1.orig.tar.gz',
    'a-1.tar.gz',
    'a-1.tgz',
  ])
})

test('names that lead out of a mirror are dropped', () => {
  expect(
    mirrorNames({
      kind: 'file',
      name: '..',
      sha256: DIGEST,
      from: ['http://127.0.0.1/', 'http://127.0.0.1/..%2F..%2Fx'],
      to: '.',
    }),
  ).toEqual([DIGEST])
})

test('names that say which file is meant: those at the places; its own without a place', () => {
  const claims = (...from: string[]): readonly string[] =>
    claimedNames({ kind: 'file', name: 'a.tar', sha256: DIGEST, from, to: '.' })
  expect(claims()).toEqual(['a.tar'])
  expect(claims('bad:')).toEqual(['a.tar'])
  expect(
    claims('debian:a/a_1.tar', 'npm:@s/a@1', 'file:/x/a-1.tar', 'http://127.0.0.1/y/a-1.tar'),
  ).toEqual(['a_1.tar', 'a-1.tgz', 'a-1.tar'])
})

test.each([
  ['http://127.0.0.1/x/a-1.2.tar.gz?download=1', 'a-1.2.tar.gz'],
  ['http://127.0.0.1/x/v1.2/src/a.tar.bz2', 'v1.2/src/a.tar.bz2'],
  ['http://127.0.0.1/get?file=a-1.2.tar', 'get?file=a-1.2.tar'],
  ['http://127.0.0.1/x/a.tar', 'a.tar'],
])('the version in %s is part of the name', (address, name) => {
  expect(
    claimedNames({ kind: 'file', name: 'a', sha256: DIGEST, from: [address], to: '.' }),
  ).toEqual([name])
})

test('what a name in a mirror proves', () => {
  const source = {
    kind: 'file',
    name: 'a.tar',
    sha256: DIGEST,
    from: ['debian:a/a_2.tar'],
    to: '.',
  } as const
  expect([DIGEST, 'a.tar', 'a_2.tar', 'a_1.tar'].map((name) => provenName(source, name))).toEqual([
    undefined,
    undefined,
    'a_2.tar',
    'a_1.tar',
  ])
})

test('SHA256SUMS: text and binary marks; folders and rubbish are left out', () => {
  const text =
    `${DIGEST}  a b.tar\n${DIGEST} *c.tar\n${DIGEST}  ./d.tar\n${DIGEST}  ` +
    `sub/e.tar\n${DIGEST}  ../f\n${DIGEST}  \u0007\nrubbish\n`
  expect([...parseSums(text)]).toEqual([
    ['a b.tar', DIGEST],
    ['c.tar', DIGEST],
    ['d.tar', DIGEST],
  ])
})
