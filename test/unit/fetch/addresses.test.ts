import { expect, test } from 'vitest'
import {
  debianAddress,
  mirrorAddress,
  npmAddress,
  shownAddress,
} from '../../../src/fetch/addresses.ts'

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
  expect(npmAddress('http://127.0.0.1:4873/', 'zod', 'zod-4.4.3.tgz')).toBe(
    'http://127.0.0.1:4873/zod/-/zod-4.4.3.tgz',
  )
  expect(npmAddress('http://127.0.0.1/npm', '@types/node', 'node-20.1.0.tgz')).toBe(
    'http://127.0.0.1/npm/@types/node/-/node-20.1.0.tgz',
  )
  expect(mirrorAddress('http://127.0.0.1/m/', 'a+b c')).toBe('http://127.0.0.1/m/a%2Bb%20c')
})

test('a shown address holds no password', () => {
  expect(shownAddress(new URL('http://user:secret@127.0.0.1/x'))).toBe('http://127.0.0.1/x')
})
