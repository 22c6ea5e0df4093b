import { randomFillSync } from 'node:crypto'
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { unwrapRecord, wrapRecord } from '../../../src/remote/action-result.ts'
import { makeKey, parseSigner, readKey } from '../../../src/remote/keys.ts'
import {
  formatRecord,
  parseRecord,
  recordName,
  type ResultRecord,
} from '../../../src/remote/record.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const KEY = digestOf('key')
const RECORD: ResultRecord = {
  recipe: 'base/zlib' as RecipeId,
  key: KEY,
  artifact: digestOf('artifact'),
  size: 1024,
  builder: 'ci',
  engine: 'fixpoint 1',
  durationMs: 1,
  cpuMs: 2,
  peakMemory: 3,
}

async function newSigner(name = 'ci') {
  const path = join(await temporaryFolder(), name)
  const line = await makeKey(path)
  return { path, line, signer: parseSigner(line)!, key: await readKey(path) }
}

describe('a record', () => {
  test('comes back as it was signed, and is named by action and signer', async () => {
    const { signer, key } = await newSigner()
    const file = formatRecord(RECORD, key)
    expect(file.length).toBeLessThan(1000)
    expect(parseRecord(file, KEY, signer)).toEqual(RECORD)
    expect(parseRecord(formatRecord(RECORD, undefined), KEY, undefined)).toEqual(RECORD)
    const other = await newSigner()
    const names = [signer, other.signer, undefined].map((one) => recordName(KEY, one))
    expect(new Set([...names, recordName(digestOf(''), signer)]).size).toBe(4)
  })

  test('with any byte changed or cut off is refused', async () => {
    const { signer, key } = await newSigner()
    const file = formatRecord(RECORD, key)
    const from = file.indexOf('{')
    for (let at = 0; at < file.length; at++) {
      const changed = Buffer.from(file)
      changed[at]! ^= 1
      const parsed = parseRecord(changed, KEY, signer)
      // What is outside of the record is for servers only.
      if (at < from && !('refused' in parsed)) expect(parsed).toEqual(RECORD)
      else expect(parsed).toHaveProperty('refused')
      expect(parseRecord(file.subarray(0, at), KEY, signer)).toHaveProperty('refused')
    }
  })

  test.each([
    ['no JSON', 'x'],
    ['null', 'null'],
    ['a list', '[]'],
    ['deeply nested', '['.repeat(50_000)],
    ['with a prototype', '{"__proto__":{}}'],
    ['with blanks', JSON.stringify(RECORD, undefined, 1)],
    ['twice a member', JSON.stringify(RECORD).replace('{', '{"cpuMs":2,')],
  ])('that is %s is refused', (_, text) => {
    const file = wrapRecord(RECORD.artifact, 1, Buffer.from(text))
    expect(parseRecord(file, KEY, undefined)).toHaveProperty('refused')
  })

  test('of noise never throws', () => {
    const noise = Buffer.alloc(300)
    for (let round = 0; round < 2000; round++) {
      randomFillSync(noise)
      noise[0] = [0x2a, 0x12, 0x08, 0x0d][round % 4]!
      expect(parseRecord(noise, KEY, undefined)).toHaveProperty('refused')
    }
  })

  test('in an envelope to which a server added fields', () => {
    const added = Buffer.from([0x20, 1, 0x4a, 2, 0x0a, 0])
    const file = formatRecord(RECORD, undefined)
    expect(parseRecord(Buffer.concat([file, added]), KEY, undefined)).toEqual(RECORD)
    expect(unwrapRecord(Buffer.concat([file, file]))).toBeUndefined()
  })
})

describe('a key', () => {
  test('is named after its file, which only its owner may read', async () => {
    const { path, line, key } = await newSigner('ci-1.key')
    expect(line).toMatch(/^ci-1:[A-Za-z0-9+/]{43}=$/)
    expect(key.name).toBe('ci-1')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await expect(makeKey(path)).rejects.toMatchObject({ code: 'cache-key', kind: 'usage' })
    await chmod(path, 0o640)
    await expect(readKey(path)).rejects.toMatchObject({ code: 'cache-key' })
  })

  test('in a file that holds another thing', async () => {
    const folder = await temporaryFolder()
    const { path } = await newSigner()
    const text = await readFile(path, 'utf8')
    const path2 = join(folder, 'k')
    for (const wrong of [
      '',
      'x',
      text.slice(0, -40),
      text.replace('key of ', 'key of \u001b'),
      'a'.repeat(1 << 20),
    ]) {
      await writeFile(path2, wrong, { mode: 0o600 })
      await expect(readKey(path2)).rejects.toMatchObject({ code: 'cache-key' })
    }
    await mkdir(join(folder, 'd'), { mode: 0o700 })
    await symlink('/dev/zero', join(folder, 'zero'))
    for (const name of ['d', 'zero', 'none', 'k/below'])
      await expect(readKey(join(folder, name))).rejects.toMatchObject({ code: 'cache-key' })
    await expect(makeKey(join(folder, 'a:b'))).rejects.toMatchObject({ code: 'cache-key' })
    await expect(makeKey(join(folder, 'no/key'))).rejects.toMatchObject({ code: 'cache-key' })
  })

  test.each([
    '',
    'ci',
    'ci:',
    `ci:${'A'.repeat(42)}==`,
    `ci:${'A'.repeat(44)}`,
    `ci:${'A'.repeat(42)}B=`,
    `:${'A'.repeat(43)}=`,
    `a b:${'A'.repeat(43)}=`,
    `ci:${'A'.repeat(43)}=\n`,
  ])('of the form %j is none', (text) => {
    expect(parseSigner(text)).toBeUndefined()
  })
})
