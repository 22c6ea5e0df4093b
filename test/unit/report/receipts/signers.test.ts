import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FixpointError } from '../../../../src/base/error.ts'
import { NAMESPACE } from '../../../../src/report/receipts/read.ts'
import { findSigner, parseSigners } from '../../../../src/report/receipts/ssh/signers.ts'
import { parseTime } from '../../../../src/report/receipts/ssh/time.ts'
import { toySigner } from '../../../support/receipts.ts'

const { line: KEY, fingerprint } = toySigner()
const NOON = parseTime('203001011200Z')!

const judge = (text: string, at = NOON): unknown =>
  findSigner(parseSigners(text, 'signers'), fingerprint, NAMESPACE, at)

test.each([
  ['a name', `alice ${KEY}`, 'alice'],
  ['a comment', `# who\n\nalice@example.org ${KEY} my key\n`, 'alice@example.org'],
  ['a name in quotes', `"alice" ${KEY}`, 'alice'],
  ['several names', `alice,bob ${KEY}`, 'alice,bob'],
  ['a key under two names, which is one signer', `alice ${KEY}\nbob ${KEY}`, 'alice,bob'],
  ['its namespace', `alice namespaces="file,${NAMESPACE}" ${KEY}`, 'alice'],
  ['a pattern of namespaces', `alice namespaces="fixpoint-*" ${KEY}`, 'alice'],
  ['times', `a valid-after="20300101Z",valid-before="20300102Z" ${KEY}`, 'a'],
  ['times and namespaces', `a namespaces="${NAMESPACE}",valid-before="20300102Z" ${KEY}`, 'a'],
  ['one good line of two', `a valid-before="20200101Z" ${KEY}\nb ${KEY}`, 'b'],
])('allows by %s', (_, text, names) => {
  expect(judge(text)).toEqual({ names })
})

test.each([
  ['an unknown key', `alice ${toySigner().line}`, 'unknown-signer'],
  ['no line', '', 'unknown-signer'],
  ['another namespace', `alice namespaces="git" ${KEY}`, 'other-namespace'],
  ['a namespace that is excluded', `alice namespaces="*,!${NAMESPACE}" ${KEY}`, 'other-namespace'],
  ['a time that is over', `alice valid-before="20300101115959Z" ${KEY}`, 'expired'],
  ['a time to come', `alice valid-after="20300101120001Z" ${KEY}`, 'not-yet-valid'],
])('refuses by %s', (_, text, refusal) => {
  expect(judge(text)).toMatchObject({ refusal })
})

describe('a file is refused', () => {
  test.each([
    ['with certificates', `alice cert-authority ${KEY}`],
    ['with a certificate', `alice ${KEY.replace('ed25519', 'ed25519-cert-v01@openssh.com')}`],
    ['with certificates among others', `alice namespaces="x",Cert-Authority ${KEY}`],
    ['with an unknown option', `alice no-touch-required ${KEY}`],
    ['with an option twice', `alice namespaces="a",namespaces="b" ${KEY}`],
    ['with an empty option', `alice namespaces="" ${KEY}`],
    ['with no time', `alice valid-before="soon" ${KEY}`],
    ['with a day that is none', `alice valid-before="20300231Z" ${KEY}`],
    ['without a key', 'alice'],
    ['without a name', KEY],
    ['with other characters in its key', `alice ${KEY.replace('AAAAC3', 'AA@@AAC3')}`],
    ['with a key that has padding too much', `alice ${KEY}====`],
    ['with a key without end', `alice ${KEY}AAAA`],
    ['with half a key', `alice ${KEY.slice(0, 40)}`],
    ['with a key of another type than it says', `alice ${KEY.replace('ssh-ed25519', 'ssh-rsa')}`],
  ])('%s', (_, text) => {
    expect(() => parseSigners(text, 'signers')).toThrow(
      expect.objectContaining({ code: 'signers-unusable' }) as Error,
    )
  })

  test('or read, whatever is in it', () => {
    const words = fc.constantFrom(KEY, 'alice', '"', '=', ',', ' ', 'namespaces', '!*', '\\', '\n')
    fc.assert(
      fc.property(
        fc.array(fc.oneof(words, fc.string({ maxLength: 5 })), { maxLength: 20 }),
        (all) => {
          try {
            judge(all.join(''))
          } catch (error) {
            if (!(error instanceof FixpointError)) throw error
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})

test('a time is local, or UTC with Z', () => {
  expect(parseTime('20300101Z')).toBe(Date.UTC(2030, 0, 1) / 1000)
  expect(parseTime('20300101')).toBe(new Date(2030, 0, 1).getTime() / 1000)
  for (const text of ['', '2030', '20301301Z', '203001012460Z', '20300101T', '20300101+01'])
    expect(parseTime(text)).toBeUndefined()
})
