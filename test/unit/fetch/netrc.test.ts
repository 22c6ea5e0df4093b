import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { findLogin, passwordFor } from '../../../src/fetch/netrc.ts'

test.each([
  ['machine a.example login me password secret', { login: 'me', password: 'secret' }],
  ['machine a.example\n  login me\n  password secret\n', { login: 'me', password: 'secret' }],
  ['machine b.example login you password x\ndefault login any password y', 'default'],
  ['machine a.example login "two words" password "a\\"b"', { login: 'two words', password: 'a"b' }],
  ['# machine a.example login no password no\n', undefined],
  ['machine a.example account x login me password p', { login: 'me', password: 'p' }],
  ['macdef init\nmachine a.example login no password no\n\nmachine a.example login me', 'me only'],
  ['machine a.example login me', 'me only'],
  ['machine a.example login one password 1\nmachine a.example login two password 2', 'one'],
  ['login me password lost', undefined],
  ['machine', undefined],
  ['', undefined],
])('%j', (text, expected) => {
  const logins = {
    default: { login: 'any', password: 'y' },
    'me only': { login: 'me', password: '' },
    one: { login: 'one', password: '1' },
  }
  const wanted = typeof expected === 'string' ? logins[expected as keyof typeof logins] : expected
  expect(findLogin(text, 'a.example')).toEqual(wanted)
})

test('whatever a file holds, reading it ends', () => {
  const word = fc.constantFrom('machine', 'login', 'macdef', '"', '\\', '#', '\n', 'default', 'x')
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const found = findLogin(words.join(' '), 'x')
      expect(found === undefined || typeof found.login === 'string').toBe(true)
    }),
  )
})

test('a file that cannot be read is named; one that is missing has no passwords', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-netrc-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'netrc')
  expect(await passwordFor('a.example', path)).toBeUndefined()
  await writeFile(path, 'machine a.example login me password secret\n')
  const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`
  expect(await passwordFor('a.example', path)).toBe(basic)
  expect(await passwordFor('b.example', path)).toBeUndefined()
  await expect(passwordFor('a.example', folder)).rejects.toThrow(folder)
})
