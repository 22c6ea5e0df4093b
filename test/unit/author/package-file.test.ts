import { expect, test } from 'vitest'
import { namedPackage } from '../../../src/author/package-file.ts'

test.each([
  ['zlib_1.3.1.orig.tar.gz', 'zlib', '1.3.1'],
  ['bzip2_1.0.8.orig.tar.xz', 'bzip2', '1.0.8'],
  ['lua-5.4.6.tar.gz', 'lua', '5.4.6'],
  ['Python-3.12.1.tgz', 'python', '3.12.1'],
  ['gtk+-3.24.tar.xz', 'gtk+', '3.24'],
  ['ninja-v1.12.tar.gz', 'ninja', '1.12'],
  ['zlib_1.3.dfsg+really1.3.1.orig.tar.gz', 'zlib', '1.3.dfsg+really1.3.1'],
  ['x265_3.5.tar.gz', 'x265', '3.5'],
])('%s is %s %s', (file, name, version) => {
  expect(namedPackage(file)).toMatchObject({ name, version })
})

test.each(['main.c', 'v1.2.tar.gz', 'archive.zip', ''])('%j says neither', (file) => {
  expect(namedPackage(file)).toBeUndefined()
})
