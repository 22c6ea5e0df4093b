import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import {
  readDetailedRecord,
  readRecordOf,
  requireRecorded,
} from '../../../src/image/read-record.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const BYTES = 'bytes of an image'
const OWN = {
  ...{ recipe: 'base/disk', version: '1' },
  ...{ key: digestOf('key'), artifact: digestOf('artifact') },
}
const RECORD = {
  ...{ recipe: OWN.recipe, artifact: OWN.artifact, recipes: [OWN] },
  files: [{ path: 'disk.v1.img', sha256: digestOf(BYTES) }],
}
const { signal } = new AbortController()

let folder: string
let image: string
let record: string
beforeEach(async () => {
  folder = await temporaryFolder()
  image = join(folder, 'disk.v1.img')
  record = join(folder, 'disk.v1.json')
  await writeFile(image, BYTES)
  await writeFile(record, JSON.stringify(RECORD))
})

describe('the record of an image', () => {
  it('is the file itself, or the one beside the image', async () => {
    expect(await readRecordOf(record)).toEqual({ path: record, record: RECORD })
    expect(await readRecordOf(image)).toEqual({ path: record, record: RECORD })
  })

  it.each([
    ['no file', undefined],
    ['no JSON', 'x'],
    ['other JSON', '{"recipe": "base/disk"}'],
    ['a digest that is none', JSON.stringify({ ...RECORD, artifact: 'x' })],
    ['one that names another artifact', JSON.stringify({ ...RECORD, artifact: digestOf('x') })],
    ['one without its image', JSON.stringify({ ...RECORD, recipes: [] })],
  ])('is not %s', async (_what, text) => {
    const path = join(folder, 'other.json')
    if (text !== undefined) await writeFile(path, text)
    await expect(readRecordOf(path)).rejects.toMatchObject({ code: 'no-record' })
  })

  const recipes = (change: object): object[] => [
    { recipe: 'a/b', version: '1', key: digestOf('key'), ...change },
  ]
  it.each([
    ['recipes.0.durationMs', { recipes: recipes({ durationMs: 1e20 }) }],
    ['recipes.0.cpuMs', { recipes: recipes({ cpuMs: -1 }) }],
    ['recipes.0.size', { recipes: recipes({ size: 1e300 }) }],
    ['recipes.0.version', { recipes: recipes({ version: 1 }) }],
    ['files.0.path', { files: [{ path: 'disk\0.img', sha256: digestOf(BYTES) }] }],
    ['recipes', { recipes: Array<object>(100_001).fill(recipes({})[0]!) }],
    ['sources', { sources: Array<object>(100_001).fill({ name: 'a', sha256: digestOf('a') }) }],
  ])('says that the field %s is beyond bounds', async (field, change) => {
    await writeFile(record, JSON.stringify({ ...RECORD, ...change }))
    await expect(readDetailedRecord(record)).rejects.toMatchObject({
      code: 'no-record',
      message: expect.stringContaining(`field "${field}"`) as string,
    })
  })

  it('takes no number that JSON cannot hold', async () => {
    const text = JSON.stringify({ ...RECORD, recipes: recipes({ durationMs: 7 }) })
    await writeFile(record, text.replace('"durationMs":7', '"durationMs":1e999'))
    await expect(readDetailedRecord(record)).rejects.toMatchObject({ code: 'no-record' })
  })

  it('describes the image whose bytes it has', async () => {
    const recorded = await readRecordOf(image)
    await requireRecorded(image, recorded, signal)
    await requireRecorded(record, recorded, signal)
  })

  it('describes no image of other bytes, and none of another name', async () => {
    const recorded = await readRecordOf(image)
    await writeFile(image, `${BYTES}.`)
    const refusal = { code: 'image-not-recorded' }
    await expect(requireRecorded(image, recorded, signal)).rejects.toMatchObject(refusal)
    const other = join(folder, 'disk.v1.raw')
    await writeFile(other, BYTES)
    await expect(requireRecorded(other, recorded, signal)).rejects.toMatchObject(refusal)
  })
})
