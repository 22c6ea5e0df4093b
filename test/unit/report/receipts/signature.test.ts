import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NAMESPACE } from '../../../../src/report/receipts/read.ts'
import { fingerprintOf, parsePublicKey } from '../../../../src/report/receipts/ssh/public-key.ts'
import { checkSignature as check } from '../../../../src/report/receipts/ssh/signature.ts'
import { BadBytes, fromBase64, stringOf } from '../../../../src/report/receipts/ssh/wire.ts'
import { toySigner } from '../../../support/receipts.ts'
import { temporaryFolder } from '../../../support/temporary.ts'

const TEXT = 'a receipt\n'

const checkSignature = (armored: string, text: string, namespace: string) =>
  check(armored, Buffer.from(text), namespace)

/** Whether there is a real other side; where there is none, its tests are shown as skipped. */
const HAS_SSH_KEYGEN = existsSync('/usr/bin/ssh-keygen')

test('a signature is that of its key, text and namespace only', () => {
  const { sign, fingerprint } = toySigner()
  const signature = sign(TEXT)
  expect(checkSignature(signature, TEXT, NAMESPACE)).toEqual({ key: fingerprint })
  expect(() => checkSignature(signature, `${TEXT} `, NAMESPACE)).toThrow(BadBytes)
  expect(() => checkSignature(sign(TEXT, 'file'), TEXT, NAMESPACE)).toThrow(BadBytes)
  expect(() => checkSignature(sign(TEXT, 'file'), TEXT, 'git')).toThrow(BadBytes)
})

test.each(['', 'x', '-----BEGIN SSH SIGNATURE-----', '-----BEGIN SSH SIGNATURE-----\n\n'])(
  'no signature: %j',
  (armored) => {
    expect(() => checkSignature(armored, TEXT, NAMESPACE)).toThrow(BadBytes)
  },
)

test('a thousand mutated signatures are refused, and never crash the reader', () => {
  const lines = toySigner().sign(TEXT).trim().split('\n')
  const bytes = Buffer.from(lines.slice(1, -1).join(''), 'base64')
  const edit = fc.tuple(fc.nat(bytes.length - 1), fc.uint8Array({ maxLength: 5 }), fc.nat(8))
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let mutated = bytes
      for (const [at, more, gone] of edits)
        mutated = Buffer.concat([mutated.subarray(0, at), more, mutated.subarray(at + gone)])
      if (mutated.equals(bytes)) return
      const armored = [lines[0], mutated.toString('base64'), lines.at(-1)].join('\n')
      try {
        checkSignature(armored, TEXT, NAMESPACE)
      } catch (error) {
        if (error instanceof BadBytes) return
        throw error
      }
      throw new Error('it was accepted')
    }),
    { numRuns: 1000 },
  )
})

describe('a signature has one form', () => {
  const { sign, fingerprint } = toySigner()
  const signature = sign(TEXT)
  const [begin = '', ...rest] = signature.trimEnd().split('\n')
  const [end = '', base64] = [rest.pop(), rest.join('')]
  const armor = (text: string): string => `${begin}\n${text}\n${end}\n`
  const bytes = Buffer.from(base64, 'base64')

  test('whatever its lines are, and with or without a newline at its end', () => {
    for (const text of [armor(base64), signature.trimEnd(), armor(base64.replace(/.{8}/g, '$&\n'))])
      expect(checkSignature(text, TEXT, NAMESPACE)).toEqual({ key: fingerprint })
  })

  test.each([
    ['other characters within', armor(`${base64.slice(0, 8)}!*${base64.slice(8)}`)],
    ['blanks within', armor(`${base64.slice(0, 8)} ${base64.slice(8)}`)],
    ['the alphabet of addresses', armor(`${base64.slice(0, -8)}-___${base64.slice(-4)}`)],
    ['no padding', armor(Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'))],
    ['padding too much', armor(`${base64}====`)],
    ['padding, and more after it', armor(`${base64}\n====\nAAAA`)],
    ['carriage returns', signature.replaceAll('\n', '\r\n')],
    ['something before it', `\n${signature}`],
    ['something after it', `${signature}\n`],
    ['another one after it', signature + signature],
    ['blanks beside its frame', signature.replace(begin, `${begin} `)],
  ])('%s', (_, text) => {
    expect(() => checkSignature(text, TEXT, NAMESPACE)).toThrow(BadBytes)
  })

  test('also in its last character', () => {
    // A text of two characters before its padding has four bits to spare.
    expect(() => fromBase64('AB==')).toThrow(BadBytes)
    expect(fromBase64('AA==')).toEqual(Buffer.from([0]))
  })
})

describe('a number of a key has one form', () => {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
    format: 'jwk',
  })
  const modulus = Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')])
  const exponent = Buffer.from([1, 0, 1])
  const rsa = (e: Buffer, m: Buffer): Buffer =>
    Buffer.concat([stringOf('ssh-rsa'), stringOf(e), stringOf(m)])
  const padded = (number: Buffer): Buffer => Buffer.concat([Buffer.alloc(1), number])

  test('that is, the shortest', () => {
    expect(parsePublicKey(rsa(exponent, modulus)).fingerprint).toMatch(/^SHA256:/)
  })

  test.each([
    ['zeros before the modulus', rsa(exponent, padded(modulus))],
    ['zeros before the exponent', rsa(padded(exponent), modulus)],
    ['a modulus below 0', rsa(exponent, modulus.subarray(1))],
    ['an exponent of 0', rsa(Buffer.alloc(1), modulus)],
    ['no exponent', rsa(Buffer.alloc(0), modulus)],
  ])('%s', (_, blob) => {
    expect(() => parsePublicKey(blob)).toThrow(BadBytes)
  })
})

test('a security token must have been touched', () => {
  const { sign, fingerprint } = toySigner(1)
  expect(checkSignature(sign(TEXT), TEXT, NAMESPACE)).toEqual({ key: fingerprint })
  expect(() => checkSignature(sign(TEXT), `${TEXT} `, NAMESPACE)).toThrow(BadBytes)
  expect(() => checkSignature(toySigner(4).sign(TEXT), TEXT, NAMESPACE)).toThrow(BadBytes)
})

describe.skipIf(!HAS_SSH_KEYGEN)('with the real ssh-keygen', () => {
  /** A new key file of OpenSSH. */
  async function keyFile(...words: string[]): Promise<string> {
    const file = join(await temporaryFolder(), 'key')
    execFileSync('ssh-keygen', ['-q', '-N', '', '-C', 'canary@host', '-f', file, ...words])
    return file
  }

  test.each([
    ['-t', 'ed25519'],
    ['-t', 'rsa', '-b', '2048'],
    ['-t', 'rsa', '-b', '3072'],
    ['-t', 'ecdsa', '-b', '256'],
    ['-t', 'ecdsa', '-b', '384'],
    ['-t', 'ecdsa', '-b', '521'],
  ])('what it signs by a key of %s %s %s %s is accepted', async (...words) => {
    const key = await keyFile(...words)
    const sign = ['-Y', 'sign', '-n', NAMESPACE, '-f', key]
    const [, base64 = ''] = (await readFile(`${key}.pub`, 'utf8')).split(' ')
    // ECDSA signs with chance: short numbers are seen in some signatures only.
    for (let round = 0; round < 8; round++) {
      const text = `${TEXT}${round}`
      const signature = execFileSync('ssh-keygen', sign, { input: text, stdio: 'pipe' }).toString()
      const fingerprint = fingerprintOf(Buffer.from(base64, 'base64'))
      expect(checkSignature(signature, text, NAMESPACE)).toEqual({ key: fingerprint })
      expect(() => checkSignature(signature, TEXT, NAMESPACE)).toThrow(BadBytes)
    }
  })

  test('a short RSA key is refused', async () => {
    const key = await keyFile('-t', 'rsa', '-b', '1024')
    const sign = ['-Y', 'sign', '-n', NAMESPACE, '-f', key]
    const signature = execFileSync('ssh-keygen', sign, { input: TEXT, stdio: 'pipe' }).toString()
    expect(() => checkSignature(signature, TEXT, NAMESPACE)).toThrow(BadBytes)
  })

  test.each([undefined, 1])('it accepts what is signed here: token %s', async (flags) => {
    const { line, sign } = toySigner(flags)
    const folder = await temporaryFolder()
    const signers = join(folder, 'signers')
    await writeFile(signers, `alice namespaces="${NAMESPACE}" ${line}\n`)
    await writeFile(join(folder, 'sig'), sign(TEXT))
    const verify = ['-Y', 'verify', '-f', signers, '-I', 'alice', '-n', NAMESPACE, '-s']
    const verified = (input: string): string =>
      execFileSync('ssh-keygen', [...verify, join(folder, 'sig')], {
        input,
        stdio: 'pipe',
      }).toString()
    expect(verified(TEXT)).toContain('Good')
    expect(() => verified('other')).toThrow()
  })
})
