import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { mirrorNames, parseSums } from '../../../src/fetch/mirror.ts'

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

test('SHA256SUMS: text and binary marks; folders and rubbish are left out', () => {
  const text = `${DIGEST}  a b.tar\n${DIGEST} *c.tar\n${DIGEST}  ./d.tar\n${DIGEST}  sub/e.tar\n${DIGEST}  ../f\nrubbish\n`
  expect([...parseSums(text)]).toEqual([
    ['a b.tar', DIGEST],
    ['c.tar', DIGEST],
    ['d.tar', DIGEST],
  ])
})
